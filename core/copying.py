"""Many rows at once: COPY on PostgreSQL, statements of many rows elsewhere.

::

    insert_all(units)                            # new objects of one model, which get their ids
    update_all(units, ["name", "updated_at"])    # known ones; locked and re-read before
    insert_columns(AreaHistory, ["name", …], […])  # without objects: a list for each field
    insert_rows(AuditEvent, ["chain", …], rows)  # the same row by row, taken as they come

Like `bulk_create` this calls no `save` and sends no signal: stamp placed facts first. It raises
Django's own `IntegrityError`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from itertools import islice
from operator import attrgetter, itemgetter
from typing import Any, TypeVar
from uuid import UUID

from django.db import OperationalError, connection, models
from django.db.models.base import ModelState
from django.utils import timezone

M = TypeVar("M", bound=models.Model)
_CHUNK = 500  # rows turned into text at a time
_INSERTED = 500  # rows an INSERT, where there is no COPY
_UNSAFE = re.compile(r"[\\\t\n\r]")
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
_PLAIN = {int, float}
_WRITTEN = (str, int, float, Decimal, UUID)  # PostgreSQL reads them as Python writes them


def maker(model: type[M]) -> Callable[..., M]:
    """A function that makes new objects from values by attribute (`area_id`, not `area`), with the
    model's defaults for the others: a tenth of what calling the model takes. The defaults are
    asked for once, and no signal is sent."""
    blank = {name: _as_read(value) for name, value in model().__dict__.items()}

    def make(**values: Any) -> M:
        made = model.__new__(model)
        made.__dict__ = {**blank, **values, "_state": ModelState()}
        return made

    return make


def _as_read(value: Any) -> Any:
    """A default as it is read back: the words of a choice, not the member of its enumeration."""
    return value.value if isinstance(value, Enum) else value


def insert_all(objects: Sequence[M], dress: Callable[[Sequence[M]], None] | None = None) -> None:
    """Write new objects of one model; each gets its id. All of them or none.

    dress: completes some hundreds of them at a time just before they are written, while the
    database takes in those before. It may not ask the database anything.
    """
    if not objects:
        return
    model = type(objects[0])
    if connection.vendor != "postgresql":
        if dress is not None:
            dress(objects)
        model._base_manager.bulk_create(objects, batch_size=_INSERTED)
        return
    fields = model._meta.concrete_fields
    _set_moments(objects, fields)
    for obj, pk in zip(objects, take_ids(model, len(objects)), strict=True):
        obj.pk = pk
    table = connection.ops.quote_name(model._meta.db_table)
    _copy(table, fields, _in_chunks(objects, fields, dress))
    alias = connection.alias
    for obj in objects:
        obj._state.adding, obj._state.db = False, alias


def update_all(objects: Sequence[models.Model], names: Sequence[str]) -> None:
    """Write the fields `names` of known objects of one model, in one statement on PostgreSQL."""
    if not objects:
        return
    model = type(objects[0])
    if connection.vendor != "postgresql":
        model._base_manager.bulk_update(objects, names, batch_size=_INSERTED)
        return
    fields = [model._meta.pk, *map(model._meta.get_field, names)]
    quote = connection.ops.quote_name
    table, staged = quote(model._meta.db_table), quote(f"staged_{model._meta.db_table}")
    columns = ", ".join(quote(field.column) for field in fields)
    changes = ", ".join(f"{quote(f.column)} = s.{quote(f.column)}" for f in fields[1:])
    key = quote(model._meta.pk.column)
    empty = f"SELECT {columns} FROM {table} LIMIT 0"  # noqa: S608  (names of our own columns)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMP TABLE {staged} ON COMMIT DROP AS {empty}")
        _copy(staged, fields, _in_chunks(objects, fields))
        with connection.wrap_database_errors:
            cursor.execute(
                f"UPDATE {table} t SET {changes} FROM {staged} s WHERE t.{key} = s.{key}"  # noqa: S608
            )
        cursor.execute(f"DROP TABLE {staged}")


def insert_columns(
    model: type[models.Model], names: Sequence[str], columns: Sequence[Sequence[Any]]
) -> None:
    """Write new rows given as one list of values for each of the fields `names`. The other fields
    take what the database gives."""
    if connection.vendor != "postgresql":
        insert_rows(model, names, zip(*columns, strict=True))
        return
    fields = [model._meta.get_field(name) for name in names]
    # In chunks: the database takes in one while the next is turned into text.
    chunks = (
        [column[start : start + _CHUNK] for column in columns]
        for start in range(0, len(columns[0]), _CHUNK)
    )
    _copy(connection.ops.quote_name(model._meta.db_table), fields, chunks)


def insert_rows(
    model: type[models.Model], names: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """The same row by row. They are taken as they come, while the database takes in those before:
    what makes them may not ask it anything."""
    if connection.vendor != "postgresql":
        made = [model(**dict(zip(names, row, strict=True))) for row in rows]
        model._base_manager.bulk_create(made, batch_size=_INSERTED)
        return
    fields, rows = [model._meta.get_field(name) for name in names], iter(rows)
    some = iter(lambda: list(islice(rows, _CHUNK)), [])
    chunks = (list(zip(*each, strict=True)) for each in some)
    _copy(connection.ops.quote_name(model._meta.db_table), fields, chunks)


def take_ids(model: type[models.Model], count: int) -> list[int]:
    """Ids for rows that name one another before they are written. PostgreSQL alone."""
    with connection.cursor() as cursor:
        # The sequence is looked up once; in the list of columns it would be for each id.
        cursor.execute(
            "SELECT nextval(ids.name) FROM generate_series(1, %s), "
            "(SELECT pg_get_serial_sequence(%s, %s)::regclass AS name OFFSET 0) AS ids",
            [count, model._meta.db_table, model._meta.pk.column],
        )
        return [row[0] for row in cursor.fetchall()]


def _set_moments(objects: Sequence[models.Model], fields: Sequence[models.Field]) -> None:
    """What `auto_now` and `auto_now_add` set as a row is saved: one moment for all."""
    now = timezone.now()
    for field in fields:
        if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
            value = now if isinstance(field, models.DateTimeField) else timezone.localdate(now)
            for obj in objects:
                setattr(obj, field.attname, value)


def _in_chunks(
    objects: Sequence[models.Model],
    fields: Sequence[models.Field],
    dress: Callable[[Sequence[models.Model]], None] | None = None,
) -> Iterator[Sequence[Sequence[Any]]]:
    """The objects' values, field by field."""
    names = [field.attname for field in fields]
    read, ask = itemgetter(*names), attrgetter(*names)
    for start in range(0, len(objects), _CHUNK):
        some = objects[start : start + _CHUNK]
        if dress is not None:
            dress(some)
        try:
            # Past the descriptors, which take half of the time.
            rows = [*map(read, map(vars, some))]
        except KeyError:  # a deferred column
            rows = [*map(ask, some)]
        yield list(zip(*rows, strict=True))


