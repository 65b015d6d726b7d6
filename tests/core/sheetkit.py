"""Files that people send, made small: for the tests of core.sheets."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import Path

import openpyxl

_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Default Extension="rels" ContentType='
    '"application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/xl/workbook.xml" ContentType='
    '"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>'
)
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r1" Type="{type}" Target="{target}"/></Relationships>'
)


# For programs that tell their own peak in MB. Not RUSAGE_SELF: Linux hands the peak of the process
# that forked (a whole test run) on through exec.
OWN_PEAK = """
def own_peak():
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith("VmHWM:"))
    return int(line.split()[1]) // 1024
"""


def book(
    path: Path, rows: Iterable[Iterable], *, title: str = "Sheet1", merged=(), also=()
) -> Path:
    """A workbook by openpyxl. `also`: further sheets as (title, rows, state)."""
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = title
    for row in rows:
        sheet.append(list(row))
    for box in merged:
        sheet.merge_cells(box)
    for name, more, state in also:
        extra = workbook.create_sheet(name)
        for row in more:
            extra.append(list(row))
        extra.sheet_state = state
    workbook.save(path)
    return path


def raw_xlsx(path: Path, sheet_xml: Iterable[bytes]) -> Path:
    """A workbook with one sheet whose XML is given piece by piece: for files no writer makes."""
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as package:
        package.writestr("[Content_Types].xml", _TYPES)
        package.writestr(
            "_rels/.rels",
            _RELS.format(type=f"{_RELATION}/officeDocument", target="xl/workbook.xml"),
        )
        package.writestr(
            "xl/workbook.xml",
            f'<workbook {space} xmlns:r="{_RELATION}"><sheets>'
            '<sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>',
        )
        package.writestr(
            "xl/_rels/workbook.xml.rels",
            _RELS.format(type=f"{_RELATION}/worksheet", target="worksheets/sheet1.xml"),
        )
        with package.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part:
            part.write(f"<worksheet {space}>".encode())
            for piece in sheet_xml:
                part.write(piece)
            part.write(b"</worksheet>")
    return path


def text_cell(place: str, text: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


def bordered_to_the_bottom(header: list[str], row: list[str], columns: int) -> Iterable[bytes]:
    """A header, one row, and 1,048,574 rows of cells with borders and nothing in them."""
    letters = [chr(ord("A") + i) for i in range(columns)]
    yield b'<dimension ref="A1:XFD1048576"/><sheetData>'
    for number, texts in enumerate((header, row), start=1):
        cells = "".join(text_cell(f"{c}{number}", t) for c, t in zip(letters, texts, strict=False))
        yield f'<row r="{number}">{cells}</row>'.encode()
    empty = "".join(f'<c r="{c}%d" s="3"/>' for c in letters)
    for number in range(3, 1048577):
        yield f'<row r="{number}">{empty.replace("%d", str(number))}</row>'.encode()
    yield b"</sheetData>"


_ODS = "urn:oasis:names:tc:opendocument:xmlns"


def ods(path: Path, rows: Iterable[str], *, encrypted: bool = False) -> Path:
    """An OpenDocument sheet of `ods_row`s."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        package.writestr(
            "META-INF/manifest.xml",
            f'<m:manifest xmlns:m="{_ODS}:manifest:1.0"><m:file-entry m:full-path="content.xml">'
            f"{'<m:encryption-data/>' if encrypted else ''}</m:file-entry></m:manifest>",
        )
        package.writestr(
            "content.xml",
            f'<office:document-content xmlns:office="{_ODS}:office:1.0" '
            f'xmlns:table="{_ODS}:table:1.0" xmlns:text="{_ODS}:text:1.0"><office:body>'
            f'<office:spreadsheet><table:table table:name="表一">{"".join(rows)}</table:table>'
            "</office:spreadsheet></office:body></office:document-content>",
        )
    return path


def ods_row(*cells: str | float, times: int = 1, blanks: int = 0) -> str:
    """A row of text and numbers, `blanks` empty cells behind them, repeated `times`."""
    said = "".join(
        f'<table:table-cell office:value-type="string"><text:p>{c}</text:p></table:table-cell>'
        if isinstance(c, str)
        else f'<table:table-cell office:value-type="float" office:value="{c}"/>'
        for c in cells
    )
    if blanks:
        said += f'<table:table-cell table:number-columns-repeated="{blanks}"/>'
    return f'<table:table-row table:number-rows-repeated="{times}">{said}</table:table-row>'
