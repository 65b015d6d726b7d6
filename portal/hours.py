"""Whether a place is open now, and if not, when it opens next: in the words of a notice on a door."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import NamedTuple

from core.formats import clock, weekdays
from core.workdays import is_workday

_NEAR = {0: "今天", 1: "明天"}


class Opening(NamedTuple):
    """`at` sorts: of two that are open the one that closes first, else the one that opens first."""

    is_open: bool
    at: datetime
    text: str


def opening(days: str, opens_at: time | None, closes_at: time | None, now: datetime):
    """The state of stated hours at `now` (local time); None when no hours are stated.

    days: ISO weekdays, ``"135"``. Holidays are not looked at: see `is_holiday`.
    """
    if not (days and opens_at and closes_at):
        return None
    for ahead in range(8):  # the same weekday of next week is the farthest
        day = now.date() + timedelta(days=ahead)
        if str(day.isoweekday()) not in days or (ahead == 0 and now.time() >= closes_at):
            continue
        if ahead == 0 and now.time() >= opens_at:
            return Opening(True, datetime.combine(day, closes_at), f"开放中，到 {clock(closes_at)}")
        name = _NEAR.get(ahead) or weekdays(str(day.isoweekday()))
        return Opening(False, datetime.combine(day, opens_at), f"{name} {clock(opens_at)} 开")
    return None


def is_holiday(now: datetime) -> bool:
    """A weekday that is none: hours that hold on a Thursday do not hold in the National Week."""
    return now.isoweekday() <= 5 and not is_workday(now.date())
