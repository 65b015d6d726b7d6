"""Filters of the lists; the API takes the same."""

from __future__ import annotations

from datetime import timedelta

import django_filters
from django.db.models import QuerySet
from django.utils import timezone

from core.filters import DayRange, FilterSet, Search
from services.enums import CONTACT_DAYS
from services.models import Claim, Item, Ticket

_SEARCH = {"hint": "名称、内容、编号或单位"}


class ItemFilter(FilterSet):
    q = Search(fields=("search__contains",), label="查找事项", **_SEARCH)
    due_on = DayRange(label="时限")
    published_at = DayRange(label="发布日期")
    by_unit = django_filters.ChoiceFilter(
        label="提出方", method="from_side", choices=[("1", "驻区单位"), ("0", "社区街道")]
    )

    claimable = django_filters.ChoiceFilter(
        label="名额", method="with_places", choices=[("1", "还可认领")]
    )

    class Meta:
        model = Item
        fields = ("kind", "state", "topic", "beneficiary")

    def with_places(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        return queryset.claimable()

    def from_side(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        return queryset.filter(unit__isnull=value == "0")


class OfferFilter(FilterSet):
    """Of what may be claimed now."""

    q = Search(fields=("search__contains",), label="查找事项", **_SEARCH)
    near = django_filters.ChoiceFilter(
        label="范围",
        method="within",
        choices=[("community", "本社区"), ("street", "本街道"), ("district", "本区县")],
    )
    due_on = DayRange(label="时限")

    class Meta:
        model = Item
        fields = ("kind", "topic", "beneficiary")

    def within(self, queryset: QuerySet, name: str, level: str) -> QuerySet:
        """Around the places and units of the person's own grants."""
        grants = getattr(self.request.user, "current_grants", [])
        places = [g.area or g.unit for g in grants if g.area_id or g.unit_id]
        ids = {getattr(p, f"{level}_id") for p in places} - {None}
        return queryset.filter(**{f"{level}__in": ids})


class ClaimFilter(FilterSet):
    q = Search(
        fields=("claimant__contains", "item__title__contains", "item__number__contains"),
        label="查找认领",
        hint="认领方、事项名称或编号",
    )
    kind = django_filters.ChoiceFilter(
        field_name="item__kind", label="类别", choices=Item._meta.get_field("kind").choices
    )
    late = django_filters.ChoiceFilter(
        label="超期",
        method="lagging",
        choices=[("contact", f"认领后 {CONTACT_DAYS} 日未对接"), ("due", "时限已过未完成")],
    )
    due_on = DayRange(label="时限")
    claimed_at = DayRange(label="认领日期")
    accepted_at = DayRange(label="验收日期")
    rated_on = DayRange(field_name="rating__rated_on", label="评价日期")

    class Meta:
        model = Claim
        fields = ("state", "direction")

    def lagging(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        if value == "due":
            return queryset.overdue(timezone.localdate())
        return queryset.uncontacted_since(timezone.now() - timedelta(days=CONTACT_DAYS))


class TicketFilter(FilterSet):
    q = Search(
        fields=("number__startswith", "content__contains"), label="查找诉求", hint="单号或内容"
    )

    class Meta:
        model = Ticket
        fields = ("state", "topic")
