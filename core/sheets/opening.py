"""Opens a file that somebody sent: xlsx, xls, ods or csv, recognised by what is in it.

::

    for sheet in open_book(path):          # Sheet(name, visible, merged)
        for number, cells in sheet.rows: …   # raw cells, blank rows left out

Workbooks are parsed in a process of their own with a cap on memory and time (`_open.py`): the
file comes from outside, and the parser answers some damaged files with an abort. Everything
that cannot be read raises `Refused` with a sentence that says what to do.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import struct
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import structlog

from core.errors import Refused
from core.sheets.text import unquoted

log = structlog.get_logger(__name__)

_MB = 1024 * 1024
_PROGRAM = Path(__file__).with_name("_open.py")
_ZIP, _CFB = b"PK\x03\x04", bytes.fromhex("d0cf11e0a1b11ae1")
_BOF, _FILEPASS = re.compile(rb"\x09\x08[\x08\x10]\0\0[\x05\x06]\x05\0"), 0x2F  # BIFF5 and BIFF8
_OTHER_FILES = {
    b"%PDF": "PDF 文件",
    b"\x89PNG": "图片",
    b"\xff\xd8\xff": "图片",
    b"Rar!": "压缩包",
    b"7z\xbc\xaf": "压缩包",
}
_SAVE_AS = "请在 Excel 或 WPS 中打开它，另存为“Excel 工作簿（.xlsx）”后重新上传。"


@dataclass(frozen=True)
class Limits:
    """What one uploaded table may cost. Sizes in bytes, `seconds` of processor time."""

    size: int = 20 * _MB
    unpacked: int = 400 * _MB
    ratio: int = 200  # packed to unpacked; real sheets reach some 40, bombs 1,000
    rows: int = 100_000
    columns: int = 256
    memory: int = 256 * _MB
    seconds: int = 5
    text: int = 100 * _MB  # of what the parser hands over
    lines: int = 1_100_000  # of a csv, blank ones too: no program keeps more rows in a sheet


LIMITS = Limits()


class Sheet(NamedTuple):
    """One sheet, `width` columns wide. `merged` are ranges (first row, first column, last row,
    last column) from 0.

    Read `rows` to its end before asking for the next sheet: both come from one stream.
    """

    name: str
    visible: bool
    width: int
    merged: list[tuple[int, int, int, int]]
    rows: Iterator[tuple[int, list[Any]]]


def open_book(path: Path | str, *, hidden: bool = False, limits: Limits = LIMITS):
    """The sheets of a table file, in order. `hidden`: the hidden ones too."""
    path = Path(path)
    if recognise(path, limits) == "csv":
        yield Sheet("", visible=True, width=0, merged=[], rows=_csv_rows(path, limits))
    else:
        yield from _book_sheets(path, hidden, limits)


def recognise(path: Path, limits: Limits = LIMITS) -> str:
    """``xlsx``, ``xls``, ``ods`` or ``csv`` by content; `Refused` for anything else."""
    size = path.stat().st_size
    if size == 0:
        raise Refused("文件是空的，请检查后重新上传。")
    if size > limits.size:
        raise Refused(
            f"文件有 {size / _MB:.1f} MB，超过上限 {limits.size // _MB} MB。"
            "请删除表中的图片和多余的格式，或分成几个文件上传。"
        )
    with path.open("rb") as file:
        head = file.read(4096)
    if head.startswith(_ZIP):
        return _recognise_zip(path, limits)
    if head.startswith(_CFB):
        if _is_locked(path.read_bytes()):
            raise _encrypted()
        return "xls"
    for magic, name in _OTHER_FILES.items():
        if head.startswith(magic):
            raise Refused(f"这是{name}，不是表格。请上传 xlsx、xls、ods 或 csv 文件。")
    start = head.removeprefix(codecs.BOM_UTF8).lstrip()[:256].lower()
    if start.startswith((b"<", b"mime-version:")):  # many systems call a web page .xls
        raise Refused("这个文件实际是网页格式，只是扩展名像表格。" + _SAVE_AS)
    if b"\0" in head and not head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise Refused("这不是表格文件。请上传 xlsx、xls、ods 或 csv 文件。")
    return "csv"


def _is_locked(container: bytes) -> bool:
    """Whether a compound file hides an encrypted xlsx, or an xls with a FILEPASS record."""
    if "EncryptedPackage".encode("utf-16-le") in container:
        return True
    begin = _BOF.search(container)
    place = begin.start() if begin else len(container)
    for _ in range(8):  # FILEPASS comes within the first records of the workbook
        if place + 4 > len(container):
            return False
        kind, length = struct.unpack_from("<HH", container, place)
        if kind == _FILEPASS:
            return True
        place += 4 + length
    return False


def _recognise_zip(path: Path, limits: Limits) -> str:
    try:
        with zipfile.ZipFile(path) as package:
            parts = package.infolist()
            manifest = "META-INF/manifest.xml"
            locked = any(part.flag_bits & 1 for part in parts) or (
                manifest in package.namelist()
                and package.getinfo(manifest).file_size < _MB
                and b"encryption-data" in package.read(manifest)
            )
    except (zipfile.BadZipFile, zipfile.LargeZipFile, OSError, ValueError, EOFError) as error:
        raise _damaged() from error
    unpacked = sum(part.file_size for part in parts)
    bomb = any(
        part.file_size > 10 * _MB and part.file_size > limits.ratio * max(part.compress_size, 1)
        for part in parts
    )
    if bomb or unpacked > limits.unpacked or len(parts) > 10_000:
        raise Refused(
            "文件解开后过大，不能读取。请只保留要导入的工作表，删除多余的行、列和格式后重新上传。"
        )
    if locked:
        raise _encrypted()
    names = {part.filename for part in parts}
    if "xl/workbook.xml" in names:
        return "xlsx"
    if "xl/workbook.bin" in names:
        raise Refused("暂不支持 xlsb 格式。" + _SAVE_AS)
    if "content.xml" in names and not any(name.startswith("word/") for name in names):
        return "ods"
    raise Refused("这不是表格文件。请上传 xlsx、xls、ods 或 csv 文件。")


def _book_sheets(path: Path, hidden: bool, limits: Limits) -> Iterator[Sheet]:
    ask = orjson.dumps({**asdict(limits), "hidden": hidden}).decode()
    program = subprocess.Popen(  # noqa: S603  (our own program; the path is one argument)  # nosec B603
        [sys.executable, "-I", _PROGRAM, path, ask],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        close_fds=True,
    )
    try:
        lines = _Lines(program.stdout, limits)
        while (about := lines.next_sheet()) is not None:
            yield Sheet(
                about["sheet"],
                about["visible"],
                about["width"],
                [tuple(box) for box in about["merged"]],
                lines.rows(),
            )
    finally:
        program.kill()
        program.stdout.close()
        program.wait()


class _Lines:
    """The child's lines: a header of a sheet, its rows, the next header … and the end mark."""

    def __init__(self, stream, limits: Limits) -> None:
        self.stream, self.limits = stream, limits
        self.waiting: Any = None
        self.taken = 0

    def next_sheet(self) -> dict | None:
        for _row in self.rows():  # what the caller left unread
            pass
        about, self.waiting = self.waiting, None
        return None if "end" in about else about

    def rows(self) -> Iterator[tuple[int, list[Any]]]:
        while self.waiting is None:
            line = self.stream.readline()
            self.taken += len(line)
            if self.taken > self.limits.text:
                raise _too_much("text", self.limits)
            try:
                said = orjson.loads(line)
            except orjson.JSONDecodeError as error:  # it ended without saying so: parser or limits
                log.warning("sheet_reader_died")
                raise _damaged() from error
            if isinstance(said, list):
                for number, cells in said:
                    if dict in map(type, cells):
                        yield number, [_cell(c) if type(c) is dict else c for c in cells]
                    else:
                        yield number, cells
                continue
            if "refused" in said:
                raise _too_much(said["refused"], self.limits)
            self.waiting = said


