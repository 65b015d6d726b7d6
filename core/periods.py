"""Spans of time that ledgers and reviews are about: `2026Q3` a quarter, `2026` a year."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from core.errors import Refused
from core.forms import Form

QUARTERLY, ANNUAL = "quarterly", "annual"
_QUARTERS = "一二三四"


@dataclass(frozen=True)
class Period:
    """A span of whole days, both ends inclusive; `text` is how commands and addresses name it."""

    text: str
    kind: str
    first: date
    last: date

    @property
    def label(self) -> str:
        if self.kind == ANNUAL:
            return f"{self.first.year}年"
        return f"{self.first.year}年第{_QUARTERS[(self.first.month - 1) // 3]}季度"

    @property
    def starts_at(self) -> datetime:
        """The first moment, in the city's own time zone."""
        return timezone.make_aware(datetime.combine(self.first, time.min))

    @property
    def ends_before(self) -> datetime:
        """The first moment that is no longer part of it."""
        return timezone.make_aware(datetime.combine(self.last + timedelta(days=1), time.min))

    @property
    def is_over(self) -> bool:
        return self.last < timezone.localdate()

    def previous(self) -> Period:
        return period_of(self.first - timedelta(days=1), self.kind)

    def __str__(self) -> str:
        return self.text


def period_of(day: date, kind: str = QUARTERLY) -> Period:
    """The period of `kind` that `day` falls in."""
    if kind == ANNUAL:
        return Period(f"{day.year}", kind, date(day.year, 1, 1), date(day.year, 12, 31))
    quarter = (day.month - 1) // 3 + 1
    first = date(day.year, 3 * quarter - 2, 1)
    following = date(day.year + quarter // 4, quarter % 4 * 3 + 1, 1)
    return Period(f"{day.year}Q{quarter}", kind, first, following - timedelta(days=1))


def parse_period(text: str) -> Period:
    """`2026Q3` or `2026`; anything else is refused with the right spelling."""
    found = re.fullmatch(r"(20\d\d)(?:[Qq]([1-4]))?", text.strip())
    if not found:
        raise Refused(f"期间“{text}”写法不对：季度写作 2026Q3，年度写作 2026。", field="period")
    year, quarter = int(found[1]), found[2]
    if quarter:
        return period_of(date(year, 3 * int(quarter) - 1, 1))
    return period_of(date(year, 1, 1), ANNUAL)


def label_of(text: str) -> str:
    """2026年第三季度 of ``2026Q3``, as people read it."""
    return parse_period(text).label


def last_finished(kind: str = QUARTERLY, today: date | None = None) -> Period:
    """The newest period of `kind` that is over."""
    return period_of(today or timezone.localdate(), kind).previous()


def recent_periods(kind: str = QUARTERLY, count: int = 8) -> list[Period]:
    """The current period and those before it, newest first (choices of a form)."""
    periods = [period_of(timezone.localdate(), kind)]
    while len(periods) < count:
        periods.append(periods[-1].previous())
    return periods


def period_choices() -> list[tuple[str, str]]:
    """What every form offers that asks for a period: the last quarters and years in words."""
    periods = (*recent_periods(count=8), *recent_periods(ANNUAL, 3))
    return [(period.text, period.label) for period in periods]


class PeriodSelect(forms.Select):
    """The recent periods by their names, and whichever older one is chosen already."""

    def optgroups(self, name: str, value: Sequence[str], attrs: Any = None) -> list:
        offered = dict(self.choices)
        older = [p for text in value if text not in offered and (p := _read(text))]
        self.choices = [*self.choices, *((p.text, p.label) for p in older)]
        return super().optgroups(name, value, attrs)

    def format_value(self, value: Any) -> list[str]:
        period = value if isinstance(value, Period) else _read(str(value or ""))
        return [period.text] if period else super().format_value(value)


class PeriodField(forms.ChoiceField):
    """A period, chosen by its name among the recent ones; cleans to a `Period` or None.

    An address or a command may name any other as it is written there (`2019Q4`), and the form
    then keeps it as a choice. `empty`: what leaving it open means, where it need not be filled.
    """

    widget = PeriodSelect

    def __init__(self, *, empty: str = "不限", **kwargs: Any) -> None:
        kwargs.setdefault("label", "统计期")
        # Asked for anew by each form: one of today offers today's periods.
        super().__init__(choices=lambda: self._open(empty) + period_choices(), **kwargs)

    def _open(self, empty: str) -> list[tuple[str, str]]:
        return [] if self.required else [("", empty)]

    def to_python(self, value: Any) -> Period | None:
        if value in self.empty_values:
            return None
        try:
            return parse_period(str(value))
        except Refused as refused:
            raise forms.ValidationError(refused.message) from refused

    def valid_value(self, value: Any) -> bool:
        return True  # `to_python` has refused what is no period


class PeriodForm(Form):
    """What a ledger asks for: its period, or none for all that there is."""

    period = PeriodField(required=False, empty="全部")


def _read(text: str) -> Period | None:
    try:
        return parse_period(text)
    except Refused:
        return None
