"""Create, rename, move and retire one node of the tree."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import F
from django.utils import timezone

from core import audit
from core.errors import Conflict, Refused
from core.scope import require, still_visible
from orgs.actions.tree import history, numbers, rules, stamps
from orgs.actions.tree.lock import tree_action
from orgs.enums import STAMPS, AreaKind, AreaState
from orgs.models import Area, AreaHistory
from orgs.pinyin import reading
from orgs.signals import area_retired, areas_added

AUDITED = ("parent", "kind", "code", "name", "state", "successor", "valid_from", "valid_to")


def may_change(kind: str) -> str:
    """The permission that changing a node of this kind needs: grids are drawn by communities."""
    return "orgs.divide" if kind in (AreaKind.GRID, AreaKind.BUILDING) else "orgs.edit"


@tree_action
def create_area(
    *, kind: str, code: str, name: str, parent: Area | None, by: Any, valid_from: date | None = None
) -> Area:
    """Add a node below `parent` (None for a city, which only the system adds: `by=None`).

    Raises `Refused` on a wrong name, code, parent or date. `valid_from` is today by default.
    """
    kind, code, name = AreaKind(kind), code.strip(), name.strip()
    if parent is not None:
        parent = Area.objects.get(pk=parent.pk)
        _allow(by, kind, parent)
    elif by is not None:
        raise PermissionDenied("cities are loaded by the system alone")
    day = _not_in_future(valid_from, "valid_from")
    rules.refuse_if(rules.parent_fault(kind, parent and parent.kind), "上级不对：", "parent")
    rules.refuse_if(rules.name_fault(name), "名称", "name")
    rules.refuse_if(rules.code_fault(kind, code), f"区划代码 {code}：", "code")
    if parent is not None:
        _refuse_retired(parent, "parent")
        rules.refuse_if(rules.prefix_fault(kind, code, parent.code), f"区划代码 {code}：", "code")
    _refuse_taken(code)

    area = Area(kind=kind, code=code, name=name, parent=parent, valid_from=day, **typed(name))
    if parent is not None:
        slot = numbers.find_slot(parent.pk, code, 1)
        area.tree_id, area.level = slot.tree_id, slot.level
        area.lft, area.rght = slot.first, slot.first + slot.space
    else:
        area.tree_id, area.level, area.lft, area.rght = 0, 0, numbers.STEP, 2 * numbers.STEP
    for name_, value in stamps.own_path(area, parent).items():
        setattr(area, name_, value)
    area.save_base(force_insert=True)
    own = stamps.own_path(area, parent)
    own["tree_id"] = area.tree_id or area.pk
    Area.objects.filter(pk=area.pk).update(**own)
    for name_, value in own.items():
        setattr(area, name_, value)

    this = Area.objects.filter(pk=area.pk)
    history.begin(this)
    audit.record("orgs.area.create", area, by=by, after=audit.snapshot(area, AUDITED))
    _still_in_reach(by, area)
    areas_added.send(Area, areas=this, by=by)
    return area


@tree_action
def rename_area(
    *,
    area: Area,
    name: str,
    by: Any,
    code: str | None = None,
    on: date | None = None,
    version: int | None = None,
) -> Area:
    """Give a node another name, another code, or both, from `on` (today) on. No change, no record.

    Raises `Refused` on a wrong name, code or date, `Conflict` when `version` is out of date.
    """
    area = _read(area, version)
    _allow(by, area.kind, area)
    _refuse_retired(area, None)
    name, code = name.strip(), area.code if code is None else code.strip()
    day = _not_before(area, on)
    rules.refuse_if(rules.name_fault(name), "名称", "name")
    if code != area.code:
        rules.refuse_if(rules.code_fault(area.kind, code), f"区划代码 {code}：", "code")
        _refuse_taken(code)
    elif name == area.name:
        return area
    values = {"name": name, "code": code, **typed(name)}
    if code != area.code and area.parent_id:  # siblings stand in the order of their codes
        slot = numbers.find_slot(area.parent_id, code, numbers.size(numbers.span(area.pk)))
        numbers.lay(numbers.span(area.pk), slot)
    return _write(area, values, "orgs.area.rename", day, by=by)


@tree_action
def move_area(
    *, area: Area, parent: Area, by: Any, on: date | None = None, version: int | None = None
) -> Area:
    """Hang a node and all below it under another parent, from `on` (today) on.

    It keeps its code. What is below and every fact there is restamped; the paths of before stay
    in the history. Raises `Refused` on a wrong parent or date, `Conflict` on an old `version`.
    """
    area = _read(area, version)
    parent = Area.objects.get(pk=parent.pk)
    _allow(by, area.kind, area, parent)
    _refuse_retired(area, None)
    _refuse_retired(parent, "parent")
    if parent.pk == area.parent_id:
        raise Refused(f"{area.name}已在{parent.name}之下，无需调整。", field="parent")
    if parent.pk == area.pk or Area.objects.above(parent).filter(pk=area.pk).exists():
        raise Refused(f"不能把{area.name}移到它自己或它的下级之下，请另选上级。", field="parent")
    rules.refuse_if(rules.parent_fault(area.kind, parent.kind), "上级不对：", "parent")
    day = _not_before(area, on, parent)
    facts = relink(area, parent)
    return _write(area, {"parent": parent}, "orgs.area.move", day, by=by, facts=facts)


def relink(area: Area, parent: Area) -> int:
    """Numbers and stamps of a subtree that goes under another parent; the caller writes the link,
    the history and the audit. Returns how many facts were restamped."""
    slot = numbers.find_slot(parent.pk, area.code, numbers.size(numbers.span(area.pk)))
    path = stamps.own_path(area, parent)
    way = numbers.Stamps(area.kind, area.pk, stamps.above(area, path))
    numbers.lay(numbers.span(area.pk), slot, way if area.kind in STAMPS else None)
    return stamps.restamp(area, path)


@tree_action
def retire_area(
    *,
    area: Area,
    by: Any,
    successor: Area | None = None,
    on: date | None = None,
    reason: str = "",
    version: int | None = None,
) -> Area:
    """Strike a node off from `on` (today) on: `on` is the first day without it.

    With a successor of the same kind its active children go along to that, and what it answered
    for (its facts) is answered for by the successor. Without one it must have no active children.
    The node stays in the tree under its old parent, with its history.
    Raises `Refused` on a wrong successor or date, `Conflict` when it has been retired meanwhile.
    """
    area = _read(area, version)
    if not area.is_active:
        raise Conflict(f"{area.name}已于 {area.valid_to} 撤销，请刷新页面查看。")
    _allow(by, area.kind, area)
    day = _not_before(area, on)
    if successor is not None:
        successor = Area.objects.get(pk=successor.pk)
        _allow(by, area.kind, successor)
        _check_successor(area, successor)
    children = list(Area.objects.active().filter(parent=area.pk).order_by("code"))
    if children and successor is None:
        raise Refused(
            f"{area.name}下还有 {len(children)} 个使用中的{AreaKind(children[0].kind).label}"
            f"（{'、'.join(c.name for c in children[:3])}{'等' if len(children) > 3 else ''}）。"
            "请先把它们移走或撤销，或者选择并入的对象，让它们一并转入。",
            field="successor",
        )
    for child in children:
        relink(child, successor)
        _write(child, {"parent": successor}, "orgs.area.move", day, by=by, reason=reason)
    facts = stamps.restamp(area, stamps.path_of(successor)) if successor else 0
    area = _write(
        area,
        {
            "state": AreaState.RETIRED,
            "successor": successor,
            "valid_to": max(area.valid_from, date.fromordinal(day.toordinal() - 1)),
        },
        "orgs.area.retire",
        day,
        by=by,
        reason=reason,
        facts=facts,
    )
    area_retired.send(Area, area=area, successor=successor, day=day, reason=reason, by=by)
    return area


def _check_successor(area: Area, successor: Area) -> None:
    if successor.pk == area.pk:
        raise Refused("不能并入自己，请另选并入的对象。", field="successor")
    if successor.kind != area.kind:
        label = AreaKind(area.kind).label
        raise Refused(
            f"{area.name}是{label}，只能并入另一个{label}，不能并入"
            f"{AreaKind(successor.kind).label}“{successor.name}”。",
            field="successor",
        )
    _refuse_retired(successor, "successor")


def _write(
    area: Area,
    values: dict[str, Any],
    action: str,
    day: date,
    *,
    by: Any,
    reason: str = "",
    facts: int = 0,
) -> Area:
    """Write a node's own columns, then the history of all that counts under it, then the audit."""
    before = audit.snapshot(area, AUDITED)
    Area.objects.filter(pk=area.pk).update(**values, version=F("version") + 1)
    area = Area.objects.get(pk=area.pk)
    history.follow(stamps.counted_under(area.successor or area), day)
    after = audit.snapshot(area, AUDITED)
    if facts:
        after["facts_restamped"] = facts
    audit.record(action, area, by=by, before=before, after=after, reason=reason)
    _still_in_reach(by, area)
    return area


