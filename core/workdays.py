"""Working days: the national calendar (chinesecalendar), and what this place does otherwise.

::

    due = add_workdays(today, 7)                    # the seventh working day after today
    workdays_between(today, due)                    # 7
    is_workday(date(2026, 10, 1))                   # False, National Day

A deadline is computed once, where the fact is entered, and stored. Whoever asks about many days
holds a `Calendar`: it reads the overrides once. Within a request that is done for you.

The State Council decrees a year's holidays the November before; until the library has them,
Monday to Friday are taken and the log says so. An override cures a single day at once.
"""

from __future__ import annotations

import logging
import threading
from array import array
from datetime import date, timedelta
from functools import cache, cached_property, lru_cache
from itertools import accumulate
from typing import Any

import chinese_calendar
from django.core.signals import request_finished, request_started
from django.db import transaction

from core import audit
from core.errors import Refused
from core.models import WorkdayOverride
from core.prepared import Prepared
from core.scope import require

log = logging.getLogger(__name__)

PERM = "workdays.edit"
FARTHEST = 3660  # working days; a longer term is a slip of the pen


class Calendar:
    """The working days as they are decreed now: one query, at the first question."""

    @cached_property
    def overrides(self) -> dict[date, bool]:
        return {override.day: override.is_workday for override in _overrides()}

    def is_workday(self, day: date) -> bool:
        found = self.overrides.get(day)
        return _national(day) if found is None else found

    def add_workdays(self, day: date, n: int) -> date:
        """The n-th working day after `day` (before it, for a negative n); `day` itself for 0."""
        if abs(n) > FARTHEST:
            raise ValueError(f"{n} working days lie too far ahead")
        step = timedelta(days=1 if n > 0 else -1)
        left = abs(n)
        while left:
            day += step
            left -= self.is_workday(day)
        return day

    def workdays_between(self, start: date, end: date) -> int:
        """Working days after `start` up to and including `end`; negative when `end` is earlier.

        ``workdays_between(day, add_workdays(day, n)) == n``
        """
        if end < start:
            return -self.workdays_between(end, start)
        whole = sum(_passed(year)[-1] for year in range(start.year, end.year))
        otherwise = (
            worked - _national(day) for day, worked in self.overrides.items() if start < day <= end
        )
        return whole + _passed_by(end) - _passed_by(start) + sum(otherwise)


_overrides = Prepared(WorkdayOverride.objects.all)


class _Held(threading.local):
    """The calendar of the request at hand; none outside of requests, where it could grow old."""

    calendar: Calendar | None = None


_held = _Held()


def _hold(**_: Any) -> None:
    _held.calendar = Calendar()


def _drop(**_: Any) -> None:
    _held.calendar = None


request_started.connect(_hold, dispatch_uid="workdays")
request_finished.connect(_drop, dispatch_uid="workdays")


def calendar() -> Calendar:
    """The request's calendar, or a fresh one."""
    return _held.calendar or Calendar()


def is_workday(day: date) -> bool:
    """Whether `day` is a working day."""
    return calendar().is_workday(day)


def add_workdays(day: date, n: int) -> date:
    """The n-th working day after `day`; see `Calendar.add_workdays`."""
    return calendar().add_workdays(day, n)


def workdays_between(start: date, end: date) -> int:
    """Working days after `start` up to and including `end`; see `Calendar.workdays_between`."""
    return calendar().workdays_between(start, end)


def is_decreed(year: int) -> bool:
    """Whether the national calendar of `year` is known; else Monday to Friday are taken."""
    try:
        chinese_calendar.is_workday(date(year, 1, 1))
    except NotImplementedError:
        return False
    return True


@transaction.atomic
def set_override(*, day: date, is_workday: bool, note: str, by: Any) -> WorkdayOverride:
    """Have `day` count as a working day, or not; replaces what was set for it before."""
    require(by, PERM)
    old = WorkdayOverride.objects.select_for_update().filter(day=day).first()
    before = audit.snapshot(old) if old else {}
    found, _ = WorkdayOverride.objects.update_or_create(
        day=day, defaults={"is_workday": is_workday, "note": note}
    )
    verb = "update" if old else "create"
    audit.record(
        f"core.workday.{verb}",
        found,
        by=by,
        before=before,
        after=audit.snapshot(found),
        reason=note,
    )
    _drop()
    return found


@transaction.atomic
def clear_override(*, day: date, by: Any) -> None:
    """Have `day` follow the national calendar again."""
    require(by, PERM)
    found = WorkdayOverride.objects.select_for_update().filter(day=day).first()
    if found is None:
        raise Refused(f"{day:%Y-%m-%d} 没有调整，本来就按国家日历计算。", field="day")
    audit.record("core.workday.delete", found, by=by, before=audit.snapshot(found))
    found.delete()
    _drop()


def _national(day: date) -> bool:
    return _passed_by(day) > _passed(day.year)[day.timetuple().tm_yday - 1]


def _passed_by(day: date) -> int:
    """Working days of the year up to and including `day`."""
    return _passed(day.year)[day.timetuple().tm_yday]


@lru_cache(maxsize=64)
def _passed(year: int) -> array:
    """The working days that have passed by the end of each day of the year, the first entry being
    that of New Year's Eve: 0. Counted once a process, because the library takes a twentieth of a
    millisecond a day and a list asks about thousands."""
    if is_decreed(year):
        works = chinese_calendar.is_workday
    else:
        _warn(year)
        works = _monday_to_friday
    days = (date(year, 12, 31) - date(year, 1, 1)).days + 1
    found = accumulate((works(_day(year, n)) for n in range(days)), initial=0)
    return array("H", found)


def _day(year: int, n: int) -> date:
    return date(year, 1, 1) + timedelta(days=n)


def _monday_to_friday(day: date) -> bool:
    return day.weekday() < 5


@cache
def _warn(year: int) -> None:
    """Once a process and year."""
    log.error(
        "chinesecalendar knows no holidays of %s: Monday to Friday are taken for working days. "
        "Upgrade the package, or enter overrides.",
        year,
    )
