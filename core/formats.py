"""How dates, numbers and phones are written for people, the same on pages and in sheets."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import NamedTuple

from django.utils import timezone

from core import workdays

EMPTY = "—"


class Deadline(NamedTuple):
    """A deadline in words, and how it looks: `bad` overdue, `warn` near, `calm` otherwise."""

    text: str
    tone: str
    day: date


def day(value: date | datetime | None) -> str:
    """2026-11-21, in local time."""
    if value is None:
        return EMPTY
    return _local(value).isoformat()


def moment(value: datetime | None) -> str:
    """2026-11-21 14:05, in local time."""
    if value is None:
        return EMPTY
    return timezone.localtime(value).strftime("%Y-%m-%d %H:%M")


def number(value: float | Decimal | None) -> str:
    """12,345; of a decimal no zeros that say nothing: 4.0 is 4."""
    if isinstance(value, float):
        value = Decimal(str(value))
    if isinstance(value, Decimal):
        return f"{value.normalize():,f}"
    return EMPTY if value is None else f"{value:,}"


def marks(value: Decimal | None) -> str:
    """93.50: marks stand in columns, so each has its two places."""
    return EMPTY if value is None else f"{value:,.2f}"


def unit(value: str) -> str:
    """A unit as it stands behind its figure: 7 件, but 80%."""
    return value if value in ("", "%") else f" {value}"


def masked_phone(value: str | None) -> str:
    """138****1234; anything too short to keep both ends is hidden whole."""
    if not value:
        return EMPTY
    return f"{value[:3]}****{value[-4:]}" if len(value) >= 11 else "****"


def clock(value: time | None) -> str:
    """08:30"""
    return EMPTY if value is None else value.strftime("%H:%M")


_DAYS = "一二三四五六日"


def weekdays(value: str) -> str:
    """ISO weekdays as people say them: ``12345`` is 周一至周五, ``135`` is 周一、三、五."""
    days = sorted({int(d) for d in value if d in "1234567"})
    if not days:
        return EMPTY
    if len(days) == len(_DAYS):
        return "每天"
    if len(days) > 2 and days[-1] - days[0] == len(days) - 1:
        return f"周{_DAYS[days[0] - 1]}至周{_DAYS[days[-1] - 1]}"
    return "周" + "、".join(_DAYS[d - 1] for d in days)


def short_place(name: str) -> str:
    """A community as its residents call it: 江西路社区居委会 is 江西路社区."""
    for suffix, short in _SUFFIXES:
        if name.endswith(suffix) and len(name) > len(suffix):
            return name.removesuffix(suffix).removesuffix(short) + short  # 清河村村委会 is 清河村
    return name


def full_places(short: str) -> set[str]:
    """The names that `short_place` makes `short` of, itself among them."""
    stems = (
        (suffix, stem) for suffix, end in _SUFFIXES for stem in (short, short.removesuffix(end))
    )
    names = {short, *(f"{stem}{suffix}" for suffix, stem in stems)}
    return {name for name in names if short_place(name) == short}


_SUFFIXES = (
    ("社区居民委员会", "社区"),
    ("社区居委会", "社区"),
    ("居民委员会", "社区"),
    ("居委会", "社区"),
    ("村民委员会", "村"),
    ("村委会", "村"),
)


def deadline(value: date | datetime | None, today: date | None = None) -> Deadline | None:
    """还剩 3 个工作日, 今天到期, 已逾期 2 天. Days left are working days, days late are days."""
    if value is None:
        return None
    due = _local(value)
    today = today or timezone.localdate()
    if due < today:
        return Deadline(f"已逾期 {(today - due).days} 天", "bad", due)
    if due == today:
        return Deadline("今天到期", "warn", due)
    left = workdays.workdays_between(today, due)
    tone = "warn" if left <= NEAR else "calm"
    return Deadline(f"还剩 {left} 个工作日", tone, due)


NEAR = 2  # working days before the deadline from which it is shown as near


def _local(value: date | datetime) -> date:
    return timezone.localtime(value).date() if isinstance(value, datetime) else value
