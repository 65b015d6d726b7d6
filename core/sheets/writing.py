"""Writes a table as a stream: memory does not grow with the rows.

::

    layout = Layout("驻区单位", [Column("单位名称", key=True), Column("统一社会信用代码", Kind.CODE)],
                    title="东湖街道驻区单位名册", foot=["填报单位：东湖街道", "审核人："])
    write_table(path, layout, rows)       # rows: an iterable of sequences; .xlsx or .csv by name

The file appears whole or not at all. Text is written as text whatever it begins with, so no cell
is ever a formula.
"""

from __future__ import annotations

import contextlib
import csv
import secrets
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import chain, islice
from pathlib import Path
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from core.sheets.layout import Column, Kind, Layout
from core.sheets.text import quoted, writable
from core.sheets.workbook import (
    CellWriter,
    MergingSheet,
    Styles,
    native,
    open_workbook,
    sheet_name,
    write_line,
)

EXCEL_ROWS = 1_048_576
_SAMPLE = 500  # rows whose content decides the widths
_NARROWEST, _WIDEST, _WRAPPED = 6, 42, 20  # half-width characters; a wrapped column's least
_PAGE = 175  # so many print across A4 at nine tenths of their size
_SHORT = 12  # a column of words no wider than this is centred
_LINE, _ROW = 13.5, 20  # points: a line of text, a row of one line


