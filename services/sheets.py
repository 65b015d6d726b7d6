"""The ledger of the lists (四张清单台账): a row for each claim, and one for what nobody claimed."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db.models import FilteredRelation, Q, QuerySet
from django.utils import timezone

from core.exports import Asked, Col, Exporter, exporter
from core.periods import PeriodForm
from core.sheets.layout import Kind
from services.enums import Beneficiary, ClaimState, Direction, Grade, ItemKind, ItemState
from services.models import Item


def _day(moment: datetime | None) -> date | None:
    return timezone.localdate(moment) if moment else None


def _first(*values: Any) -> Any:
    """The claim's own value, or the item's where there is no claim."""
    return next((v for v in values if v not in (None, "")), None)


def _progress(claim: str | None, item: str) -> str:
    return ClaimState(claim).label if claim else ItemState(item).label


def _closed(claim: str | None, closed: datetime | None, item: datetime | None) -> date | None:
    return _day(closed if claim else item)


@exporter
class ListsLedger(Exporter):
    """What was published in the period, and what was still open when it began."""

    identifier, title, perm = "lists", "四张清单台账", "reports.export"
    model, form = Item, PeriodForm
    columns = (
        Col("编号", "number", kind=Kind.CODE),
        Col("类别", "kind", dict(ItemKind.choices)),
        Col("提出单位", "publisher"),
        Col("名称", "title", key=True),
        Col("内容", "content", width=40),
        Col("受益对象", "beneficiary", dict(Beneficiary.choices)),
        Col("发布日期", "published_at", _day, kind=Kind.DATE),
        Col("认领方", "held__claimant"),
        Col("认领方向", "held__direction", dict(Direction.choices)),
        Col("责任人", "held__responsible"),
        Col("时限", ("held__due_on", "due_on"), _first, kind=Kind.DATE),
        Col("进度", ("held__state", "state"), _progress),
        Col("验收日期", "held__accepted_at", _day, kind=Kind.DATE),
        Col("评价", "held__rating__grade", dict(Grade.choices)),
        Col("销号日期", ("held__state", "held__closed_at", "closed_at"), _closed, kind=Kind.DATE),
    )

    def queryset(self, user: Any, asked: Asked) -> QuerySet:
        rows = super().queryset(user, asked).published()
        if period := asked["period"]:
            still_open = Q(closed_at__isnull=True) | Q(closed_at__gte=period.starts_at)
            rows = rows.filter(still_open, published_at__lt=period.ends_before)
        live = FilteredRelation("claims", condition=~Q(claims__state=ClaimState.WITHDRAWN))
        return rows.annotate(held=live).order_by("number", "held__pk")
