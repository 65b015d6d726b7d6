"""How wide a column is and how high a row, from what stands in them. Half-width characters."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from core.sheets.layout import Column, Kind

NARROWEST, WIDEST, WRAPPED = 6, 42, 20  # WRAPPED: a wrapped column's least
PAGE = 175  # so many print across A4 at nine tenths of their size
SHORT = 12  # a column of words no wider than this is centred


def column_widths(columns: Sequence[Column], measured: Sequence[int]) -> list[int]:
    """Widths that fit what was measured; where that is wider than a page, the columns of text
    give way and wrap."""

    def widths(most: int) -> list[int]:
        return [
            column.width
            or max(
                NARROWEST,
                _header_width(column),
                min(wide, most if column.kind is Kind.TEXT else WIDEST),
            )
            for column, wide in zip(columns, measured, strict=True)
        ]

    most = WIDEST
    while most > WRAPPED and sum(widths(most)) > PAGE:
        most -= 2
    return widths(most)


def text_width(value: Any, kind: Kind = Kind.TEXT) -> int:
    """How wide a value is in half-width characters, with the margin that Excel wants."""
    if isinstance(value, str):
        return max((_wide(line) for line in value.splitlines()), default=0) + 2
    if isinstance(value, date):
        return 18 if kind is Kind.MOMENT else 12
    if value is None:
        return 0
    if kind is Kind.MONEY:
        return len(f"{value:,.2f}") + 3
    return len(f"{value:.2f}" if isinstance(value, float) else str(value)) + 3


def wrapped_lines(text: str, width: int) -> int:
    """How many lines `text` takes in a column."""
    return sum(max(1, -(-_wide(line) // width)) for line in text.splitlines()) or 1


def _wide(text: str) -> int:
    return len(text.encode("gbk", "replace"))  # one byte for narrow signs, two for wide ones


def _header_width(column: Column) -> int:
    """Wide enough for the header in two lines, with room for the filter's button."""
    wide = _wide(column.title)
    return (wide + 1) // 2 + 4 if wide > 6 else wide + 4
