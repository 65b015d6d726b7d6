"""What a cell says. A raw cell is what calamine or the csv module gave: str, int, float, bool,
date, datetime, time or None; these turn it into text, a code, a number or a date without
guessing. What cannot be read faithfully raises `BadCell` with a Chinese reason."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any


class BadCell(ValueError):
    """The cell does not hold what its column wants; `str(error)` is shown to the person."""


# Excel keeps 15 significant digits: from here on the last ones of a typed number are already lost.
FAITHFUL = 10**15

# What no cell of ours may hold: XML 1.0 forbids most, and half a surrogate pair has no bytes.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# Zero-width and direction marks come along when a phone number or a name is copied from a chat.
# The joiners stay: emoji and some scripts need them.
_INVISIBLE = re.compile(
    "[\u00ad\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
)
_JOINERS = "\u200c\u200d"
# A text without any of these is tidy; most are.
_TO_TIDY = re.compile(
    "[\x00-\x20\x7f-\xa0\u00ad\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000"
    "\ud800-\udfff\ufeff\ufffe\uffff]"
)
_BLANKS = re.compile("[ \t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
_EPOCH = date(1899, 12, 30)  # Excel's day 0, given its false 29 February 1900
# 1950-01-01 … 2099-12-31: a bare 12 or 2026 in a date column is a slip, not a day of 1905.
_SERIALS = range(18264, 73051)
_DAY = re.compile(
    r"(?P<year>\d{4})(?:(?P<mark>[-/.年])(?P<month>\d{1,2})(?:(?P=mark)|月)(?P<day>\d{1,2})日?"
    r"|(?P<month2>\d{2})(?P<day2>\d{2}))"
    r"(?:[ T]?\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?"
)
_NUMBER = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?(?:[eE][-+]?\d{1,3})?")
_SCIENTIFIC = re.compile(r"\d(?:\.\d+)?[eE]\+?\d+")


def writable(text: str) -> str:
    """`text` without what XML and UTF-8 cannot carry."""
    return _UNWRITABLE.sub("", text)


def visible(text: str) -> str:
    """`text` without what is not seen and turns its order about. Joiners stay within, for emoji."""
    return _INVISIBLE.sub("", text).strip(_JOINERS)


def tidy(text: str) -> str:
    """A text as a person meant it: no stray blanks at its ends, nothing invisible in it.

    Full-width letters and punctuation stay: （集团）is part of a name.
    """
    if not _TO_TIDY.search(text):
        return text
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip(" ")
    text = visible(writable(text.replace("\r\n", "\n").replace("\r", "\n")))
    return _BLANKS.sub(" ", text).strip(" \n" + _JOINERS)


# A cell that begins so is run as a formula when a CSV is opened (in CJK editions full-width too).
FORMULA_STARTS = frozenset("=+-@\t\r\n＝＋－＠")
_FORMULA = tuple(FORMULA_STARTS)


def quoted(text: str) -> str:
    """`text` with an apostrophe before it if a program would run it as a formula."""
    return "'" + text if text.lstrip("'").startswith(_FORMULA) else text


def unquoted(text: str) -> str:
    """The text that `quoted` was given."""
    return text[1:] if text.startswith("'") and text.lstrip("'").startswith(_FORMULA) else text


def to_text(raw: Any) -> str:
    """Any cell as tidy text: 12.0 as 12, dates as 2026-11-21, a ticked box as 是."""
    if raw is None:
        return ""
    if isinstance(raw, str):
        return tidy(raw)
    if isinstance(raw, bool):
        return "是" if raw else "否"
    if isinstance(raw, int | float):
        return _digits(raw)
    if isinstance(raw, datetime):
        return raw.date().isoformat() if raw.time() == time() else raw.isoformat(" ", "minutes")
    if isinstance(raw, date):
        return raw.isoformat()
    if isinstance(raw, time):
        return raw.isoformat("minutes")
    if isinstance(raw, timedelta):
        return f"{int(raw.total_seconds()) // 3600}:{int(raw.total_seconds()) % 3600 // 60:02}"
    return tidy(str(raw))


def to_code(raw: Any) -> str:
    """A code, number of a document, phone: half-width, without any blank.

    Raises `BadCell` for long numbers that the program has rounded, before or after saving.
    """
    if type(raw) is str and raw.isascii() and raw.isalnum() and "e" not in raw.lower():
        return raw  # as nearly all are
    if isinstance(raw, int | float) and not isinstance(raw, bool) and abs(raw) >= FAITHFUL:
        raise BadCell(
            "表格程序把这串数字当成了数值，第15位以后已经丢失；请把单元格设为“文本”格式后重新填写"
        )
    if isinstance(raw, date):  # a code like 2026-11 that the program took for a day
        raise BadCell("表格程序把这个编码当成了日期；请把单元格设为“文本”格式后重新填写")
    text = to_text(raw)
    if not text.isascii() or " " in text or "\n" in text:
        text = compact(text)
    if _SCIENTIFIC.fullmatch(text):
        raise BadCell(
            "这串数字已被表格程序改成科学计数法，后面的数字可能已经丢失；"
            "请把单元格设为“文本”格式后重新填写"
        )
    return text


def compact(text: str) -> str:
    """`text` half-width, without any blank: what is written so is compared whatever its dress."""
    text = unicodedata.normalize("NFKC", text)
    return "".join(c for c in text if not c.isspace() and unicodedata.category(c) != "Cf")


def typed_as_number(raw: Any) -> bool:
    """A long code kept as a number: still whole, but it is shown as 3.7E+14 and has no leading 0."""
    return isinstance(raw, float | int) and not isinstance(raw, bool) and abs(raw) >= 10**11


def to_number(raw: Any) -> Decimal | None:
    """A number, or None for an empty cell. Reads 1,234.5, １２３ and ￥1,000."""
    if isinstance(raw, bool | date | time | timedelta):
        raise BadCell("应为数字")
    if isinstance(raw, int | float):
        return Decimal(_digits(raw))
    text = re.sub(r"\s", "", unicodedata.normalize("NFKC", to_text(raw))).removeprefix("¥")
    if not text:
        return None
    if not any(c.isdigit() for c in text) or not _NUMBER.fullmatch(text):
        raise BadCell("应为数字")
    return Decimal(text.replace(",", ""))


def to_date(raw: Any) -> date | None:
    """A day, or None for an empty cell: 2026-11-21, 2026/11/21, 2026.11.21, 2026年11月21日,
    20261121, each with full-width digits or a time behind it, and Excel's serial number."""
    if isinstance(raw, datetime):
        return raw.date()
    if isinstance(raw, date):
        return raw
    if isinstance(raw, bool | time | timedelta):
        raise BadCell("应为日期，例如 2026-11-21")
    if isinstance(raw, int | float) and int(raw) in _SERIALS:
        return _EPOCH + timedelta(days=int(raw))
    text = unicodedata.normalize("NFKC", to_text(raw))
    text = re.sub(r"\s*([-/.年月日])\s*", r"\1", text)
    if not text:
        return None
    found = _DAY.fullmatch(text)
    if not found:
        if text.isdigit() and len(text) == 5 and int(text) in _SERIALS:
            return _EPOCH + timedelta(days=int(text))
        raise BadCell("应为日期，例如 2026-11-21")
    year, month = found["year"], found["month"] or found["month2"]
    try:
        return date(int(year), int(month), int(found["day"] or found["day2"]))
    except ValueError as error:
        raise BadCell("没有这一天，请核对年月日") from error


def _digits(number: float) -> str:
    """A number as Excel would show it whole: 15 significant digits, no exponent, no ``.0``."""
    if isinstance(number, int):
        return str(number)
    if number.is_integer() and abs(number) < FAITHFUL:
        return str(int(number))
    if number != number or number in (float("inf"), float("-inf")):
        return ""
    return format(Decimal(format(number, ".15g")), "f")
