"""A program of its own: opens one untrusted workbook under hard limits and prints what it holds.

`core.sheets.opening` starts it. A damaged or hostile file can make the reader panic, abort or ask
for memory without end; here that ends this process and nothing else. It imports neither Django
nor the project, so that it starts in some 30 ms.

Output, one JSON value a line:
  {"sheet": name, "visible": bool, "width": n, "merged": [[r0, c0, r1, c1], …]}   a sheet begins
  [[row number from 1, [cells…]], …]                                    rows that are not blank
  {"refused": why}                                                      gave up, nothing follows
  {"end": true}                                                         all was read
A cell is null, text, a number, a boolean, or {"d"|"t"|"p": …} for a moment, a time, a duration.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, BinaryIO

import orjson
from python_calamine import CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

_LINE = 32_768  # bytes of rows to a line, or what one row takes


def main() -> None:
    ask = orjson.loads(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_DATA, (ask["memory"], ask["memory"]))
    resource.setrlimit(resource.RLIMIT_CPU, (ask["seconds"], ask["seconds"]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    out = sys.stdout.buffer
    try:
        with open(sys.argv[1], "rb") as source:  # noqa: PTH123  (pathlib would slow the start)
            for line in _together(map(orjson.dumps, _lines(source, ask))):
                out.write(line + b"\n")
    except PasswordError:
        out.write(orjson.dumps({"refused": "encrypted"}) + b"\n")
    out.flush()


def _together(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Some hundreds of rows a line: to read a line costs more than to read a row."""
    rows, size = [], 0
    for piece in pieces:
        is_row = piece.startswith(b"[")
        if rows and (size > _LINE or not is_row):
            yield b"[" + b",".join(rows) + b"]"
            rows, size = [], 0
        if is_row:
            rows.append(piece)
            size += len(piece)
        else:
            yield piece


def _lines(source: BinaryIO, ask: dict[str, Any]):
    book = CalamineWorkbook.from_filelike(source)
    for index, about in enumerate(book.sheets_metadata):
        visible = about.visible == SheetVisibleEnum.Visible
        if about.typ != SheetTypeEnum.WorkSheet or not (visible or ask["hidden"]):
            continue
        sheet = book.get_sheet_by_index(index)
        left = sheet.start[1] if sheet.start else 0
        yield {
            "sheet": about.name,
            "visible": visible,
            "width": left + sheet.width,
            "merged": [[*first, *last] for first, last in sheet.merged_cell_ranges or []],
        }
        if left + sheet.width > ask["columns"]:
            yield {"refused": "columns"}
            return
        found = 0
        for number, cells in enumerate(sheet.iter_rows(), start=1):
            if cells.count("") == len(cells):  # the common case of a far-flung sheet, at C speed
                continue
            row = [_plain(cell) for cell in cells]
            while row and row[-1] is None:
                row.pop()
            if not row:
                continue
            found += 1
            if found > ask["rows"]:
                yield {"refused": "rows"}
                return
            yield [number, [None] * left + row]
    yield {"end": True}


def _plain(cell: Any) -> Any:
    if type(cell) is str:
        return cell if cell and not cell.isspace() else None
    if isinstance(cell, datetime | date):
        return {"d": cell.isoformat()}
    if isinstance(cell, time):
        return {"t": cell.isoformat()}
    if isinstance(cell, timedelta):
        return {"p": cell.total_seconds()}
    return cell


if __name__ == "__main__":
    main()
