"""Monthly rounds: published on the 10th, summarised on the next 10th (domain.md §4)."""

from __future__ import annotations

from datetime import date, timedelta

from services.enums import ROUND_DAY


def round_of(day: date) -> date:
    """The first day of the round that `day` falls in."""
    if day.day < ROUND_DAY:
        day = day.replace(day=1) - timedelta(days=1)
    return day.replace(day=ROUND_DAY)
