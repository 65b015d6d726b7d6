"""Writing, changing and sizing items. Their states move by `transit` (services/transitions.py)."""

from __future__ import annotations

from datetime import date, time

from django.db import transaction
from django.utils import timezone

from core import audit
from core.errors import Conflict, Refused
from core.scope import require, still_visible
from core.transitions import transit
from orgs.enums import AreaState, UnitState
from orgs.models import Area, Unit
from services import privacy
from services.actions.follow import follow
from services.actions.numbering import next_number
from services.enums import Beneficiary, ItemKind, ItemState, Topic, Union
from services.models import Item, Ticket
from services.scopes import AUTHOR

EDITABLE = (
    "kind",
    "title",
    "content",
    "topic",
    "beneficiary",
    "capacity",
    "due_on",
    "contact",
    "venue",
    "weekdays",
    "opens_at",
    "closes_at",
)


def create_item(
    *,
    by,
    area: Area | None = None,
    unit: Unit | None = None,
    kind: str,
    title: str,
    content: str,
    topic: str = Topic.OTHER,
    beneficiary: str = Beneficiary.RESIDENTS,
    unions: list[str] | tuple[str, ...] = (),
    capacity: int = 1,
    due_on: date | None = None,
    contact: str = "",
    venue: str = "",
    weekdays: str = "",
    opens_at: time | None = None,
    closes_at: time | None = None,
    then: str = "",
) -> Item:
    """Write a draft for a place (`area`) or for a unit, which then stands at the unit's place.

    `then`: "submit" hands it in at once, "publish" also decides it, for who holds that right.

    Raises `Refused` on what the lists do not hold, `PermissionDenied` for a side that is not
    the person's own.
    """
    if (area is None) == (unit is None):
        raise Refused("请选择提出单位：社区（街道）或驻区单位之一。", field="publisher")
    place = unit.area if unit else area
    if unit and unit.state != UnitState.ACTIVE:
        raise Refused(f"“{unit.name}”已迁出，不能再提出事项。", field="publisher")
    if place.state != AreaState.ACTIVE:
        raise Refused(f"“{place.name}”已撤销，请改选现在的社区或街道。", field="publisher")
    if place.kind not in ("street", "community", "grid"):
        raise Refused("清单事项由街道、社区、网格或驻区单位提出，请改选。", field="publisher")
    item = Item(
        area=place,
        unit=unit,
        publisher=unit.name if unit else place_name(place),
        kind=kind,
        title=title.strip(),
        content=content.strip(),
        topic=topic,
        beneficiary=beneficiary,
        unions=_tags(unions),
        capacity=capacity,
        due_on=due_on,
        contact=contact.strip(),
        venue=venue.strip(),
        weekdays="".join(sorted(set(weekdays))),
        opens_at=opens_at,
        closes_at=closes_at,
        drafted_by=by,
    )
    with transaction.atomic():
        item.stamp()
        require(by, "services.draft", item, AUTHOR)
        _check(item)
        item.number = next_number(place)
        item.save()
        still_visible(item, by)
        audit.record("services.item.create", item, by=by, after=audit.snapshot(item))
        if then in ("submit", "publish"):
            item = submit_item(item=item, by=by, publish=then == "publish")
    return item


def edit_item(*, item: Item, by, version: int | None = None, unions=None, **values) -> Item:
    """Change a draft or a returned item. `version` is the one the person began from, where the
    caller does not compare the row itself (as the base views do).

    Raises `Conflict` when somebody saved it meanwhile or it has been submitted.
    """
    unknown = set(values) - set(EDITABLE)
    if unknown:
        raise TypeError(f"not editable: {sorted(unknown)}")
    with transaction.atomic():
        item = Item.objects.select_for_update(of=("self",)).get(pk=item.pk)
        require(by, "services.draft", item, AUTHOR)
        if item.state not in (ItemState.DRAFT, ItemState.RETURNED):
            raise Conflict(
                f"此事项已是“{item.get_state_display()}”，不能修改。请刷新页面；确需修改的先由审核人退回。"
            )
        if version not in (None, item.version):
            raise Conflict(
                "您打开此页后，已有他人保存了修改。请刷新页面，在最新内容上重新填写您的改动。"
            )
        before = audit.snapshot(item)
        for name, value in values.items():
            setattr(item, name, value.strip() if isinstance(value, str) else value)
        if unions is not None:
            item.unions = _tags(unions)
        _check(item)
        item.version += 1
        item.save()
        still_visible(item, by)
        audit.record("services.item.update", item, by=by, before=before, after=audit.snapshot(item))
    return item


