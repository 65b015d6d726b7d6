from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.sheets.text import (
    BadCell,
    quoted,
    tidy,
    to_code,
    to_date,
    to_number,
    to_text,
    unquoted,
    writable,
)


@pytest.mark.parametrize(
    "raw",
    [
        "2026-11-21",
        "2026/11/21",
        "2026.11.21",
        "2026年11月21日",
        "2026年11月21",
        "２０２６年１１月２１日",
        " 2026 年 11 月 21 日 ",
        "20261121",
        20261121.0,
        "2026-11-21 00:00:00",
        "2026/11/21 8:05",
        46347.0,
        46347.4,
        "46347",
        date(2026, 11, 21),
        datetime.fromisoformat("2026-11-21T17:30"),
        "\u200b2026-11-21\u202c",
    ],
)
def test_every_spelling_of_a_day_is_that_day(raw):
    assert to_date(raw) == date(2026, 11, 21)


def test_a_day_may_have_one_digit_months():
    assert to_date("2026/1/2") == to_date("2026年1月2日") == date(2026, 1, 2)


@pytest.mark.parametrize(
    "raw",
    # a year or a month's number alone, two-digit years, mixed marks, what no calendar has
    [
        2026,
        12,
        "26/11/21",
        "2026-11/21",
        "2026-02-30",
        "2026-13-01",
        "明天",
        "2026年",
        True,
        -1,
        1e9,
        time(8),
        timedelta(hours=1),
    ],
)
def test_what_is_no_day_is_refused_rather_than_guessed(raw):
    with pytest.raises(BadCell):
        to_date(raw)


@pytest.mark.parametrize("raw", ["", None, "  ", "\u200b"])
def test_an_empty_cell_is_no_day_and_no_number(raw):
    assert to_date(raw) is None
    assert to_number(raw) is None
    assert to_code(raw) == ""


def test_numbers_are_read_as_people_write_them():
    assert to_number("1,234.50") == Decimal("1234.50")
    assert to_number("１２３") == 123
    assert to_number("￥1,000") == to_number("¥ 1000") == 1000
    assert to_number(0.1 + 0.2) == Decimal("0.3")
    assert to_number(12.0) == 12
    assert to_number("-3") == -3


@pytest.mark.parametrize(
    "raw", ["三", "1,23", "12户", "1.2.3", "-", "+", ".", "1e", True, date(2026, 11, 21)]
)
def test_what_is_no_number_is_refused(raw):
    with pytest.raises(BadCell):
        to_number(raw)


def test_codes_lose_width_blanks_and_invisible_marks():
    assert to_code(" ３７０２ 02001\u200b\xa0") == "370202001"
    assert to_code("\u202d13800001234\u202c") == "13800001234"
    assert to_code(370202001001.0) == "370202001001"
    assert to_code(370202001001001.0) == "370202001001001"  # 15 digits are all there


@pytest.mark.parametrize(
    "raw", [370202199001011234.0, 1234567890123456, "3.70202E+14", "3.70202e17", date(2026, 11, 1)]
)
def test_a_code_that_the_program_rounded_is_reported(raw):
    with pytest.raises(BadCell, match="文本"):
        to_code(raw)


def test_text_is_tidied_and_otherwise_left_as_it_is():
    assert to_text(" 青岛（集团）　有限公司\u200b\n") == "青岛（集团） 有限公司"
    assert to_text("a\r\nb") == "a\nb"
    assert to_text("\ufeff㐂𠮷👨\u200d👩\u200d👧") == "㐂𠮷👨\u200d👩\u200d👧"
    assert to_text("ＡＢ１２") == "ＡＢ１２"
    assert to_text(0.1 + 0.2) == "0.3"
    assert to_text(1e20) == "100000000000000000000"
    assert to_text(0.00001) == "0.00001"
    assert to_text(True) == "是"
    assert to_text(datetime.fromisoformat("2026-11-21T08:05")) == "2026-11-21 08:05"
    assert to_text(datetime.fromisoformat("2026-11-21T00:00")) == "2026-11-21"
    assert to_text(time(8, 5)) == "08:05"
    assert to_text(timedelta(hours=26, minutes=3)) == "26:03"
    assert to_text(None) == ""


@given(st.text())
def test_tidying_twice_changes_nothing_more(text):
    assert tidy(tidy(text)) == tidy(text)


@given(st.text())
def test_whatever_is_written_can_be_encoded(text):
    writable(text).encode()


@given(st.text(alphabet="'=+-@\t\r\n＝a1 "))
def test_quoting_a_formula_is_undone_by_reading_it(text):
    assert unquoted(quoted(text)) == text
    assert not quoted(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝"))
