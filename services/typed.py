"""Numbers as people type them off a note: with blanks and hyphens, in full width."""

from __future__ import annotations

import re
import unicodedata

# A mobile, a fixed line with its area's code, or one of the own town.
PHONE = re.compile(r"1[3-9]\d{9}|0\d{2,3}-?\d{7,8}|[2-9]\d{6,7}")
_MOBILE = re.compile(r"1[3-9]\d{9}")
_DASHES = re.compile(r"[\u2010-\u2015\u2212]")


def phone(text: str) -> str:
    """The number without what a mobile is grouped by: 139 1234-5678 as 13912345678. The hyphen
    of a fixed line stays."""
    text = _plain(text)
    digits = text.replace("-", "")
    return digits if _MOBILE.fullmatch(digits) else text


def ticket_number(text: str) -> str:
    """2611756270 and 2611－756270 as 2611-756270."""
    text = _plain(text).upper()
    digits = text.replace("-", "")
    return f"{digits[:4]}-{digits[4:]}" if digits.isdecimal() and len(digits) == 10 else text


def secret(text: str) -> str:
    return _plain(text).replace("-", "").upper()


def _plain(text: str) -> str:
    return _DASHES.sub("-", re.sub(r"\s", "", unicodedata.normalize("NFKC", text)))
