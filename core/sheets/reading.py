"""The table in a file: finds the sheet and the header, keeps the columns asked for.

::

    table = read_table(path, ["单位名称", Wanted("所在社区代码", aliases=("社区代码",))])
    for row in table.rows:
        row.number, row["单位名称"]         # the row as Excel counts it, tidy text
        row.raw("登记日期")                 # the cell itself, for `text.to_date` and its like

A table is what people send: title lines above the header, headers over two merged rows, merged
cells in the body, hidden sheets, a sheet 填表说明, blank rows, and 填报单位 … at the foot.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from core.errors import Refused
from core.sheets.opening import LIMITS, Limits, Sheet, open_book
from core.sheets.text import compact, to_text

ERRORS = "错误信息"  # the column that `checking.errors_workbook` adds; never data
HELP = "填表说明"
_SEAM = "\x1f"  # between a group's name and its column's
_HEADER_ROWS = 40  # a header further down is not looked for
_KNOWN = 5000  # texts
_MERGES = 50_000  # merged ranges, and
_FILL = 1_000_000  # cells that they fill, before the file is refused
_FOOT = re.compile(
    r"(?:(?:填报|填表|制表|报送|经办|审核|审批|.{0,6}负责)(?:单位|部门|人|日期|时间)|日期|备注|注|说明)"
    r"(?:[（(].{0,8}[)）])?[:：].*|(?:合计|总计|小计)[:：]?"
)
_FOOT_SIGN = re.compile("[:：计]")  # none without one of these


@dataclass(frozen=True)
class Wanted:
    """A column to look for by its header. `group` is the header above it, where there is one;
    `aliases` are other names it goes by."""

    name: str
    required: bool = True
    aliases: tuple[str, ...] = ()
    group: str = ""

    @property
    def label(self) -> str:
        """What rows and messages call it: with its group, since names below groups recur."""
        return self.group + self.name

    def spellings(self, shared: set[str]) -> list[str]:
        """Ways the header may be written, best first: below its group, the name before its aliases
        in their order (of 所在社区代码 and 所在社区 side by side the first is meant)."""
        group = _key(self.group)
        grouped = [f"{group}{seam}{name}" for seam in (_SEAM, "") for name in self._names()]
        return [*(grouped if group else []), *self.bare(shared)]

    def bare(self, shared: set[str]) -> list[str]:
        """Those without the group; a name that several columns share only counts below it."""
        return [name for name in self._names() if name not in shared]

    def _names(self) -> list[str]:
        return [_key(name) for name in (self.name, *self.aliases)]


class Row:
    """One row of the table. `number` is the row's as the program shows it."""

    __slots__ = ("_cells", "_places", "number")

    def __init__(self, number: int, cells: list[Any], places: dict[str, int]) -> None:
        self.number, self._cells, self._places = number, cells, places

    def raw(self, name: str) -> Any:
        """The cell as the file has it; None if it is empty or the file lacks the column."""
        place = self._places.get(name)
        return None if place is None else self._cells[place]

    def __getitem__(self, name: str) -> str:
        return to_text(self._cells[self._places[name]]) if name in self._places else ""


@dataclass
class Table:
    """What was read.

    header: number of the (lower) header row. places: where each column was found, from 0.
    width: columns in use. errors_at: place of a column 错误信息 from an earlier round.
    unknown: headers that nobody asked for. missing: optional columns that the file lacks.
    """

    sheet: str
    header: int
    rows: list[Row]
    places: dict[str, int]
    width: int
    errors_at: int | None = None
    unknown: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def column(self, name: str) -> list[Any]:
        """The `raw` cells of a column, row by row."""
        place = self.rows[0]._places.get(name) if self.rows else None
        return [None if place is None else row._cells[place] for row in self.rows]


@dataclass
class _Header:
    """A header found: its last row, each wanted column's place, where in the sheet it is."""

    bottom: int
    places: dict[str, int]
    unknown: list[str]
    absent: list[Wanted]
    repeated: list[str]
    errors_at: int | None
    width: int

    @property
    def rank(self) -> tuple[int, int]:
        return len(self.places), -len(self.repeated)

    @property
    def lacking(self) -> list[str]:
        return [wanted.label for wanted in self.absent if wanted.required]