def _copy(
    table: str,
    fields: Sequence[models.Field],
    chunks: Iterator[Sequence[Sequence[Any]]],
) -> None:
    columns = ", ".join(connection.ops.quote_name(field.column) for field in fields)
    statement = f"COPY {table} ({columns}) FROM STDIN"
    prepare = [_preparer(field) for field in fields]
    source = _Chunks(_lines(chunk, prepare) for chunk in chunks)
    with connection.cursor() as cursor, connection.execute_wrapper(_busy):
        try:
            with connection.wrap_database_errors:
                cursor.copy_expert(statement, source)
        except OperationalError as error:
            raise (source.failed or error) from None  # psycopg2 knows it by its words alone


def _busy(execute: Any, sql: str, *args: Any) -> Any:
    """Whatever makes the rows is told at once. Asked in the midst of a COPY, the connection would end it
    as failed, or wait for itself."""
    raise RuntimeError(f"asked of the database while it takes in rows: {sql[:200]}")


class _Chunks:
    """What COPY reads from: each read gives one piece, however long."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self.failed: Exception | None = None  # what went wrong with the making of the rows

    def read(self, size: int = -1) -> bytes:
        try:
            return next(self._pieces, b"")
        except Exception as error:
            self.failed = error
            raise


def _preparer(field: models.Field) -> Callable[[Any], Any] | None:
    """What turns a value of the field into the column's, where that is more than writing it."""
    plain = (
        models.CharField,
        models.IntegerField,
        models.ForeignKey,
        models.DateField,
        models.BooleanField,
        models.DecimalField,
    )
    if isinstance(field, plain) or type(field) is models.TextField:
        return None
    return lambda value: field.get_db_prep_save(value, connection)


def _lines(columns: Sequence[Sequence[Any]], prepare: Sequence[Callable | None]) -> bytes:
    texts = [
        _texts([own(value) for value in column] if own else column)
        for column, own in zip(columns, prepare, strict=True)
    ]
    return ("\n".join(map("\t".join, zip(*texts, strict=True))) + "\n").encode()


def _texts(values: Sequence[Any]) -> Sequence[str]:
    """A column as COPY reads it."""
    kinds = {*map(type, values)}
    if kinds == {str}:
        if _UNSAFE.search("".join(values)):
            return [value.translate(_ESCAPES) for value in values]
        return values
    if kinds == {type(None)}:
        return [r"\N"] * len(values)
    if kinds <= _PLAIN:
        return list(map(str, values))
    if kinds == {datetime} or kinds == {date}:  # mostly one moment for all
        said = {value: value.isoformat() for value in {*values}}
        return [said[value] for value in values]
    return list(map(_text, values))


def _text(value: Any) -> str:
    if value is None:
        return r"\N"
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, _WRITTEN):
        return str(value).translate(_ESCAPES)
    raise TypeError(f"{type(value).__name__} is not written by COPY yet")
