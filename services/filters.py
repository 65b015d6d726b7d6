"""Filters of the lists; the API takes the same."""

from __future__ import annotations

from datetime import timedelta

import django_filters
from django.db.models import Q, QuerySet
from django.utils import timezone

from core.filters import CaseFilter, DayRange, FilterSet, Search
from services.enums import CONTACT_DAYS, PUBLIC_STATES, ContactSpan, Grade
from services.models import Claim, Item, Ticket
from services.querysets import HAS_PLACES, TAKEN, overdue, uncontacted_since

_SEARCH = {"hint": "名称、内容、编号或单位"}


class ItemFilter(FilterSet):
    quiet = ("published_at", "claimed_at", "closed_at")
    q = Search(fields=("search__holds",), folds=True, label="查找事项", **_SEARCH)
    due_on = DayRange(label="时限")
    by_unit = CaseFilter(
        label="提出方", case="from_side", choices=[("1", "驻区单位"), ("0", "社区街道")]
    )
    claimable = CaseFilter(
        label="名额", case="with_places", choices=[("1", "还可认领"), ("taken", "已有认领")]
    )
    published_at = DayRange(label="发布日期")
    claimed_at = DayRange(label="认领日期", method="by_claims")
    closed_at = DayRange(label="销号日期")

    class Meta:
        model = Item
        fields = ("kind", "state", "topic", "beneficiary")

    def by_claims(self, queryset: QuerySet, name: str, value: slice) -> QuerySet:
        return queryset.claimed_between(value.start, value.stop)

    def with_places(self, value: str) -> Q:
        return HAS_PLACES if value == "1" else Q(state__in=PUBLIC_STATES) & TAKEN

    def from_side(self, value: str) -> Q:
        return Q(unit__isnull=value == "0")


class OfferFilter(FilterSet):
    """Of what may be claimed now."""

    q = Search(fields=("search__holds",), folds=True, label="查找事项", **_SEARCH)
    near = CaseFilter(
        label="范围",
        case="within",
        choices=[("community", "本社区"), ("street", "本街道"), ("district", "本区县")],
    )
    due_on = DayRange(label="时限")

    class Meta:
        model = Item
        fields = ("kind", "topic", "beneficiary")

    def within(self, level: str) -> Q:
        """Around the places and units of the person's own grants."""
        grants = getattr(self.request.user, "current_grants", [])
        places = [g.area or g.unit for g in grants if g.area_id or g.unit_id]
        ids = {getattr(p, f"{level}_id") for p in places} - {None}
        return Q(**{f"{level}__in": ids})


class ClaimFilter(FilterSet):
    quiet = ("claimed_at", "accepted_at", "contact", "grade", "rated_on")
    q = Search(
        fields=("claimant__contains", "item__title__contains", "item__number__contains"),
        label="查找认领",
        hint="认领方、事项名称或编号",
    )
    kind = django_filters.ChoiceFilter(
        field_name="item__kind", label="类别", choices=Item._meta.get_field("kind").choices
    )
    late = CaseFilter(
        label="超期",
        case="lagging",
        choices=[("contact", f"认领后 {CONTACT_DAYS} 日未对接"), ("due", "时限已过未完成")],
    )
    due_on = DayRange(label="时限")
    claimed_at = DayRange(label="认领日期")
    accepted_at = DayRange(label="验收日期")
    contact = django_filters.ChoiceFilter(
        label="对接用时", method="by_contact", choices=ContactSpan.choices
    )
    grade = django_filters.ChoiceFilter(
        field_name="rating__grade", label="评价", choices=Grade.choices
    )
    rated_on = DayRange(label="评价日期", field_name="rating__rated_on")

    class Meta:
        model = Claim
        fields = ("state", "direction")

    def by_contact(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        return queryset.live().with_contact_span(timezone.now()).filter(contact_span=value)

    def lagging(self, value: str) -> Q:
        if value == "due":
            return overdue(timezone.localdate())
        return uncontacted_since(timezone.now() - timedelta(days=CONTACT_DAYS))


class TicketFilter(FilterSet):
    q = Search(
        fields=("number__startswith", "content__contains"), label="查找诉求", hint="单号或内容"
    )

    class Meta:
        model = Ticket
        fields = ("state", "topic")
