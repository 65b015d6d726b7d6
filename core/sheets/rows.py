"""The rows of a sheet as XML, a few hundred at a time and column by column.

What a column holds repeats itself (a state, a community, a day), so a value that was written once
is looked up. Text is written as text whatever it begins with: no cell is ever a formula.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import repeat
from typing import Any

from xlsxwriter.utility import xl_col_to_name

from core.sheets.frame import ROW_HEIGHT, Look
from core.sheets.layout import Column, Kind
from core.sheets.text import FAITHFUL, FORMULA_STARTS, writable
from core.sheets.widths import SHORT, wrapped_lines
from core.sheets.workbook import clipped, native

_KNOWN = 5000  # values of a column that are kept at hand
# Equal values of one of these types are written alike; of others not (0.10 and 0.1 as decimals).
_ALIKE = {str, date, type(None)}
_LINE = 13.5  # points: a line of text
_HIGHEST = 409  # points: a row of Excel's
_PLAIN = re.compile("[^&<>_\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]*")
_ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "_x000D_"})
_LIKE_AN_ESCAPE = re.compile("_(?=x[0-9a-fA-F]{4}_)")
_EPOCH = date(1899, 12, 31).toordinal()  # Excel's day 0
_FALSE_LEAP_DAY = 60  # 29 February 1900, which Excel believes in


class Body:
    """The rows of one sheet, whose columns are `widths` wide. `measured`: what their content
    takes; `styles`: the number that a cell of a look names; `first`: the number of the first row.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        widths: Sequence[int],
        measured: Sequence[int],
        styles: dict[Look, int],
        first: int,
    ) -> None:
        self.row = first
        self._cells = [
            _Cells(column, place, width, wide <= SHORT, styles)
            for place, (column, width, wide) in enumerate(
                zip(columns, widths, measured, strict=True)
            )
        ]

    def xml(self, rows: Sequence[Sequence[Any]]) -> bytes:
        """The next rows, each with a value for every column."""
        numbers = range(self.row, self.row + len(rows))
        self.row += len(rows)
        lines = [1] * len(rows)
        columns = [
            cells.xml(values, numbers, lines)
            for cells, values in zip(self._cells, zip(*rows, strict=True), strict=True)
        ]
        heads = [
            f'<row r="{number}" ht="{_height(count)}" customHeight="1">'
            for number, count in zip(numbers, lines, strict=True)
        ]
        pieces = zip(heads, *columns, repeat("</row>"))
        return "".join(map("".join, pieces)).encode()


class _Cells(dict[Any, str]):
    """One column: what is known of its values, each as what follows the cell's place."""

    def __init__(
        self, column: Column, place: int, width: int, short: bool, styles: dict[Look, int]
    ) -> None:
        super().__init__()
        self.kind, self.width, self.letters = column.kind, width, xl_col_to_name(place)
        look = Look(column.kind, short and column.kind is Kind.TEXT)
        self.style = f' s="{styles[look]}"'
        self.quoted = f' s="{styles[look._replace(quoted=True)]}"'
        self.tall: dict[str, int] = {}  # texts that take several lines

    def xml(self, values: Sequence[Any], numbers: range, lines: list[int]) -> list[str]:
        """The cells of some rows, in order. Raises the number in `lines` where a text takes more."""
        start = f'<c r="{self.letters}'
        if len(self) > _KNOWN:
            self.clear()
            self.tall.clear()
        kinds = {*map(type, values)}
        if kinds <= _ALIKE:
            found = [f"{start}{n}{self[v]}" for n, v in zip(numbers, values, strict=True)]
        elif kinds == {int} and not self.kind.is_text and max(map(abs, values)) < FAITHFUL:
            cell = f'{start}%d"{self.style}><v>%d</v></c>'
            return [cell % pair for pair in zip(numbers, values, strict=True)]
        else:
            found = [
                f"{start}{n}{self[v] if type(v) in _ALIKE else self._written(v)}"
                for n, v in zip(numbers, values, strict=True)
            ]
        if self.tall:
            for place, value in enumerate(values):
                if type(value) is str and value in self.tall:
                    lines[place] = max(lines[place], self.tall[value])
        return found

    def __missing__(self, value: Any) -> str:
        if type(value) is str and 2 * len(value) > self.width:
            count = wrapped_lines(value, self.width)
            if count > 1:
                self.tall[value] = count
        self[value] = made = self._written(value)
        return made

    def _written(self, value: Any) -> str:
        """A cell from the end of its place on."""
        if type(value) is not str:
            value = native(value)
            if value is None:
                return f'"{self.style}/>'
            if not self.kind.is_text:
                number = _number(value, whole_day=self.kind is Kind.DATE)
                if number:
                    return f'"{self.style}><v>{number}</v></c>'
            value = str(value)
        text, inside = clipped(value), value
        if not _PLAIN.fullmatch(value):
            text = clipped(writable(value))
            inside = _LIKE_AN_ESCAPE.sub("_x005F_", text).translate(_ESCAPED)
        elif text is not value:
            inside = text
        if not text:
            return f'"{self.style}/>'
        style = self.quoted if text[0] in FORMULA_STARTS else self.style
        kept = ' xml:space="preserve"' if text[0].isspace() or text[-1].isspace() else ""
        return f'"{style} t="inlineStr"><is><t{kept}>{inside}</t></is></c>'


def _number(value: Any, *, whole_day: bool) -> str:
    """What a cell of figures holds for the value; empty for what it cannot hold truly: longer
    numbers, which Excel would round, infinity, and the years before 1900, which it lacks."""
    if isinstance(value, int | float | Decimal):
        return str(value) if value == value and abs(value) < FAITHFUL else ""
    if not isinstance(value, date) or value.year < 1900:
        return ""
    day = value.toordinal() - _EPOCH
    day += day >= _FALSE_LEAP_DAY
    if whole_day or not isinstance(value, datetime):
        return str(day)
    since_midnight = value - datetime.combine(value, time())
    return str(day + since_midnight / timedelta(days=1))


@lru_cache(maxsize=64)
def _height(lines: int) -> float:
    """Points of a row of so many lines, in whole pixels as Excel keeps them."""
    points = ROW_HEIGHT if lines == 1 else min(_LINE * lines + 6, _HIGHEST)
    return round(points * 4 / 3) * 3 / 4
