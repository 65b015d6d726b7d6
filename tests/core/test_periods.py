from datetime import date, timedelta

import pytest
from django import forms
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Refused
from core.exports import EXPORTERS
from core.periods import (
    ANNUAL,
    QUARTERLY,
    PeriodField,
    PeriodForm,
    last_finished,
    parse_period,
    period_of,
    recent_periods,
)


@pytest.mark.parametrize(
    ("text", "first", "last", "label"),
    [
        ("2026Q1", date(2026, 1, 1), date(2026, 3, 31), "2026年第一季度"),
        ("2024q4", date(2024, 10, 1), date(2024, 12, 31), "2024年第四季度"),
        (" 2026 ", date(2026, 1, 1), date(2026, 12, 31), "2026年"),
    ],
)
def test_a_period_is_whole_days_from_first_to_last(text, first, last, label):
    period = parse_period(text)
    assert (period.first, period.last, period.label) == (first, last, label)
    assert timezone.localtime(period.starts_at).hour == 0
    assert timezone.localdate(period.ends_before) == last + timedelta(days=1)


@pytest.mark.parametrize("text", ["", "2026Q5", "26Q1", "1999", "2026-Q1", "二〇二六"])
def test_what_is_not_a_period_is_refused_with_the_right_spelling(text):
    with pytest.raises(Refused, match="2026Q3") as refused:
        parse_period(text)
    assert refused.value.field == "period"


@given(st.dates(date(2001, 1, 1), date(2098, 12, 31)), st.sampled_from([QUARTERLY, ANNUAL]))
def test_periods_tile_the_calendar(day, kind):
    period = period_of(day, kind)
    assert period.first <= day <= period.last
    assert parse_period(period.text) == period
    before = period.previous()
    assert (period.first - before.last).days == 1
    assert last_finished(kind, day) == before


def test_the_last_finished_is_over_and_the_current_is_not():
    assert last_finished(today=date(2026, 1, 1)).text == "2025Q4"
    assert last_finished(ANNUAL, today=date(2026, 7, 1)).text == "2025"
    current, before, *_ = recent_periods()
    assert not current.is_over
    assert before.is_over
    assert current.previous() == before


def test_a_form_offers_recent_quarters_and_years_by_name_and_takes_any_period():
    field = PeriodField(required=False)
    offered = dict(field.widget.choices)
    assert offered[""] == "不限"
    assert offered[recent_periods()[7].text] == recent_periods()[7].label
    assert offered[str(timezone.localdate().year)] == f"{timezone.localdate().year}年"
    assert "" not in dict(PeriodField().widget.choices)
    assert field.clean("2019q4").text == "2019Q4"
    assert field.clean("") is None
    with pytest.raises(forms.ValidationError, match="2026Q3"):
        field.clean("2026年2季度")
    with pytest.raises(forms.ValidationError):
        PeriodField().clean("")


def test_an_older_period_of_the_address_stays_chosen_and_is_offered_to_no_other():
    html = str(PeriodForm({"period": "2019q4"})["period"])
    assert '<option value="2019Q4" selected>2019年第四季度</option>' in html
    assert html.count("selected") == 1
    assert "2019" not in str(PeriodForm()["period"])
    assert "selected" not in str(PeriodForm({"period": "someday"})["period"])


def test_a_form_offers_the_periods_of_the_day_it_is_shown(monkeypatch):
    monkeypatch.setattr(timezone, "localdate", lambda: date(2031, 2, 3))
    assert ">2031年第一季度</option>" in str(PeriodForm()["period"])


def test_no_form_of_the_platform_has_a_period_typed():
    """Whatever a form calls a period is the one field, and so the one list of choices."""
    seen = {what.form for what in EXPORTERS.values() if what.form}
    asked = [form.base_fields["period"] for form in seen if "period" in form.base_fields]
    assert len(asked) >= 2
    assert all(type(field) is PeriodField for field in asked)
