"""How dates, numbers and phones are written for people, the same on pages and in sheets."""

from __future__ import annotations

from datetime import date, datetime
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
    if isinstance(value, Decimal):
        return f"{value.normalize():,f}"
    return EMPTY if value is None else f"{value:,}"


def masked_phone(value: str | None) -> str:
    """138****1234; anything too short to keep both ends is hidden whole."""
    if not value:
        return EMPTY
    return f"{value[:3]}****{value[-4:]}" if len(value) >= 11 else "****"


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