def _cell(said: dict[str, Any]) -> Any:
    if "p" in said:
        return timedelta(seconds=said["p"])
    if "t" in said:
        return time.fromisoformat(said["t"])
    moment = said["d"]
    return datetime.fromisoformat(moment) if "T" in moment else date.fromisoformat(moment)


def _too_much(what: str, limits: Limits) -> Refused:
    if what == "encrypted":
        return _encrypted()
    if what == "text":
        return Refused("表中的文字过多，不能读取。请只保留要导入的列，或分成几个文件上传。")
    if what == "rows":
        return Refused(f"表格超过 {limits.rows} 行，请分成几个文件上传。")
    return Refused(f"表格超过 {limits.columns} 列，请删除右侧多余的列后重新上传。")


def _encrypted() -> Refused:
    return Refused("文件设有密码，系统不能打开。请取消密码后重新上传。")


def _damaged() -> Refused:
    return Refused(
        "文件已损坏，或在很远的单元格里有内容，不能读取。请把要导入的内容复制到新下载的模板中再上传。"
    )


def _csv_rows(path: Path, limits: Limits) -> Iterator[tuple[int, list[Any]]]:
    text = decode(path.read_bytes())
    if text.count("\n") + text.count("\r") > 2 * limits.lines:  # a line may end in both
        raise _too_much("rows", limits)
    lines = _CsvLines(text, _delimiter(text), limits)
    rows = csv.reader(lines, delimiter=lines.delimiter, strict=True)
    found = 0
    try:
        for number, cells in enumerate(rows, start=1):
            lines.marks = 0
            while cells and not cells[-1].strip():
                cells.pop()
            if not cells:
                continue
            found += 1
            if found > limits.rows:
                raise _too_much("rows", limits)
            if len(cells) > limits.columns:
                raise _too_much("columns", limits)
            yield number, [unquoted(cell) if cell.strip() else None for cell in cells]
    except csv.Error as error:
        raise Refused(
            f"第 {rows.line_num} 行附近的引号不成对，不能分辨各列。请改正，或另存为 xlsx 后上传。"
        ) from error


class _CsvLines:
    """The lines of a csv, none of which makes a row of millions of cells before it is refused.
    `marks`: delimiters since the last whole row; texts may hold some too."""

    def __init__(self, text: str, delimiter: str, limits: Limits) -> None:
        self.delimiter, self.limits = delimiter, limits
        self.marks = 0
        self._lines = io.StringIO(text, newline="")

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.marks += line.count(self.delimiter)
        if self.marks > 50 * self.limits.columns:
            raise _too_much("columns", self.limits)
        return line


def decode(data: bytes) -> str:
    """CSV bytes as text: a byte order mark is believed, then UTF-8, then GBK (as GB 18030).

    The order is safe: Chinese in GBK is next to never valid UTF-8. What is neither is refused
    rather than read with signs missing.
    """
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if data.startswith(mark):
            tries: tuple[str, ...] = (encoding,)
            break
    else:
        tries = ("utf-8", "gb18030")
    for encoding in tries:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Refused("不能识别文件的文字编码。请另存为 xlsx，或编码为 UTF-8 的 csv 后重新上传。")


def _delimiter(text: str) -> str:
    """Comma, tab or semicolon: whichever the first lines hold most of."""
    start = text[:4096]
    return max(",\t;", key=start.count)
