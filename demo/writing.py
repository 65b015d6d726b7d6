"""Rows into tables as fast as the engine takes them, through the models' own definitions.

`Table(Item)` takes values by field name, fills in what a new instance would have (defaults,
stamps of the place), checks nothing itself — the database's constraints do — and writes by COPY
on PostgreSQL, by multi-row INSERT elsewhere. Ids are given here, so that rows may name one
another before they are written.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Any

from django.core.management.color import no_style
from django.db import connection, models
from django.db.models.fields import NOT_PROVIDED
from django.utils import timezone

BATCH = 20_000
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class Table:
    """New rows for one model. `add(**values)` returns the id that the row will have."""

    def __init__(self, model: type[models.Model]) -> None:
        self.model = model
        self.fields = list(model._meta.concrete_fields)
        self.columns = [f.column for f in self.fields]
        self._names = {f.attname: n for n, f in enumerate(self.fields)}
        self._names.update({f.name: n for n, f in enumerate(self.fields)})
        self._prepare = [_preparer(f) for f in self.fields]
        self._defaults = [_default(f) for f in self.fields]
        self._rows: list[list[Any]] = []
        self._next = (model._base_manager.aggregate(top=models.Max("pk"))["top"] or 0) + 1
        self.written = 0

    def add(self, **values: Any) -> int:
        row = [d() if callable(d) else d for d in self._defaults]
        pk = values.pop("id", None)
        if pk is None:
            pk = self.reserve()
        for name, value in values.items():
            row[self._names[name]] = value
        row[self._names["id"]] = pk
        self._rows.append(row)
        if len(self._rows) >= BATCH:
            self.flush()
        return pk

    def reserve(self) -> int:
        """An id for a row that is added later, with `id=`, when what it sums up is known."""
        pk, self._next = self._next, self._next + 1
        return pk

    def flush(self) -> None:
        """Write what has been added so far."""
        rows, self._rows = self._rows, []
        if not rows:
            return
        ready = (
            [p(v) if p else v for p, v in zip(self._prepare, row, strict=True)] for row in rows
        )
        if connection.vendor == "postgresql":
            self._copy(ready)
        else:
            self._insert(list(ready))
        self.written += len(rows)

    def close(self) -> None:
        """Flush, and let the table's own numbering go on after these ids."""
        self.flush()
        with connection.cursor() as cursor:
            for statement in connection.ops.sequence_reset_sql(no_style(), [self.model]):
                cursor.execute(statement)

    def _copy(self, rows: Iterable[list[Any]]) -> None:
        names = ", ".join(connection.ops.quote_name(c) for c in self.columns)
        table = connection.ops.quote_name(self.model._meta.db_table)
        with connection.cursor() as cursor:
            cursor.copy_expert(f"COPY {table} ({names}) FROM STDIN", _Lines(_line(r) for r in rows))

    def _insert(self, rows: list[list[Any]]) -> None:
        names = ", ".join(connection.ops.quote_name(c) for c in self.columns)
        table = connection.ops.quote_name(self.model._meta.db_table)
        marks = ", ".join(["%s"] * len(self.columns))
        with connection.cursor() as cursor:
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)  # noqa: S608


class _Lines(io.RawIOBase):
    """A generator of text lines as the file that COPY reads from."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines, self._left = lines, b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        parts, length = [self._left], len(self._left)
        while length < size or size < 0:
            line = next(self._lines, None)
            if line is None:
                break
            data = line.encode()
            parts.append(data)
            length += len(data)
        data = b"".join(parts)
        if size < 0:
            self._left = b""
            return data
        self._left = data[size:]
        return data[:size]


def _line(row: list[Any]) -> str:
    return "\t".join([_text(v) for v in row]) + "\n"


def _text(value: Any) -> str:
    if value is None:
        return "\\N"
    if value is True:
        return "t"
    if value is False:
        return "f"
    if isinstance(value, str):
        return value.translate(_ESCAPES)
    return str(value)


def _default(field: models.Field) -> Any:
    if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
        return timezone.now()
    if field.default is not NOT_PROVIDED:
        return field.default  # called anew for each row when callable
    if field.null:
        return None
    return "" if isinstance(field, models.CharField | models.TextField) else None


def _preparer(field: models.Field):
    """What turns a value into the column's own; None where plain values pass as they are."""
    while isinstance(field, models.ForeignKey):  # its values are those of the key it points to
        field = field.target_field
    plain = (models.CharField, models.IntegerField, models.AutoField, models.BooleanField)
    if connection.vendor == "postgresql":
        plain += (models.DateField, models.DecimalField, models.TimeField)
    if type(field).get_db_prep_save is models.Field.get_db_prep_save and isinstance(field, plain):
        return None
    return lambda value: field.get_db_prep_save(value, connection)