def read_table(
    path: Path | str, columns: Iterable[str | Wanted], *, limits: Limits = LIMITS
) -> Table:
    """The one table of the file that has `columns` (all of them required unless `Wanted` says
    otherwise). Raises `Refused` when the file, its header or the choice among its sheets is not
    clear. Cells are not judged here: that is `checking`'s part."""
    wanted = [c if isinstance(c, Wanted) else Wanted(c) for c in columns]
    found: list[Table] = []
    nearest: tuple[str, _Header] | None = None
    for sheet in open_book(path, limits=limits):
        if _key(sheet.name).startswith(HELP):
            continue
        header, table = _read_sheet(sheet, wanted)
        if table is not None:
            found.append(table)
        elif header is not None and (nearest is None or header.rank > nearest[1].rank):
            nearest = sheet.name, header
    if len(found) > 1:
        names = "、".join(f"“{table.sheet}”" for table in found)
        raise Refused(f"工作表{names}都有要导入的表头，请合并到一张工作表后重新上传。")
    if not found:
        raise _no_header(wanted, nearest)
    if not found[0].rows:
        raise Refused(f"第 {found[0].header} 行是表头，下面没有数据。请填写后重新上传。")
    return found[0]


def _no_header(wanted: Sequence[Wanted], nearest: tuple[str, _Header] | None) -> Refused:
    if nearest is None:
        names = "、".join(f"“{w.label}”" for w in wanted if w.required)
        return Refused(f"没有找到表头。表中应有这些列：{names}。请下载模板对照后重新上传。")
    sheet, header = nearest
    where = f"工作表“{sheet}”第 {header.bottom} 行" if sheet else f"第 {header.bottom} 行"
    if header.repeated:
        names = "、".join(f"“{name}”" for name in header.repeated)
        return Refused(f"{where}的表头中，{names}重复出现。每列只能有一个，请删除多余的列。")
    names = "、".join(f"“{name}”" for name in header.lacking)
    return Refused(f"{where}像是表头，但缺少{names}。请下载模板对照后重新上传。")


def _read_sheet(sheet: Sheet, wanted: Sequence[Wanted]) -> tuple[_Header | None, Table | None]:
    top: list[tuple[int, list[Any]]] = []
    merged = _Merged(sheet.merged, sheet.width)
    rows = sheet.rows
    for number, cells in rows:
        top.append((number, merged.fill(number, cells)))
        if len(top) >= _HEADER_ROWS:
            break
    header = _find_header(top, wanted, merged)
    if header is None or header.lacking or header.repeated:
        return header, None
    index = {name: place for place, name in enumerate(header.places)}
    sources = list(header.places.values())
    table = Table(
        sheet.name,
        header.bottom,
        [],
        header.places,
        max(header.width, sheet.width),
        header.errors_at,
        unknown=header.unknown,
        missing=[w.label for w in header.absent],
    )

    def below():
        yield from ((number, cells) for number, cells in top if number > header.bottom)
        for number, cells in rows:
            yield number, merged.fill(number, cells)

    foot = 0
    known: dict[str, str] = {}
    for number, cells in below():
        table.width = max(table.width, len(cells))
        if _is_foot(cells):
            foot = foot or number
            continue
        kept = _kept(cells, sources, known)
        filled = len(kept) - kept.count(None)
        if foot and filled > 1:
            raise Refused(
                f"第 {foot} 行是落款或合计，第 {number} 行却还有数据。"
                "请把数据移到落款之上，或把两张表分开上传。"
            )
        if filled and not foot:
            table.rows.append(Row(number, kept, index))
    return header, table


def _kept(cells: list[Any], sources: list[int], known: dict[str, str]) -> list[Any]:
    """The cells of the wanted columns. A text that comes often is one object, of those in `known`."""
    if len(known) > _KNOWN:
        known.clear()
    kept = [cells[place] if place < len(cells) else None for place in sources]
    return [known.setdefault(cell, cell) if type(cell) is str else cell for cell in kept]


def _find_header(
    top: list[tuple[int, list[Any]]], wanted: Sequence[Wanted], merged: _Merged
) -> _Header | None:
    """The row, or pair of rows, in which most of the wanted columns are found."""
    best: _Header | None = None
    pairs = [((0, []), row) for row in top[:1]] + list(pairwise(top))
    for (above_number, above), (number, cells) in pairs:
        names = [_key(to_text(c)) for c in cells]
        tries = [names]
        if above_number == number - 1:
            groups = [_key(to_text(c)) for c in above]
            if not merged.reaches(above_number):  # ODS tells of no merges: blanks continue a group
                groups = _continued(groups, names)
            tries.append(_joined(groups, names))
        for heads in tries:
            header = _match(heads, wanted, merged.bottom_of(number))
            if header.places and (best is None or header.rank > best.rank):
                best = header
    return best


