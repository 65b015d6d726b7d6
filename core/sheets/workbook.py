"""Our one seam over XlsxWriter: rows in order, one in memory, no text ever a formula.

It makes what stands around a ledger's rows (`frame`), import templates (`template`) and marked
uploads (`marking`); the rows of a ledger are written by `rows`.
"""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.utils import timezone
from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from core.sheets.layout import Kind
from core.sheets.text import writable

CELL_UNITS = 32_767  # UTF-16 code units that a cell holds
_FONT = "宋体"
_NUMBER_FORMATS = {
    Kind.TEXT: "@",
    Kind.CODE: "@",
    Kind.NUMBER: "General",
    Kind.SCORE: "0.00",
    Kind.MONEY: "#,##0.00",
    Kind.PERCENT: "0.0%",
    Kind.DATE: "yyyy-mm-dd",
    Kind.MOMENT: "yyyy-mm-dd hh:mm",
}


@contextlib.contextmanager
def open_workbook(path: Path) -> Iterator[Workbook]:
    """A workbook that keeps one row in memory; rows must come in order. The rows wait in a folder
    of their own beside the file, which goes whatever happens."""
    with tempfile.TemporaryDirectory(prefix=".sheets-", dir=path.parent) as folder:
        workbook = Workbook(
            str(path),
            {
                "constant_memory": True,
                "tmpdir": folder,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
            },
        )
        try:
            yield workbook
            workbook.close()
        finally:
            for sheet in workbook.worksheets():  # left open by an error; the folder goes with them
                sheet._opt_close()


class MergingSheet(Worksheet):
    """A worksheet that lets a range over two rows be merged after its cells were written:
    `merge_range` writes them all at once, which rows in order do not allow."""

    def mark_merged(self, first_row: int, left: int, last_row: int, right: int) -> None:
        self.merge.append([first_row, left, last_row, right])


class Styles:
    """The formats of a workbook, each made once."""

    def __init__(self, workbook: Workbook) -> None:
        self._workbook = workbook
        self._made: dict[tuple, Format] = {}

    def get(self, **properties: Any) -> Format:
        key = tuple(sorted(properties.items()))
        if key not in self._made:
            base = {"font_name": _FONT, "font_size": 10, "valign": "vcenter"}
            self._made[key] = self._workbook.add_format({**base, **properties})
        return self._made[key]

    def title(self) -> Format:
        return self.get(font_name="黑体", font_size=16, align="center")

    def line(self) -> Format:
        return self.get(align="left")

    def head(self, **properties: Any) -> Format:
        return self.get(
            bold=True, align="center", text_wrap=True, border=1, bg_color="#F2F2F2", **properties
        )

    def cell(self, kind: Kind, **properties: Any) -> Format:
        look = {"num_format": _NUMBER_FORMATS[kind], "border": 1, "text_wrap": kind is Kind.TEXT}
        if kind not in (Kind.TEXT, Kind.MONEY):
            look["align"] = "center"
        return self.get(**{**look, **properties})


def native(value: Any) -> Any:
    """A value as a cell can hold it."""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, datetime) and timezone.is_aware(value):
        return timezone.localtime(value).replace(tzinfo=None)
    if value is None or isinstance(value, str | int | float | Decimal | date):
        return value
    return str(value)


def put_text(sheet: Worksheet, row: int, place: int, text: str, style: Format) -> None:
    """A text that is written as it is, whatever it looks like."""
    text = clipped(writable(text))
    if text.startswith("<r>"):  # to XlsxWriter this may be XML of its own, and go out unescaped
        text = clipped(text + " ")
    sheet.write_string(row, place, text, style)


def write_line(sheet: MergingSheet, row: int, right: int, text: str, style: Format) -> None:
    """A line of text over the whole width."""
    put_text(sheet, row, 0, text, style)
    if right:
        sheet.mark_merged(row, 0, row, right)


def sheet_name(name: str, number: int = 1) -> str:
    """A tab's name as Excel allows it: 31 characters, none of ``[]:*?/\\``, no quote at the ends."""
    name = re.sub(r"[\[\]:*?/\\]", "_", writable(name)).strip("' ") or "Sheet"
    tail = f"（{number}）" if number > 1 else ""
    return name[: 31 - len(tail)] + tail


def clipped(text: str) -> str:
    """`text` as long as a cell may hold it, with … where it was cut."""
    if len(text) <= CELL_UNITS // 2:  # no character takes more than two units
        return text
    units = text.encode("utf-16-le")
    if len(units) <= 2 * CELL_UNITS:
        return text
    return units[: 2 * (CELL_UNITS - 1)].decode("utf-16-le", errors="ignore") + "…"