def submit_item(*, item: Item, by, publish: bool = False) -> Item:
    """Hand a draft in; with `publish` also decide it at once, for who holds that right too."""
    with transaction.atomic():
        item = transit(item, "submit", by=by)
        if publish:
            item = transit(item, "publish", by=by)
    return item


def write_need(ticket: Ticket, *, by, title: str, content: str, then: str = "submit", **values):
    """The item that the community makes of a resident's ticket, in words fit for publication;
    `then` as in `create_item`. One place: one matter, one rating."""
    values = {"topic": ticket.topic, "beneficiary": ticket.beneficiary, **values, "capacity": 1}
    return create_item(
        by=by,
        area=ticket.area,
        kind=ItemKind.NEED,
        title=title,
        content=content,
        then=then,
        **values,
    )


def resize_item(*, item: Item, capacity: int, by) -> Item:
    """Offer more or fewer places of a published item, never fewer than are claimed.

    Setting it to what is claimed ends further claims; the item then follows its claims.
    """
    with transaction.atomic():
        item = Item.objects.select_for_update(of=("self",)).get(pk=item.pk)
        require(by, "services.review", item)
        if item.state in (ItemState.DRAFT, ItemState.PENDING, ItemState.RETURNED):
            raise Conflict("尚未发布的事项请在“修改”中填写名额。")
        if item.state == ItemState.CLOSED:
            raise Conflict("此事项已销号，不能再调整名额。")
        if capacity < max(1, item.claimed):
            raise Refused(
                f"已有 {item.claimed} 个名额被认领，名额不能少于 {max(1, item.claimed)}。",
                field="capacity",
            )
        before = audit.snapshot(item)
        item.capacity = capacity
        item.save(update_fields=["capacity", "updated_at"])
        audit.record("services.item.resize", item, by=by, before=before, after=audit.snapshot(item))
        return follow(item)


def discard_item(*, item: Item, by) -> None:
    """Delete a draft that was never published (the audit log keeps it)."""
    with transaction.atomic():
        item = Item.objects.select_for_update(of=("self",)).get(pk=item.pk)
        require(by, "services.draft", item, AUTHOR)
        if item.state not in (ItemState.DRAFT, ItemState.RETURNED):
            raise Conflict(f"此事项已是“{item.get_state_display()}”，不能删除。")
        if hasattr(item, "ticket"):
            raise Refused("此事项来自居民诉求，不能删除；请修改后提交，让居民看到结果。")
        audit.record("services.item.discard", item, by=by, before=audit.snapshot(item))
        item.delete()


def is_past(due_on: date | None) -> bool:
    """Whether no one can keep this date any more; the day itself still counts. Asked where the
    date is written, and again at each step on the way to publication: days go by in between."""
    return due_on is not None and due_on < timezone.localdate()


def place_name(area: Area) -> str:
    """A grid alone (第一网格) says nothing without its community."""
    return f"{area.community.name}{area.name}" if area.kind == "grid" else area.name


def _tags(unions) -> str:
    known = [value for value in Union.values if value in set(unions)]
    if len(known) != len(set(unions)):
        raise Refused("六联标签不在可选范围内，请重新选择。", field="unions")
    return f",{','.join(known)}," if known else ""


def _check(item: Item) -> None:
    if item.kind not in ItemKind.values:
        raise Refused("请选择类别：需求、资源或服务。", field="kind")
    if item.topic not in Topic.values or item.beneficiary not in Beneficiary.values:
        raise Refused("事项或受益对象不在可选范围内，请重新选择。", field="topic")
    for field, label in (("title", "名称"), ("content", "内容")):
        text = getattr(item, field)
        if not text:
            raise Refused(f"请填写{label}。", field=field)
        longest = Item._meta.get_field(field).max_length
        if len(text) > longest:
            raise Refused(f"{label}最多 {longest} 字，现为 {len(text)} 字。", field=field)
        privacy.check_published(text, field=field, where=label)
    privacy.check_no_id_number(item.contact, field="contact", where="联系方式")
    if item.capacity < 1:
        raise Refused("名额至少为 1。", field="capacity")
    _check_times(item)


def _check_times(item: Item) -> None:
    if (item.opens_at is None) != (item.closes_at is None):
        missing = "closes_at" if item.opens_at else "opens_at"
        raise Refused("开放时间和结束时间须同时填写，或都不填。", field=missing)
    if item.opens_at and item.closes_at <= item.opens_at:
        raise Refused("结束时间须晚于开放时间。", field="closes_at")
    if set(item.weekdays) - set("1234567"):
        raise Refused("开放日不在可选范围内，请重新选择。", field="weekdays")
    if is_past(item.due_on):
        raise Refused(f"时限 {item.due_on} 已过，请改为今天或以后的日期。", field="due_on")
