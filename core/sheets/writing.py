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
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain, islice
from pathlib import Path
from typing import Any

from core.sheets.frame import Frame, Look, Page, head_rows, make_frame
from core.sheets.layout import Layout
from core.sheets.rows import Body
from core.sheets.text import quoted, writable
from core.sheets.widths import column_widths, text_width
from core.sheets.workbook import native

EXCEL_ROWS = 1_048_576
_SAMPLE = 500  # rows whose content decides the widths
_CHUNK = 500  # rows written at a time
_PACKED = 1  # zlib's level: half as large again as at its usual one, in a third of the time
# Of the frame, what is the same with rows or without. It stands first: many programs know a
# workbook by the first names of its parts.
_AHEAD = ("_rels/.rels", "docProps/core.xml", "xl/theme/theme1.xml")


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
    with (
        tempfile.TemporaryDirectory(prefix=".sheets-", dir=path.parent) as folder,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=_PACKED) as package,
    ):
        return _Book(package, layout, sheet_rows, Path(folder) / "frame").write(iter(rows))


class _Book:
    """A workbook as it is written: sheet after sheet, each as far as Excel's go."""

    def __init__(
        self, package: zipfile.ZipFile, layout: Layout, sheet_rows: int, frame: Path
    ) -> None:
        self.package, self.layout, self.frame = package, layout, frame
        self.room = sheet_rows - head_rows(layout) - 1  # one row for the foot
        self.pages: list[Page] = []
        self.heads: list[bytes] = []
        self.styles: dict[Look, int] = {}

    def write(self, rows: Iterator[Sequence[Any]]) -> int:
        """All rows; how many."""
        frame, rows = self._sheet(rows)
        while rows is not None:
            frame, rows = self._sheet(rows)
        if frame.heads != self.heads:  # another version of XlsxWriter may number its styles anew
            raise RuntimeError("the rows name styles of another frame")
        for name in frame.parts.keys() - set(_AHEAD):
            self.package.writestr(name, frame.parts[name])
        return sum(page.rows for page in self.pages)

    def _sheet(self, rows: Iterator[Sequence[Any]]) -> tuple[Frame, Iterator[Sequence[Any]] | None]:
        """The next sheet. The frame as it is now, and what rows there are beyond this sheet."""
        sample = list(islice(rows, min(_SAMPLE, self.room)))
        columns = self.layout.columns
        measured = [
            max([text_width(values[place], column.kind) for values in sample], default=0)
            for place, column in enumerate(columns)
        ]
        page = Page(column_widths(columns, measured))
        self.pages.append(page)
        begun = make_frame(self.layout, self.pages, self.frame)
        self.heads.append(begun.heads[-1])
        if len(self.pages) == 1:
            self.styles = begun.styles
            for name in _AHEAD:
                self.package.writestr(name, begun.parts[name])
        body = Body(columns, page.widths, measured, self.styles, head_rows(self.layout) + 1)
        page.rows = 0
        name = f"xl/worksheets/sheet{len(self.pages)}.xml"
        with self.package.open(name, "w", force_zip64=True) as part:
            part.write(begun.heads[-1])
            for some in _in_chunks(chain(sample, islice(rows, self.room - len(sample)))):
                part.write(body.xml(some))
                page.rows += len(some)
            following = next(rows, None) if page.rows == self.room else None
            frame = make_frame(self.layout, self.pages, self.frame, ended=following is None)
            part.write(frame.feet[-1])
        return frame, None if following is None else chain([following], rows)


def _in_chunks(rows: Iterable[Sequence[Any]]) -> Iterator[list[Sequence[Any]]]:
    rows = iter(rows)
    while some := list(islice(rows, _CHUNK)):
        yield some
