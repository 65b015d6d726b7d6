"""Keyset pagination: the next page starts after the last row's values, whatever its depth.

Rows are ordered by the chosen columns and then by id, so no two share a place and no row is
shown twice or left out while others come and go. Empty values stand last in both directions.
The cursor is the last row's values in the address; it is only ever compared with, never trusted.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any

import orjson
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import F, Field, Model, Q, QuerySet

from core.walks import walked

PAGE_SIZE = 50
COUNT_LIMIT = (
    10_000  # beyond this a page says "more than"; an exact count would cost more than it tells
)


@dataclass(frozen=True)
class Key:
    """One column of an order."""

    path: str
    descending: bool
    nullable: bool
    field: Field

    def ordering(self, *, backwards: bool):
        descending = self.descending != backwards
        nulls = {}
        if self.nullable:
            nulls = {"nulls_first": True} if backwards else {"nulls_last": True}
        return F(self.path).desc(**nulls) if descending else F(self.path).asc(**nulls)

    def empty(self, is_empty: bool = True) -> Q:
        return Q(**{f"{self.path}__isnull": is_empty})

    def ahead(self, value: Any, *, backwards: bool, level: bool = False) -> Q:
        """Rows with a value past this one, or level with it; never the empty ones."""
        lookup = "lt" if self.descending != backwards else "gt"
        return Q(**{f"{self.path}__{lookup}{'e' if level else ''}": value})

    def level(self, value: Any) -> Q:
        return self.empty() if value is None else Q(**{self.path: value})


@dataclass(frozen=True)
class Page:
    """The rows of one page and how to go on. `total` counts up to `COUNT_LIMIT`."""

    rows: list[Model]
    total: int
    more_than_counted: bool
    next: str | None
    previous: str | None


def keys_of(queryset: QuerySet, order: list[str]) -> list[Key]:
    """The columns of an order such as ``["-due_on"]``, with the id as the last of them."""
    keys = [_key(queryset, name) for name in order]
    if not any(k.path in {"pk", "id"} for k in keys):
        # The id follows the first column's direction: one index then serves both ways.
        keys.append(_key(queryset, "-pk" if keys and keys[0].descending else "pk"))
    return keys


def paginate(
    queryset: QuerySet,
    order: list[str],
    *,
    after: str = "",
    before: str = "",
    size: int = PAGE_SIZE,
    limit: int = COUNT_LIMIT,
    total: int | None = None,
    counted: int | None = None,
) -> Page:
    """One page of `queryset` in `order`. Two queries; one when `total` is known already, or what was
    `counted` up to one more than `limit`. One more where the empty values of the first column
    begin, and one or two for a walk (`core.walks`). A cursor that does not fit (another order, a
    mangled link) gives the first page."""
    keys = keys_of(queryset, order)
    more_than_counted = False
    if total is None:
        if counted is None:
            counted = queryset.order_by().values("pk")[: limit + 1].count()
        total, more_than_counted = min(counted, limit), counted > limit
    backwards = False
    values = _decode(after, order, keys)
    if values is None and (values := _decode(before, order, keys)) is not None:
        backwards = True
    ordering = [key.ordering(backwards=backwards) for key in keys]
    rows: list[Model] = []
    dense = None if more_than_counted else total  # of more than are counted the planner knows
    parts = [Q()] if values is None else pieces(keys, values, backwards=backwards)
    for piece in parts if total else []:  # of none the planner may still expect some, far apart
        wanted = size + 1 - len(rows)
        of_piece = queryset.filter(piece).order_by(*ordering)
        met = walked(of_piece, piece, ordering, wanted, dense)
        rows += of_piece[:wanted] if met is None else met
        if len(rows) > size:
            break
    more = len(rows) > size
    rows = rows[:size]
    if backwards:
        rows.reverse()
    has_next, has_previous = (True, more) if backwards else (more, values is not None)
    return Page(
        rows=rows,
        total=total,
        more_than_counted=more_than_counted,
        next=_encode(order, keys, rows[-1]) if rows and has_next else None,
        previous=_encode(order, keys, rows[0]) if rows and has_previous else None,
    )


def ordered(queryset: QuerySet, order: list[str]) -> QuerySet:
    """All rows of `queryset` in the order in which the pages show them."""
    return queryset.order_by(*(k.ordering(backwards=False) for k in keys_of(queryset, order)))


def pieces(keys: list[Key], values: list[Any], *, backwards: bool) -> list[Q]:
    """The rows strictly after (or before) the row with these values in the order of `keys`: the
    pieces of that order, one after the other, each a range that an index can start at. One piece,
    or two where the empty values of the first column stand apart."""
    first, value = keys[0], values[0]
    level = first.level(value) & _past(keys[1:], values[1:], backwards=backwards)
    if value is None:  # the empty ones stand last
        return [level, first.empty(False)] if backwards else [level]
    near = first.ahead(value, backwards=backwards, level=True) & (
        first.ahead(value, backwards=backwards) | level
    )
    return [near, first.empty()] if first.nullable and not backwards else [near]


def _past(keys: list[Key], values: list[Any], *, backwards: bool) -> Q:
    found, level = Q(pk__in=[]), Q()
    for key, value in zip(keys, values, strict=True):
        if value is not None:
            found |= level & key.ahead(value, backwards=backwards)
        if key.nullable and backwards is (value is None):
            found |= level & key.empty(not backwards)
        level &= key.level(value)
    return found


def _key(queryset: QuerySet, name: str) -> Key:
    path = name.removeprefix("-")
    nullable = False
    annotation = queryset.query.annotations.get(path)
    if annotation is not None:
        # Whether an expression can be empty is not declared anywhere: assume that it can.
        return Key(path, name.startswith("-"), True, annotation.output_field)
    model = queryset.model
    field = model._meta.pk
    parts = path.split("__")
    for i, part in enumerate(parts):
        field = model._meta.pk if part == "pk" else model._meta.get_field(part)
        nullable = nullable or field.null
        if i < len(parts) - 1:
            if not field.many_to_one and not field.one_to_one:
                raise FieldDoesNotExist(f"{path}: only forward relations give an order")
            model = field.related_model
    return Key(path, name.startswith("-"), nullable, field)


def _encode(order: list[str], keys: list[Key], row: Model) -> str:
    values = [_plain(_read(row, key.path)) for key in keys]
    text = orjson.dumps([",".join(order), *values])
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def _read(row: Model, path: str) -> Any:
    try:
        return attrgetter(path.replace("__", "."))(row)
    except AttributeError:  # an empty link on the way
        return None


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def _decode(cursor: str, order: list[str], keys: list[Key]) -> list[Any] | None:
    if not cursor:
        return None
    try:
        found = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if found[0] != ",".join(order) or len(found) != len(keys) + 1:
            return None
        return [_value(key, raw) for key, raw in zip(keys, found[1:], strict=True)]
    except (ValueError, TypeError, KeyError, IndexError, ValidationError, binascii.Error):
        return None


def _value(key: Key, raw: Any) -> Any:
    if raw is None and key.nullable:
        return None
    if raw is None or (isinstance(raw, str) and "\0" in raw):
        raise ValueError(f"no value for {key.path}")
    return key.field.to_python(raw)
