from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Refused
from reports.enums import ReviewKind
from reports.periods import last_finished, parse_period, period_of


def test_a_quarter_is_three_whole_months():
    period = parse_period("2026Q3")
    assert (period.first, period.last) == (date(2026, 7, 1), date(2026, 9, 30))
    assert period.label == "2026年第三季度"
    assert parse_period("2026q4").last == date(2026, 12, 31)
    assert parse_period("2026").label == "2026年"


@pytest.mark.parametrize("text", ["", "2026Q5", "26Q1", "2026-Q1", "2026Q", "第三季度", "2026Q33"])
def test_a_wrong_spelling_is_answered_with_the_right_one(text):
    with pytest.raises(Refused, match="2026Q3"):
        parse_period(text)


@given(st.dates(date(2001, 1, 1), date(2098, 12, 31)), st.sampled_from(ReviewKind.values))
def test_periods_tile_the_calendar(day, kind):
    period = period_of(day, kind)
    assert period.first <= day <= period.last
    assert parse_period(period.text) == period
    before = period.previous()
    assert (period.first - before.last).days == 1
    assert last_finished(kind, day) == before
