"""Every row is checked before any is written.

::

    checked = check(path, UnitSheet(), by=user)
    if checked.errors:
        errors_workbook(path, checked, out)      # the same workbook with a column 错误信息
    else:
        write(checked, UnitSheet(), by=user)     # one transaction, one set-based action
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from django.db import transaction
from django.db.models import Model

from core.among import Among
from core.errors import Conflict, Refused
from core.garbage import no_collection
from core.scope import require
from core.sheets.opening import LIMITS, Limits
from core.sheets.reading import Row, Table, read_table
from core.sheets.resources import Ready, SheetField, SheetResource
from core.sheets.text import BadCell, to_text

EMPTY = (None, "")
_TEXTS = frozenset((str, type(None)))
_NAMED = 10  # names of a column that are told
_BATCH = 5000  # rows compared, and values of a column kept at hand, at a time
Told = Callable[[int, int, str], None]  # done, total, what now


class CellError(NamedTuple):
    """One cell that cannot be taken as it is."""

    row: int
    column: str
    value: str
    reason: str


@dataclass
class Checked:
    """What a file would do. `rows` are those without an error; nothing has been written.

    notes: what a person should know although it stops nothing (columns that were not read, codes
    kept as numbers). named: by column, what stands for the names that were written for codes.
    """

    table: Table
    rows: list[Ready] = field(default_factory=list)
    errors: list[CellError] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    named: dict[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def created(self) -> list[Ready]:
        return [row for row in self.rows if row.is_new]

    @property
    def changed(self) -> list[Ready]:
        return [row for row in self.rows if not row.is_new and row.changes]

    @property
    def same(self) -> int:
        return sum(not row.is_new and not row.changes for row in self.rows)

    @property
    def wrong_rows(self) -> int:
        return len({error.row for error in self.errors})

    @property
    def print(self) -> str:
        """A short print of what the good rows would do. Equal prints of one file: what was read
        of the database then and now is the same; a name may come to mean another place."""
        done: list = [(row.number, str(row.pk or ""), row.changes) for row in self.rows]
        if self.named:
            done.append(self.named)
        return hashlib.sha256(orjson.dumps(done)).hexdigest()[:32]


def check(
    path: Path | str,
    resource: SheetResource,
    *,
    by: Any,
    limits: Limits = LIMITS,
    tell: Told | None = None,
) -> Checked:
    """Read the file and hold every row against the resource, within the person's reach.

    tell: called with (done, total, what now) at each step.

    Raises `Refused` when there is no table to check, `PermissionDenied` without the resource's
    right. Costs a fixed number of queries for each 5,000 rows.
    """
    require(by, resource.perm)
    with no_collection():
        return _checked(path, resource, by, limits, tell or _silent)


def _checked(
    path: Path | str, resource: SheetResource, by: Any, limits: Limits, tell: Told
) -> Checked:
    steps = len(resource.columns) + 2
    tell(0, steps, "读取文件")
    table = read_table(path, [column.wanted for column in resource.columns], limits=limits)
    checked = Checked(table)
    if table.unknown:
        checked.notes.append(f"这些列不在模板中，没有读取：{'、'.join(table.unknown)}。")
    keys = _read_cells(table, resource, checked, by, tell)
    tell(steps - 1, steps, "与已有记录核对")
    _find_repeats(keys, resource, checked)
    _compare(resource, checked, by)
    known = {ready.number: ready for ready in checked.rows}
    for problem in resource.check_rows(checked.rows, by):
        said = known[problem.row].values
        column = next((c for c in resource.columns if c.column_name == problem.column), None)
        value = _words(column, said.get(column.attribute)) if column else ""
        checked.errors.append(CellError(problem.row, problem.column, value, problem.reason))
    wrong = {error.row for error in checked.errors}
    checked.rows = [ready for ready in checked.rows if ready.number not in wrong]
    order = {column.column_name: place for place, column in enumerate(resource.columns)}
    checked.errors.sort(key=lambda error: (error.row, order.get(error.column, -1)))
    return checked


def write(checked: Checked, resource: SheetResource, *, by: Any) -> Any:
    """Write what differs, all of it or nothing. Raises `Refused` if there are errors, `Conflict`
    when a row that would be changed is no longer what it was compared with, or a new one is there."""
    if checked.errors:
        raise Refused(f"有 {checked.wrong_rows} 行存在错误，没有写入。请改正后重新上传。")
    new = [ready.values for ready in checked.created]
    changed = [ready.values for ready in checked.changed]
    with transaction.atomic(), no_collection():
        _hold(checked, resource)
        return resource.write(new, changed, by=by)


def _silent(done: int, total: int, what: str) -> None:
    pass


def _read_cells(
    table: Table, resource: SheetResource, checked: Checked, by: Any, tell: Told
) -> dict[int, Any]:
    """Clean every cell, column by column; the key of each row that has one, by its number."""
    rows: list[Row] = table.rows
    values: list[dict[str, Any]] = [{} for _ in rows]
    bad: set[int] = set()
    for step, column in enumerate(resource.columns, start=1):
        name = column.column_name
        tell(step, len(resource.columns) + 2, f"检查{name}")
        if name in table.missing:
            continue
        raws = table.column(name)
        column.widget.prepare(raws, by)
        _note_names(column, checked)
        attribute, read = column.attribute, _Reader(column)
        for said, raw in zip(values, raws, strict=True):
            said[attribute] = read[raw] if type(raw) is str else read.anew(raw)
        wrong = dict(_taken_out(values, attribute, read))
        for place, error in wrong.items():
            quoted = column.widget.quote(raws[place])
            checked.errors.append(CellError(rows[place].number, name, quoted, str(error)))
            bad.add(rows[place].number)
        for place in wrong:
            raws[place] = None
        _note_doubts(rows, raws, column, checked)
    checked.rows = [
        Ready(row.number, said)
        for row, said in zip(rows, values, strict=True)
        if row.number not in bad
    ]
    key = resource.key_field.attribute
    return {row.number: said.get(key) for row, said in zip(rows, values, strict=True)}


class _Reader(dict[str, Any]):
    """What the cells of a column are read as, by their text: most columns say few things often.
    What cannot be read is the `BadCell` that says why, and sets `failed`."""

    def __init__(self, column: SheetField) -> None:
        super().__init__()
        self._read, self.failed = column.read, False

    def __missing__(self, raw: str) -> Any:
        if len(self) > _BATCH:
            self.clear()
        self[raw] = value = self.anew(raw)
        return value

    def anew(self, raw: Any) -> Any:
        try:
            return self._read(raw)
        except BadCell as error:
            self.failed = True
            return error


def _taken_out(
    values: list[dict[str, Any]], attribute: str, read: _Reader
) -> Iterator[tuple[int, BadCell]]:
    """The rows whose cell could not be read, which then have no value there."""
    if read.failed:
        for place, said in enumerate(values):
            if isinstance(said[attribute], BadCell):
                yield place, said.pop(attribute)


def _note_names(column: SheetField, checked: Checked) -> None:
    """What the names in a column of codes were taken for."""
    understood = column.widget.understood()
    if not understood:
        return
    checked.named[column.column_name] = understood
    said = [f"“{text}”为 {words}" for text, words in understood.items()]
    more = f" 等 {len(said)} 个" if len(said) > _NAMED else ""
    checked.notes.append(f"{column.column_name}按名称读取：{'；'.join(said[:_NAMED])}{more}。")


def _note_doubts(rows: list[Row], raws: list[Any], column: SheetField, checked: Checked) -> None:
    """What could be read, and should be looked at: cells that are not text."""
    if _TEXTS.issuperset(map(type, raws)):
        return
    name, doubts = column.column_name, []
    for row, raw in zip(rows, raws, strict=True):
        if type(raw) is str or raw is None:
            continue
        if doubt := column.widget.doubt(raw):
            doubts.append(f"第 {row.number} 行{name}：{doubt}。")
    checked.notes += doubts[:3]
    if len(doubts) > 3:
        checked.notes.append(f"{name}还有 {len(doubts) - 3} 个单元格同样是数值格式。")


def _find_repeats(keys: dict[int, Any], resource: SheetResource, checked: Checked) -> None:
    """One key, one row. A row that is wrong elsewhere still takes its key; one that repeats it is
    compared with nothing."""
    column = resource.key_field
    first: dict[Any, int] = {}
    repeats: set[int] = set()
    for row, key in keys.items():
        if key in EMPTY:
            continue
        before = first.setdefault(key, row)
        if before != row:
            reason = f"与第 {before} 行重复"
            checked.errors.append(CellError(row, column.column_name, _words(column, key), reason))
            repeats.add(row)
    if repeats:
        checked.rows = [ready for ready in checked.rows if ready.number not in repeats]


def _compare(resource: SheetResource, checked: Checked, by: Any) -> None:
    """Mark each row as new, changed or the same; refuse those that others own."""
    key = resource.key_field
    by_key = {ready.values[key.attribute]: ready for ready in checked.rows}
    keys = list(by_key)
    for start in range(0, len(keys), _BATCH):
        for current in resource.existing(keys[start : start + _BATCH]):
            value = getattr(current, key.attribute)
            ready = by_key[value]
            ready.pk = current.pk
            if why := resource.out_of_reach(current, by):
                checked.errors.append(
                    CellError(ready.number, key.column_name, _words(key, value), why)
                )
                continue
            ready.stood = _print_of(current, checked, resource)
            for column in resource.columns:
                if column.attribute not in ready.values:
                    continue
                before, after = column.get_value(current), ready.values[column.attribute]
                if before != after and not (before in EMPTY and after in EMPTY):
                    ready.changes[column.column_name] = (
                        _words(column, before),
                        _words(column, after),
                    )


def _hold(checked: Checked, resource: SheetResource) -> None:
    """Lock the rows that will be changed, always in one order, and see that each still is what it
    was compared with: what somebody else wrote meanwhile is not written over unseen."""
    changed = {ready.pk: ready for ready in checked.changed}
    if not changed:
        return
    held = resource._meta.model._base_manager.select_for_update(of=("self",)).order_by("pk")
    list(held.filter(Among("pk", changed)).values_list("pk"))
    key = resource.key_field.attribute
    found = resource.existing([ready.values[key] for ready in changed.values()])
    now = {row.pk: _print_of(row, checked, resource) for row in found}
    if other := next((r for pk, r in changed.items() if now.get(pk) != r.stood), None):
        raise Conflict(f"第 {other.number} 行的记录刚刚由他人修改，没有写入。请重新检查后再确认。")


def _print_of(current: Model, checked: Checked, resource: SheetResource) -> int:
    """What a registered row says in the columns that the file has."""
    return hash(
        tuple(
            _words(column, column.get_value(current))
            for column in resource.columns
            if column.column_name not in checked.table.missing
        )
    )


def _words(column: SheetField, value: Any) -> str:
    return to_text(column.widget.render(value)) if value not in EMPTY else ""


def messages(errors: Iterable[CellError]) -> dict[int, str]:
    """One line a row: ``统一社会信用代码：校验位不对；单位类别：必填，不能为空``."""
    found: dict[int, list[str]] = {}
    for error in errors:
        said = f"{error.column}：{error.reason}" if error.column else error.reason
        found.setdefault(error.row, []).append(said)
    return {row: "；".join(said) for row, said in found.items()}
