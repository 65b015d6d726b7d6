"""What stands around the rows of a workbook: XlsxWriter makes it whole, with no rows in it.

A `Frame` is made twice: before the rows, for the head of each sheet and the numbers of the styles
that its cells name, and after them, when it is known how many there were. Both are some ten
milliseconds, so a sheet of any length passes as a stream between two small documents.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from core.sheets.layout import Kind, Layout
from core.sheets.workbook import (
    MergingSheet,
    Styles,
    open_workbook,
    put_text,
    sheet_name,
    write_line,
)

ROW_HEIGHT = 20  # points, of a row of one line
_SHEET = re.compile(r"xl/worksheets/sheet(\d+)\.xml")
_ROW = re.compile(rb'<row r="(\d+)"[^>]*?(?:/>|>.*?</row>)', re.DOTALL)
_STYLE = re.compile(rb' s="(\d+)"')
_DIMENSION = re.compile(rb"<dimension [^>]*/>")


class Look(NamedTuple):
    """How a cell of the body looks. `quoted`: with Excel's own apostrophe, so that the text stays
    text when somebody edits the cell."""

    kind: Kind
    centred: bool = False
    quoted: bool = False


LOOKS = [Look(kind, centred, quoted) for kind in Kind for centred in (0, 1) for quoted in (0, 1)]


@dataclass
class Page:
    """One sheet of the table: the widths of its columns and how many rows it holds."""

    widths: Sequence[int]
    rows: int = 1


class Frame(NamedTuple):
    """`parts`: what the package holds beside its sheets, by name. `heads`, `feet`: of each sheet,
    what stands before its rows and after them. `styles`: the number that a cell of a look names.
    """

    parts: dict[str, bytes]
    heads: list[bytes]
    feet: list[bytes]
    styles: dict[Look, int]


def make_frame(layout: Layout, pages: Sequence[Page], made: Path, *, ended: bool = False) -> Frame:
    """The frame of `pages`, made as a workbook at `made`. `ended`: the table's foot stands below
    the last. Without a row on the first page it has no styles."""
    with open_workbook(made) as book:
        book.set_properties({"title": layout.title or layout.name})
        styles = Styles(book)
        for number, page in enumerate(pages, start=1):
            sheet = book.add_worksheet(sheet_name(layout.name, number), MergingSheet)
            foot = ended and number == len(pages)
            _surround(sheet, styles, layout, page, looks=number == 1, foot=foot)
    return _taken_apart(made, head_rows(layout), [page.rows for page in pages])


def _surround(
    sheet: MergingSheet, styles: Styles, layout: Layout, page: Page, *, looks: bool, foot: bool
) -> None:
    top, right = head_rows(layout), len(layout.columns) - 1
    below = top + page.rows
    sheet.set_default_row(ROW_HEIGHT)
    for place, width in enumerate(page.widths):
        sheet.set_column(place, place, width)
    write_head(sheet, styles, layout)
    if looks and page.rows:
        for place, look in enumerate(LOOKS):
            sheet.write_blank(top, place, None, _style(styles, look))
    sheet.autofilter(top - 1, 0, max(below - 1, top - 1), right)
    if foot and layout.foot:
        sheet.set_row(below, 1.5 * ROW_HEIGHT)
        write_line(sheet, below, right, "　　　　".join(layout.foot), styles.line())
    set_up_page(sheet, layout)


def _style(styles: Styles, look: Look) -> Format:
    centred = {"align": "center"} if look.centred else {}
    quoted = {"quote_prefix": True} if look.quoted else {}
    return styles.cell(look.kind, **centred, **quoted)


def _taken_apart(made: Path, top: int, counts: Sequence[int]) -> Frame:
    with zipfile.ZipFile(made) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    names = sorted(filter(_SHEET.fullmatch, parts), key=lambda n: int(_SHEET.fullmatch(n)[1]))
    heads, feet, styles = [], [], {}
    for name, count in zip(names, counts, strict=True):
        before, _, rest = parts.pop(name).partition(b"<sheetData>")
        body, _, after = rest.rpartition(b"</sheetData>")
        rows = {int(found[1]): found[0] for found in _ROW.finditer(body)}
        if name == names[0] and count:
            numbers = map(int, _STYLE.findall(rows[top + 1]))
            styles = dict(zip(LOOKS, numbers, strict=True))
        head = [rows[number] for number in range(1, top + 1) if number in rows]
        heads.append(_DIMENSION.sub(b"", before) + b"<sheetData>" + b"".join(head))
        feet.append(rows.get(top + count + 1, b"") + b"</sheetData>" + after)
    return Frame(parts, heads, feet, styles)


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
        put_text(sheet, row, place, column.title if alone else "", look)


def _write_groups(sheet: MergingSheet, row: int, layout: Layout, looks: Sequence[Format]) -> None:
    """The upper of two header rows: groups over their columns, others over both rows."""
    for name, left, last in layout.groups:
        for place in range(left, last + 1):
            text = layout.columns[place].title if not name else name if place == left else ""
            put_text(sheet, row, place, text, looks[place])
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
