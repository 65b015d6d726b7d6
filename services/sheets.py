"""The ledger of the lists (四张清单台账): a row for each claim, and one for what nobody claimed."""

from __future__ import annotations

from typing import Any

from django.db.models import Case, FilteredRelation, Q, QuerySet, When
from django.db.models.functions import Coalesce, TruncDate

from core.exports import Asked, Col, Exporter, exporter
from core.periods import PeriodForm
from core.sheets.layout import Kind
from services.enums import Beneficiary, ClaimState, Direction, Grade, ItemKind, ItemState
from services.models import Item

_CLAIM_STATES, _ITEM_STATES = dict(ClaimState.choices), dict(ItemState.choices)


def _progress(claim: str | None, item: str) -> str:
    return _CLAIM_STATES[claim] if claim else _ITEM_STATES[item]


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
        Col("发布日期", "published_on", kind=Kind.DATE),
        Col("认领方", "held__claimant"),
        Col("认领方向", "held__direction", dict(Direction.choices)),
        Col("责任人", "held__responsible"),
        Col("时限", "due", kind=Kind.DATE),
        Col("进度", ("held__state", "state"), _progress),
        Col("验收日期", "accepted_on", kind=Kind.DATE),
        Col("评价", "held__rating__grade", dict(Grade.choices)),
        Col("销号日期", "closed_on", kind=Kind.DATE),
    )

    def queryset(self, user: Any, asked: Asked) -> QuerySet:
        rows = super().queryset(user, asked).published()
        if period := asked["period"]:
            still_open = Q(closed_at__isnull=True) | Q(closed_at__gte=period.starts_at)
            rows = rows.filter(still_open, published_at__lt=period.ends_before)
        live = FilteredRelation("claims", condition=~Q(claims__state=ClaimState.WITHDRAWN))
        # The claim's own, or the item's where nobody claimed it. Days are cut in the database.
        closed = Case(When(held__isnull=False, then="held__closed_at"), default="closed_at")
        return (
            rows.annotate(held=live)
            .annotate(
                published_on=TruncDate("published_at"),
                due=Coalesce("held__due_on", "due_on"),
                accepted_on=TruncDate("held__accepted_at"),
                closed_on=TruncDate(closed),
            )
            .order_by("number", "held__pk")
        )
