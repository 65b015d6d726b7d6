"""Working days: the national calendar of 2026, what a place does otherwise, years not decreed yet."""

from __future__ import annotations

import logging
from datetime import date, timedelta
from decimal import Decimal

import chinese_calendar
import pytest
from django.core.exceptions import PermissionDenied
from hypothesis import given, settings, strategies

from accounts.enums import Role
from core import formats, workdays
from core.errors import Refused
from core.models import AuditEvent, WorkdayOverride
from tests.factories.accounts import person

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin():
    return person(Role.SYSTEM_ADMIN)


def test_national_day_of_2026():
    rest = [day for day in range(1, 12) if not workdays.is_workday(date(2026, 10, day))]
    assert rest == [1, 2, 3, 4, 5, 6, 7, 11]
    assert workdays.is_workday(date(2026, 9, 20)), "a Sunday worked for the holiday"
    assert workdays.is_workday(date(2026, 10, 10)), "a Saturday worked for the holiday"


def test_seven_working_days_over_the_holiday():
    due = workdays.add_workdays(date(2026, 9, 28), 7)
    assert due == date(2026, 10, 13)
    assert workdays.workdays_between(date(2026, 9, 28), due) == 7
    assert workdays.add_workdays(due, -7) == date(2026, 9, 28)
    assert workdays.add_workdays(date(2026, 10, 1), 0) == date(2026, 10, 1)
    assert workdays.workdays_between(due, date(2026, 9, 28)) == -7


_DAYS = strategies.dates(date(2020, 1, 1), date(2029, 12, 31))


@given(day=_DAYS, n=strategies.integers(1, 60))
@settings(max_examples=60, deadline=None)
def test_a_term_counts_back_to_its_length(day, n):
    calendar = workdays.Calendar()
    calendar.overrides = {day + timedelta(days=3): False, day + timedelta(days=5): True}
    due = calendar.add_workdays(day, n)
    assert calendar.is_workday(due)
    assert calendar.workdays_between(day, due) == n


@given(start=_DAYS, ahead=strategies.integers(0, 900))
@settings(max_examples=60, deadline=None)
def test_a_span_counts_what_each_of_its_days_is(start, ahead):
    calendar = workdays.Calendar()
    calendar.overrides = {start: True, start + timedelta(days=ahead // 2): False}
    days = [start + timedelta(days=n) for n in range(1, ahead + 1)]
    counted = sum(map(calendar.is_workday, days))
    assert calendar.workdays_between(start, start + timedelta(days=ahead)) == counted


@pytest.mark.parametrize("year", [2024, 2026])
def test_a_year_is_as_the_library_has_it(year):
    first, last = date(year, 1, 1), date(year, 12, 31)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    worked = [day for day in days if workdays.is_workday(day)]
    assert worked == chinese_calendar.get_workdays(first, last)


def test_a_place_may_work_otherwise_and_its_reason_is_kept(admin):
    day = date(2026, 10, 8)
    workdays.set_override(day=day, is_workday=False, note="台风停工", by=admin)
    assert not workdays.is_workday(day)
    assert workdays.add_workdays(date(2026, 10, 7), 1) == date(2026, 10, 9)
    workdays.set_override(day=day, is_workday=True, note="照常上班", by=admin)
    assert workdays.is_workday(day)
    workdays.clear_override(day=day, by=admin)
    assert WorkdayOverride.objects.count() == 0
    told = AuditEvent.objects.filter(object_type="core.workdayoverride").order_by("id")
    assert [event.action.rpartition(".")[2] for event in told] == ["create", "update", "delete"]
    assert told[0].reason == "台风停工"
    with pytest.raises(Refused, match="没有调整"):
        workdays.clear_override(day=day, by=admin)


def test_only_the_system_administrator_adjusts():
    with pytest.raises(PermissionDenied):
        workdays.set_override(
            day=date(2026, 10, 8), is_workday=False, note="x", by=person(Role.SECURITY_AUDITOR)
        )


def test_a_year_not_decreed_yet_takes_monday_to_friday_and_says_so_once(caplog):
    year = next(y for y in range(2026, 2100) if not workdays.is_decreed(y))
    assert workdays.is_decreed(2026)
    workdays._warn.cache_clear()
    workdays._passed.cache_clear()
    with caplog.at_level(logging.ERROR):
        found = [workdays.is_workday(date(year, 3, 1) + timedelta(days=n)) for n in range(14)]
    assert sum(found) == 10
    assert [r.getMessage().split(":")[0] for r in caplog.records] == [
        f"chinesecalendar knows no holidays of {year}"
    ]


def test_a_request_reads_the_overrides_once_and_outside_they_are_never_old(
    admin, django_assert_num_queries
):
    day = date(2026, 10, 8)
    workdays._hold()  # as at the start of a request
    try:
        with django_assert_num_queries(1):
            for n in range(50):
                formats.deadline(day + timedelta(days=n), today=date(2026, 9, 30))
        workdays.set_override(day=day, is_workday=False, note="停工", by=admin)
        assert not workdays.is_workday(day), "what the request itself changed counts at once"
    finally:
        workdays._drop()
    WorkdayOverride.objects.update(is_workday=True)
    assert workdays.is_workday(day)


def test_a_slip_of_the_pen_is_caught():
    with pytest.raises(ValueError, match="too far"):
        workdays.add_workdays(date(2026, 1, 1), 10_000)


def test_figures_are_written_with_thousands_and_without_idle_zeros():
    figures = (1234567, Decimal("4.0"), Decimal(100), 6.0, 12.5, None)
    assert [formats.number(one) for one in figures] == ["1,234,567", "4", "100", "6", "12.5", "—"]
    assert [f"{formats.number(one)}{formats.unit(of)}" for one, of in ((7, "件"), (80, "%"))] == [
        "7 件",
        "80%",
    ]
