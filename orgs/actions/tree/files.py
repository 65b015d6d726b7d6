"""A file of divisions: its lines, and what is wrong with each."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from core.errors import Refused
from orgs.actions.tree import rules
from orgs.enums import AreaKind, AreaState

COLUMNS = ("code", "name", "kind", "parent_code")
MOST_BYTES = 32 * 2**20  # a city of 52,000 nodes has some 4 MB
_KINDS = set(AreaKind.values)


class Line(NamedTuple):
    """One line: its number in the file and its four values, trimmed."""

    number: int
    code: str
    name: str
    kind: str
    parent_code: str


class Bad(NamedTuple):
    """What is wrong with one line. `column` is out of `COLUMNS`, or empty: the line as a whole."""

    line: int
    column: str
    value: str
    reason: str

    def __str__(self) -> str:
        shown = "".join(c if c.isprintable() else "�" for c in self.value[:40])
        value = f"“{shown}”" if shown else "（空）"
        column = f"，{self.column} 列 {value}" if self.column else ""
        return f"第 {self.line} 行{column}：{self.reason}"


class BadFile(Refused):
    """The whole file is refused; `bad` names every line at fault, in the order of the file."""

    def __init__(self, bad: list[Bad]) -> None:
        super().__init__(f"文件有 {len(bad)} 处错误，没有导入任何内容。请改正后重新导入。")
        self.bad = sorted(bad)


class Known(NamedTuple):
    """A node that is in the tree already."""

    pk: int
    code: str
    name: str
    kind: str
    parent_id: int | None
    state: str


def read_lines(path: Path) -> list[Line]:
    """The lines of a CSV file in UTF-8 (with or without BOM) or GBK. Raises `BadFile`."""
    if path.stat().st_size > MOST_BYTES:
        raise BadFile([Bad(1, "", "", f"文件超过 {MOST_BYTES // 2**20} MB，不像是区划表")])
    reader = csv.reader(io.StringIO(_text(path.read_bytes()), newline=""), strict=True)
    lines, bad, places, number = [], [], None, 1
    try:
        for cells in reader:
            start, number = number, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if places is None:
                places = _places(cells, start)
                width = len(cells)
            elif len(cells) != width:
                bad.append(Bad(start, "", "", f"应有 {width} 列，这里有 {len(cells)} 列"))
            else:
                lines.append(Line(start, *(cells[place].strip() for place in places)))
    except csv.Error as error:
        raise BadFile([Bad(number, "", "", f"引号或分隔不成对，读不下去（{error}）")]) from error
    if bad:
        raise BadFile(bad + list(faults(lines, {})) if lines else bad)
    if not lines:
        raise BadFile([Bad(1, "", "", "文件里没有数据；第一行应是列名 " + ",".join(COLUMNS))])
    return lines


def faults(lines: list[Line], known: Mapping[str, Known]) -> Iterator[Bad]:
    """Everything wrong with the lines, given the nodes of these codes that the tree has."""
    named: dict[str, Line] = {}
    for line in lines:
        named.setdefault(line.code, line)
    for line in lines:
        yield from _own_faults(line, named, known.get(line.code))
        if line.kind in _KINDS:
            reason = _parent_fault(line, named, known)
            if reason:
                yield Bad(line.number, "parent_code", line.parent_code, reason)


def _own_faults(line: Line, named: Mapping[str, Line], node: Known | None) -> Iterator[Bad]:
    kind_known = line.kind in _KINDS
    if not kind_known:
        yield Bad(line.number, "kind", line.kind, f"层级只能是 {'、'.join(AreaKind.values)} 之一")
    if node and kind_known and node.kind != line.kind:
        was = AreaKind(node.kind)
        reason = f"库中该代码是{was.label}（{was.value}），层级不能改变"
        yield Bad(line.number, "kind", line.kind, reason)
        kind_known = False
    # A code can be judged a little even where the kind that sets its length is wrong.
    reason = rules.code_fault(line.kind, line.code) if kind_known else rules.digits_fault(line.code)
    first = named[line.code].number
    if not reason and first != line.number:
        reason = f"与第 {first} 行重复"
    if not reason and node and node.state == AreaState.RETIRED:
        reason = "该区划在库中已撤销，不能再导入；新设区划请用新代码"
    if reason:
        yield Bad(line.number, "code", line.code, reason)
    if reason := rules.name_fault(line.name):
        yield Bad(line.number, "name", line.name, reason)


def _parent_fault(line: Line, named: Mapping[str, Line], known: Mapping[str, Known]) -> str | None:
    if not line.parent_code:
        return rules.parent_fault(line.kind, None)
    if line.kind == AreaKind.CITY:
        return rules.parent_fault(line.kind, "")
    parent: Line | Known | None = named.get(line.parent_code) or known.get(line.parent_code)
    if parent is None:
        return "文件里和库中都没有这个代码的区划"
    node = known.get(line.parent_code)
    if node and node.state == AreaState.RETIRED:
        return "这个上级在库中已撤销"
    if parent.kind not in _KINDS:
        return None  # said at the parent's own line
    if reason := rules.parent_fault(line.kind, parent.kind):
        return reason
    if line.code in known:
        return None
    reason = rules.prefix_fault(line.kind, line.code, line.parent_code)
    if not reason or rules.code_fault(line.kind, line.code):  # the latter is said at the code
        return None
    return f"代码 {line.code} {reason}"


def _places(header: list[str], number: int) -> list[int]:
    names = [cell.strip().lower() for cell in header]
    bad = [
        Bad(number, name, "", "列名重复" if name in names else "缺少这一列，第一行应是列名")
        for name in COLUMNS
        if names.count(name) != 1
    ]
    if bad:
        raise BadFile(bad)
    return [names.index(name) for name in COLUMNS]


def _text(raw: bytes) -> str:
    if raw.startswith(b"PK\x03\x04"):
        raise BadFile([Bad(1, "", "", "这是 Excel 工作簿，请另存为 CSV 后再导入")])
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise BadFile([Bad(1, "", "", "文件是 UTF-16 编码，请另存为 UTF-8 的 CSV")])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        broken = error
    # Bytes that read well as UTF-8 for a while are damaged UTF-8; as GBK they would read as
    # other characters without any error.
    before = raw[: broken.start].decode("utf-8-sig")
    if sum("\u4e00" <= c <= "\u9fff" for c in before) < 8:
        try:
            return raw.decode("gb18030")
        except UnicodeDecodeError as error:
            broken = error
    line = raw.count(b"\n", 0, broken.start) + 1
    reason = "这一行有无法识别的字符；文件应是 UTF-8 或 GBK 编码的 CSV"
    raise BadFile([Bad(line, "", "", reason)])
