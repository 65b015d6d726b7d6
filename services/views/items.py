"""Items: my own, what may be claimed, one, and writing it."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from core.forms import Form
from core.scope import may, reach_of
from core.views import Action, ActionFormView, DetailView, ListView
from services.actions.items import create_item, discard_item, edit_item, resize_item
from services.enums import PATH, ItemState
from services.filters import ItemFilter, OfferFilter
from services.forms import ItemForm, ItemRevision, ResizeForm
from services.models import Claim, Item, Ticket
from services.scopes import AUTHOR, OWN
from services.tables import ClaimTable, ItemTable, OfferTable, delivered

_WAY = ("draft", "pending", "published", *PATH)
_LABEL = "清单事项"
_ADD = Action("发布需求、资源或服务", "services:item-add", perm="services.draft", tone="primary")


class ItemList(ListView):
    model = Item
    table = ItemTable
    filters = ItemFilter
    perm = "services.view"
    title = _LABEL
    bulk = ("publish", "return")
    actions = (
        _ADD,
        Action("导出四张清单台账", "services:items-export", perm="reports.export", icon="download"),
    )
    empty = "本级还没有需求、资源和服务。发布后，驻区单位和居民就能看到。"

    def scoped(self) -> QuerySet:
        return super().scoped().filter(OWN.q(self.request.user, self.perm))


class OfferList(ListView):
    model = Item
    table = OfferTable
    filters = OfferFilter
    perm = "services.claim"
    title = "可认领事项"
    lead = "全市已发布、还有名额的需求、资源和服务。"
    empty = "现在没有可认领的事项。每月 10 日发布新一轮清单。"

    def get_queryset(self) -> QuerySet:
        own = reach_of(self.request.user, self.perm)
        places = [pk for _, pk in own.areas]
        return (
            Item.objects.claimable()
            .exclude(unit_id__in=own.units)
            .exclude(unit_id=None, area_id__in=places)
        )


class ItemDetail(DetailView):
    model = Item
    template = "services/item.html"
    perm = "services.view"
    path = _WAY
    related = ("area", "unit")
    list_label = _LABEL

    @property
    def actions(self) -> list[Action]:
        item, user = self.object, self.request.user
        found = []
        if item.state == ItemState.PUBLISHED and item.places_left and self._may_claim():
            found.append(Action("认领", "services:item-claim", tone="primary"))
        drafted = item.state in (ItemState.DRAFT, ItemState.RETURNED)
        if drafted and may(user, "services.draft", item, AUTHOR):
            found.append(Action("修改", "services:item-edit", icon="edit"))
            found.append(Action("删除", "services:item-discard", tone="danger"))
        if item.published_at and not item.closed_at and may(user, "services.review", item):
            found.append(Action("调整名额", "services:item-resize"))
        return found

    def _may_claim(self) -> bool:
        """Whoever holds the right on some other side than the item's own."""
        reach = reach_of(self.request.user, "services.claim")
        sides = {("unit", pk) for pk in reach.units} | {("area", pk) for _, pk in reach.areas}
        item = self.object
        own = ("unit", item.unit_id) if item.unit_id else ("area", item.area_id)
        return bool(sides - {own}) and may(self.request.user, "services.claim", item)

    def extra(self) -> dict[str, Any]:
        user, item = self.request.user, self.object
        claims = Claim.objects.filter(item=item).visible_to(user).order_by("pk")
        rows = list(ClaimTable.prepare(claims))
        suffix = self.place_suffix
        return {
            "claims": ClaimTable.bind(Claim, rows, caption="认领情况", suffix=suffix),
            "hours": opening_hours(item),
            "delivered": delivered(item),
            "ticket": Ticket.objects.filter(item=item).visible_to(user).first(),
        }


def opening_hours(item: Item) -> str:
    """周一、周三 09:00–17:00; empty when none are stated."""
    days = "、".join(f"周{'一二三四五六日'[int(n) - 1]}" for n in item.weekdays)
    hours = f"{item.opens_at:%H:%M}–{item.closes_at:%H:%M}" if item.opens_at else ""
    return f"{days} {hours}".strip()


class ItemAdd(ActionFormView):
    model = Item
    form = ItemForm
    action = staticmethod(create_item)
    creates = True
    perm = "services.draft"
    title = "发布需求、资源或服务"
    list_label = _LABEL

    def initial(self) -> dict[str, Any]:
        found: dict[str, Any] = {"kind": "need"}
        if self.place:
            found["side"] = f"area-{self.place.pk}"
        return found


class ItemEdit(ActionFormView):
    model = Item
    form = ItemRevision
    action = staticmethod(edit_item)
    perm = "services.draft"
    title = "修改事项"
    list_label = _LABEL


class ItemResize(ActionFormView):
    model = Item
    form = ResizeForm
    action = staticmethod(resize_item)
    perm = "services.review"
    title = "调整名额"
    list_label = _LABEL


class ItemDiscard(ActionFormView):
    model = Item
    form = Form
    action = staticmethod(discard_item)
    perm = "services.draft"
    title = "删除草稿"
    lead = "删除后不能恢复，办理记录仍保留在审计日志中。"
    submit = "确认删除"
    done = "草稿已删除。"
    list_label = _LABEL

    def success_url(self, result: Any) -> str:
        return reverse("services:items") + self.place_suffix