def _match(heads: list[str], wanted: Sequence[Wanted], bottom: int) -> _Header:
    places: dict[str, int] = {}
    used: set[int] = set()
    absent, repeated = [], []
    times = Counter(_key(want.name) for want in wanted)
    shared = {name for name, count in times.items() if count > 1}
    own = [head.rpartition(_SEAM)[2] for head in heads]  # below a group that the file added
    for want in wanted:
        hits: list[int] = []
        ways = [
            *((heads, name) for name in want.spellings(shared)),
            *((own, name) for name in want.bare(shared)),
        ]
        for row, name in ways:
            hits = [place for place, head in enumerate(row) if head == name]
            if hits:
                break
        if not hits:
            absent.append(want)
            continue
        if len(hits) > 1:
            repeated.append(want.label)  # which of them is meant, nobody can tell
        places[want.label] = hits[0]
        used.update(hits)
    unknown = [
        head.replace(_SEAM, "")
        for i, head in enumerate(heads)
        if head and i not in used and head not in (ERRORS, "序号")
    ]
    errors_at = heads.index(ERRORS) if ERRORS in heads else None
    return _Header(bottom, places, unknown, absent, repeated, errors_at, len(heads))


def _joined(groups: list[str], names: list[str]) -> list[str]:
    """Two header rows as one: a column's own name, under its group's where that differs."""
    width = max(len(groups), len(names))
    groups = groups + [""] * (width - len(groups))
    names = names + [""] * (width - len(names))
    return [
        name if not group or group == name else f"{group}{_SEAM}{name}" if name else group
        for group, name in zip(groups, names, strict=True)
    ]


def _continued(groups: list[str], names: list[str]) -> list[str]:
    filled, last = [], ""
    for index, name in enumerate(names):
        own = groups[index] if index < len(groups) else ""
        last = own or (last if name else "")
        filled.append(last)
    return filled + groups[len(names) :]


def _key(text: str) -> str:
    """A header as it is compared: width, blanks, brackets of a hint and stars do not count."""
    return re.sub(r"\((?:必填|选填|可不填)\)|[*:]", "", compact(text))


def _is_foot(cells: list[Any]) -> bool:
    first = cells[0] if cells else None
    if first is None:
        first = next((cell for cell in cells if cell is not None), None)
    if not isinstance(first, str) or not _FOOT_SIGN.search(first):
        return False  # most rows, which need not be cleared of blanks
    return bool(_FOOT.fullmatch("".join(first.split())))


class _Merged:
    """Merged ranges, which hold their value in the first cell only: gives it to the others.

    Rows are asked for in order, so only the ranges open at the row are kept at hand.
    """

    def __init__(self, ranges: list[tuple[int, int, int, int]], width: int) -> None:
        if len(ranges) > _MERGES:
            raise _too_merged()
        self.ranges = ranges
        self.coming = sorted((r for r in ranges if r[0] != r[2] or r[1] != r[3]), reverse=True)
        self.open: list[tuple[int, int, int, Any]] = []  # last row, first, last column, value
        self.width = width
        self.filled = 0

    def fill(self, number: int, cells: list[Any]) -> list[Any]:
        if not self.coming and not self.open:
            return cells
        row = number - 1
        self.open = [box for box in self.open if box[0] >= row]
        while self.coming and self.coming[-1][0] <= row:
            first_row, left, last_row, right = self.coming.pop()
            if first_row == row and left < len(cells) and cells[left] is not None:
                self.open.append((last_row, left, min(right, self.width - 1), cells[left]))
        for _, left, right, value in self.open:
            cells.extend([None] * (right + 1 - len(cells)))
            for place in range(left, right + 1):
                if cells[place] is None:
                    cells[place] = value
            self.filled += right - left + 1
        if self.filled > _FILL:
            raise _too_merged()
        return cells

    def reaches(self, number: int) -> bool:
        """Whether any range touches the row: then the file tells of merges."""
        return any(box[0] <= number - 1 <= box[2] for box in self.ranges)

    def bottom_of(self, number: int) -> int:
        """The last row of a header that stands in row `number`, by the ranges that start there."""
        return max([number, *(box[2] + 1 for box in self.ranges if box[0] == number - 1)])


def _too_merged() -> Refused:
    return Refused("表中合并的单元格过多，不能读取。请取消合并后重新上传。")
