"""The workbook that somebody uploaded, given back with a column 错误信息.

Sheets, their order and hiding, values and merges are as they came; fonts and colours are not kept
(the reader does not give them). Rows pass through one by one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from itertools import chain, islice
from pathlib import Path
from typing import Any

from xlsxwriter import Workbook

from core.errors import Refused
from core.sheets.checking import CellError, Checked, messages
from core.sheets.opening import LIMITS, Limits, Sheet, open_book
from core.sheets.reading import ERRORS
from core.sheets.resources import SheetResource
from core.sheets.template import put_rules
from core.sheets.text import to_text
from core.sheets.widths import text_width
from core.sheets.workbook import MergingSheet, Styles, open_workbook, put_text, sheet_name
from core.sheets.writing import replacing

_SAMPLE = 200
_RED = {"bg_color": "#FFC7CE", "font_color": "#9C0006"}


def errors_workbook(
    source: Path | str,
    checked: Checked,
    resource: SheetResource,
    path: Path | str,
    *,
    limits: Limits = LIMITS,
) -> None:
    """Write the workbook at `source` to `path` (xlsx) with what is wrong beside each row.

    The cells at fault are coloured, and the dropdowns of the template stand again in their columns.
    """
    path = Path(path)
    try:
        _mark(source, checked, resource, path, limits, hidden=True)
    except Refused:  # a hidden sheet was not looked at before, and may be beyond the limits
        _mark(source, checked, resource, path, limits, hidden=False)


def _mark(
    source: Path | str,
    checked: Checked,
    resource: SheetResource,
    path: Path,
    limits: Limits,
    *,
    hidden: bool,
) -> None:
    with replacing(path) as part, open_workbook(part) as book:
        styles = Styles(book)
        names: set[str] = set()
        for sheet in open_book(source, hidden=hidden, limits=limits):
            name = _own_name(sheet.name or "数据", names)
            out = book.add_worksheet(name, worksheet_class=MergingSheet)
            if not sheet.visible:
                out.hide()
            marked = _Marked(out, styles, sheet)
            if sheet.visible and sheet.name == checked.table.sheet:
                out.activate()
                out.set_first_sheet()
                marked.judge(checked, resource, book)
            marked.copy()


def _own_name(name: str, taken: set[str]) -> str:
    """The tab's name; other formats allow longer ones, which may then be alike."""
    number = 1
    while (own := sheet_name(name, number)).casefold() in taken:
        number += 1
    taken.add(own.casefold())
    return own


class _Marked:
    """One sheet on its way through."""

    def __init__(self, out: MergingSheet, styles: Styles, sheet: Sheet) -> None:
        self.out, self.styles, self.sheet = out, styles, sheet
        self.said: dict[int, str] = {}
        self.at_fault: dict[int, set[int]] = {}
        self.header = self.place = 0

    def judge(self, checked: Checked, resource: SheetResource, book: Workbook) -> None:
        """This is the sheet that was checked."""
        table = checked.table
        self.said = messages(checked.errors)
        self.at_fault = _places(checked.errors, table.places)
        self.header = table.header
        self.place = table.width if table.errors_at is None else table.errors_at
        columns = [c for c in resource.columns if c.column_name in table.places]
        put_rules(
            book, self.out, columns, [table.places[c.column_name] for c in columns], self.header
        )
        self.out.freeze_panes(self.header, 0)

    def copy(self) -> None:
        for box in self.sheet.merged:
            self.out.mark_merged(*box)
        sample = list(islice(self.sheet.rows, _SAMPLE))
        self._fit(sample)
        for number, cells in chain(sample, self.sheet.rows):
            self._row(number, cells)

    def _fit(self, sample: Sequence[tuple[int, list[Any]]]) -> None:
        widths: dict[int, int] = defaultdict(int)
        for number, cells in sample:
            if number < self.header:  # title lines reach over many columns
                continue
            for place, cell in enumerate(cells):
                widths[place] = max(widths[place], text_width(to_text(cell)))
        for place, wide in widths.items():
            self.out.set_column(place, place, min(max(wide, 8), 42))
        if self.header:
            self.out.set_column(self.place, self.place, 60)

    def _row(self, number: int, cells: list[Any]) -> None:
        row, is_head = number - 1, number == self.header
        faulty = self.at_fault.get(number, ())
        for place, cell in enumerate(cells):
            if self.header and place == self.place and number >= self.header:
                continue  # the column of an earlier round
            self._cell(row, place, cell, place in faulty, is_head)
        for place in faulty:
            if place >= len(cells) or cells[place] is None:
                self.out.write_blank(row, place, None, self.styles.get(**_RED))
        if is_head:
            self.out.write_string(row, self.place, ERRORS, self.styles.get(bold=True, **_RED))
        elif said := self.said.get(number):
            look = self.styles.get(text_wrap=True, font_color="#9C0006")
            put_text(self.out, row, self.place, said, look)

    def _cell(self, row: int, place: int, cell: Any, faulty: bool, is_head: bool) -> None:
        out = self.out
        look = dict(_RED) if faulty else {"bold": True, "align": "center"} if is_head else {}
        get = self.styles.get
        if cell is None:
            return
        if isinstance(cell, bool):
            out.write_boolean(row, place, cell, get(**look))
        elif isinstance(cell, int | float):
            out.write_number(row, place, cell, get(**look))
        elif isinstance(cell, datetime) and cell.year >= 1900:
            out.write_datetime(row, place, cell, get(num_format="yyyy-mm-dd hh:mm:ss", **look))
        elif isinstance(cell, date) and cell.year >= 1900:
            out.write_datetime(row, place, cell, get(num_format="yyyy-mm-dd", **look))
        elif isinstance(cell, time):
            out.write_datetime(row, place, cell, get(num_format="hh:mm:ss", **look))
        elif isinstance(cell, timedelta):
            out.write_datetime(row, place, cell, get(num_format="[h]:mm:ss", **look))
        else:
            text = str(cell)
            put_text(out, row, place, text, get(num_format="@", text_wrap="\n" in text, **look))


def _places(errors: Sequence[CellError], places: dict[str, int]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = defaultdict(set)
    for error in errors:
        if error.column in places:
            found[error.row].add(places[error.column])
    return found
