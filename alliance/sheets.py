"""The ledger of agreements (共建协议台账)."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import QuerySet

from alliance.enums import SIGNED, AgreementState
from alliance.models import Agreement
from core.exports import Asked, Col, Exporter, exporter
from core.periods import PeriodForm
from core.sheets.layout import Kind


@exporter
class AgreementsLedger(Exporter):
    """Agreements that were in force on a day of the period; without one, all that were signed.

    活动数 counts the deeds of the period, 履约率 stands as at its last day.
    """

    identifier, title, perm = "agreements", "共建协议台账", "reports.export"
    model, form = Agreement, PeriodForm
    columns = (
        Col("编号", "number", kind=Kind.CODE, key=True),
        Col("甲方", "area__name"),
        Col("乙方(多方)", "unit_names", width=30),
        Col("目标", "goal", width=40),
        Col("条款数", "clause_count", kind=Kind.NUMBER),
        Col("签订日期", "signed_on", kind=Kind.DATE),
        Col("到期日期", "ends_on", kind=Kind.DATE),
        Col("双方联络员", "liaisons"),
        Col("本季活动数", "deeds", kind=Kind.NUMBER),
        Col("履约率", "rate", kind=Kind.PERCENT),
        Col("状态", "state", dict(AgreementState.choices)),
    )

    def queryset(self, user: Any, asked: Asked) -> QuerySet:
        rows = super().queryset(user, asked)
        first: date | None = None
        last: date | None = None
        if period := asked["period"]:
            first, last = period.first, period.last
            rows = rows.valid_during(first, last)
        else:
            rows = rows.filter(state__in=SIGNED)
        return rows.with_parties().with_progress(first, last).order_by("area__code", "number")