def _read(area: Area, version: int | None) -> Area:
    fresh = Area.objects.get(pk=area.pk)
    if version is not None and version != fresh.version:
        raise Conflict(f"{fresh.name}刚被别人改过，您看到的不是最新内容。请刷新页面后重新填写。")
    return fresh


def typed(name: str) -> dict[str, str]:
    """The columns that say how a name is typed."""
    read = reading(name)
    return {"pinyin": read.full[:600], "initials": read.initials}


def _allow(by: Any, kind: str, *areas: Area) -> None:
    if by is not None:
        for area in areas:
            require(by, may_change(kind), area)


def _still_in_reach(by: Any, area: Area) -> None:
    if by is not None:
        still_visible(area, by, may_change(area.kind))


def _refuse_retired(area: Area, field: str | None) -> None:
    if not area.is_active:
        raise Refused(f"{area.name}已于 {area.valid_to} 撤销，请另选使用中的区划。", field=field)


def _refuse_taken(code: str) -> None:
    if Area.objects.filter(code=code).exists():
        raise Refused(f"区划代码 {code} 已被使用，请核对。", field="code")


def _not_in_future(day: date | None, field: str) -> date:
    today = timezone.localdate()
    if day is not None and day > today:
        raise Refused(f"日期不能晚于今天（{today}）：区划变更自生效之日起登记。", field=field)
    return day or today


def _not_before(area: Area, on: date | None, parent: Area | None = None) -> date:
    day = _not_in_future(on, "on")
    for node in (area, parent):
        if node is not None and day < node.valid_from:
            raise Refused(
                f"生效日期不能早于{node.name}的启用日期（{node.valid_from}）。", field="on"
            )
    changed = AreaHistory.objects.filter(area=area.pk, valid_to=None, valid_from__gt=day).first()
    if changed is not None:
        raise Refused(
            f"{area.name}在 {changed.valid_from} 已有变更记录，生效日期不能早于这一天。", field="on"
        )
    return day
