"""Review periods: `2026Q3` a quarter, `2026` a year."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.utils import timezone

from core.errors import Refused
from reports.enums import ReviewKind

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
        if self.kind == ReviewKind.ANNUAL:
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


def period_of(day: date, kind: str = ReviewKind.QUARTERLY) -> Period:
    """The period of `kind` that `day` falls in."""
    if kind == ReviewKind.ANNUAL:
        return Period(f"{day.year}", kind, date(day.year, 1, 1), date(day.year, 12, 31))
    quarter = (day.month - 1) // 3 + 1
    first = date(day.year, 3 * quarter - 2, 1)
    following = date(day.year + quarter // 4, quarter % 4 * 3 + 1, 1)
    return Period(
        f"{day.year}Q{quarter}", ReviewKind.QUARTERLY, first, following - timedelta(days=1)
    )


def parse_period(text: str) -> Period:
    """`2026Q3` or `2026`; anything else is refused with the right spelling."""
    found = re.fullmatch(r"(20\d\d)(?:[Qq]([1-4]))?", text.strip())
    if not found:
        raise Refused(f"期间“{text}”写法不对：季度写作 2026Q3，年度写作 2026。", field="period")
    year, quarter = int(found[1]), found[2]
    if quarter:
        return period_of(date(year, 3 * int(quarter) - 1, 1))
    return period_of(date(year, 1, 1), ReviewKind.ANNUAL)


def last_finished(kind: str = ReviewKind.QUARTERLY, today: date | None = None) -> Period:
    """The newest period of `kind` that is over."""
    return period_of(today or timezone.localdate(), kind).previous()


def recent_periods(kind: str = ReviewKind.QUARTERLY, count: int = 8) -> list[Period]:
    """The current period and those before it, newest first (choices of a form)."""
    periods = [period_of(timezone.localdate(), kind)]
    while len(periods) < count:
        periods.append(periods[-1].previous())
    return periods