def write_table(
    path: Path | str,
    layout: Layout,
    rows: Iterable[Sequence[Any]],
    *,
    sheet_rows: int = EXCEL_ROWS,
) -> int:
    """Write `rows` to `path`, an .xlsx or a .csv by its suffix; the number of rows written.

    A file already there is replaced at the end, in one step; on any error it is left as it was.
    What a sheet of `sheet_rows` rows cannot hold goes on in a second one.
    """
    path = Path(path)
    with replacing(path) as part:
        if path.suffix.lower() == ".csv":
            return _write_csv(part, layout, rows)
        return _write_xlsx(part, layout, rows, sheet_rows)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to; it takes that name if the block ends well, else is gone."""
    part = path.with_name(f".{path.stem[:40]}-{secrets.token_hex(4)}.part")
    part.touch(exist_ok=False)
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


# -- CSV


def _write_csv(path: Path, layout: Layout, rows: Iterable[Sequence[Any]]) -> int:
    """Header and rows alone, UTF-8 with a byte order mark, which Excel needs to see Chinese."""
    count = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        out = csv.writer(file)
        out.writerow([quoted(writable(column.label)) for column in layout.columns])
        for row in rows:
            out.writerow([_csv_cell(value) for value in row])
            count += 1
    return count


def _csv_cell(value: Any) -> Any:
    value = native(value)
    if isinstance(value, str):
        return quoted(writable(value))
    return value.isoformat(" ", "minutes") if isinstance(value, datetime) else value


# -- XLSX


def _write_xlsx(path: Path, layout: Layout, rows: Iterable[Sequence[Any]], sheet_rows: int) -> int:
    with open_workbook(path) as workbook:
        workbook.set_properties({"title": layout.title or layout.name})
        styles = Styles(workbook)
        rows = iter(rows)
        total = number = 0
        while True:
            number += 1
            page = _Page(workbook, styles, layout, sheet_name(layout.name, number), sheet_rows)
            taken = page.write(rows)
            total += taken
            following = next(rows, None) if taken == page.room else None
            page.finish(last=following is None)
            if following is None:
                return total
            rows = chain([following], rows)


class _Page:
    """One sheet of the table: title, header, as many rows as Excel holds, foot."""

    def __init__(
        self, workbook: Workbook, styles: Styles, layout: Layout, name: str, size: int
    ) -> None:
        self.sheet = workbook.add_worksheet(name, worksheet_class=MergingSheet)
        self.styles, self.layout = styles, layout
        self.row = head_rows(layout)
        self.room = size - self.row - 1  # one row for the foot
        self.sheet.set_default_row(_ROW)
        write_head(self.sheet, styles, layout)

    def write(self, rows: Iterator[Sequence[Any]]) -> int:
        """Write rows until they end or the sheet is full; how many."""
        sample = list(islice(rows, min(_SAMPLE, self.room)))
        measured = [
            max([text_width(values[place], column.kind) for values in sample], default=0)
            for place, column in enumerate(self.layout.columns)
        ]
        widths = column_widths(self.layout.columns, measured)
        cells = []
        for place, (column, wide) in enumerate(zip(self.layout.columns, measured, strict=True)):
            self.sheet.set_column(place, place, widths[place])
            look = {"align": "center"} if wide <= _SHORT and column.kind is Kind.TEXT else {}
            cells.append(CellWriter(self.sheet, self.styles, column.kind, **look))
        first = row = self.row
        for values in chain(sample, islice(rows, self.room - len(sample))):
            lines = 1
            for place, value in enumerate(values):
                if type(value) is str and 2 * len(value) > widths[place]:
                    lines = max(lines, wrapped_lines(value, widths[place]))
            if lines > 1:
                self.sheet.set_row(row, min(_LINE * lines + 6, 409))
            for place, (cell, value) in enumerate(zip(cells, values, strict=True)):
                cell.write(row, place, value)
            row += 1
        self.row = row
        return row - first

    def finish(self, *, last: bool) -> None:
        layout, sheet = self.layout, self.sheet
        top, right = head_rows(layout), len(layout.columns) - 1
        sheet.autofilter(top - 1, 0, max(self.row - 1, top - 1), right)
        if last and layout.foot:
            sheet.set_row(self.row, 1.5 * _ROW)
            write_line(sheet, self.row, right, "　　　　".join(layout.foot), self.styles.line())
        set_up_page(sheet, layout)


def column_widths(columns: Sequence[Column], measured: Sequence[int]) -> list[int]:
    """Widths that fit what was measured; where that is wider than a page, the columns of text
    give way and wrap."""

    def widths(most: int) -> list[int]:
        return [
            column.width
            or max(
                _NARROWEST,
                _header_width(column),
                min(wide, most if column.kind is Kind.TEXT else _WIDEST),
            )
            for column, wide in zip(columns, measured, strict=True)
        ]

    most = _WIDEST
    while most > _WRAPPED and sum(widths(most)) > _PAGE:
        most -= 2
    return widths(most)


def write_head(
    sheet: MergingSheet, styles: Styles, layout: Layout, marked: Collection[str] = ()
) -> None:
    """Title, subtitle and the header in one or two rows, from row 0. `marked`: labels of columns
    that stand out as required."""
    right = len(layout.columns) - 1
    if layout.title:
        sheet.set_row(0, 28)
        write_line(sheet, 0, right, layout.title, styles.title())
    if layout.subtitle:
        write_line(sheet, bool(layout.title), right, layout.subtitle, styles.line())
    row = head_rows(layout) - 1
    looks = [
        styles.head(font_color="#C00000") if column.label in marked else styles.head()
        for column in layout.columns
    ]
    if layout.header_rows == 2:
        _write_groups(sheet, row - 1, layout, looks)
    else:
        sheet.set_row(row, 30)
    for place, (column, look) in enumerate(zip(layout.columns, looks, strict=True)):
        alone = column.group or layout.header_rows == 1
        sheet.write_string(row, place, writable(column.title if alone else ""), look)


def _write_groups(sheet: MergingSheet, row: int, layout: Layout, looks: Sequence[Format]) -> None:
    """The upper of two header rows: groups over their columns, others over both rows."""
    for name, left, last in layout.groups:
        for place in range(left, last + 1):
            text = layout.columns[place].title if not name else name if place == left else ""
            sheet.write_string(row, place, writable(text), looks[place])
            if not name:
                sheet.mark_merged(row, place, row + 1, place)
        if name and last > left:
            sheet.mark_merged(row, left, row, last)


def head_rows(layout: Layout) -> int:
    """How many rows stand above the first row of data."""
    return bool(layout.title) + bool(layout.subtitle) + layout.header_rows


def set_up_page(sheet: Worksheet, layout: Layout) -> None:
    """How it is scrolled and printed: A4 across, one page wide, the header on every page."""
    top = head_rows(layout)
    sheet.freeze_panes(top, layout.frozen)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(top - layout.header_rows, top - 1)
    sheet.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.6)
    sheet.center_horizontally()
    sheet.set_footer("&C第 &P 页，共 &N 页")


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
