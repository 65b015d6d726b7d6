"""The one search box: each app says what it is to find (`core.console.searchable`)."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.db.models import Case, Model, QuerySet, Value, When

from core import console
from core.scope import reach_of

ROWS = 6  # of a kind
LONGEST = 60


class Hit(NamedTuple):
    """One thing found. `note` tells it from others of its name."""

    kind: str
    title: str
    note: str
    url: str


class Group(NamedTuple):
    """What one app found; `more` when the first few are not all."""

    label: str
    hits: list[Hit]
    more: bool


def find(text: str, user: Any) -> list[Group]:
    """The best few of each kind within the user's sight, by one query a kind. What lies outside
    it leaves no trace, not even in a number: there is none."""
    text = " ".join(text.split())[:LONGEST]
    if not text:
        return []
    groups = []
    for kind in console.SEARCHABLE:
        if not reach_of(user, kind.perm):
            continue
        found = list(kind.find(text, user)[: ROWS + 1])
        hits = [_hit(kind, row) for row in found[:ROWS]]
        if hits:
            groups.append(Group(kind.label, hits, len(found) > ROWS))
    return groups


def exact_first(rows: QuerySet, field: str, value: str, *then: str) -> QuerySet:
    """`rows` with the one whose `field` is `value` in front, the others ordered by `then`."""
    exact = Case(When(**{field: value}, then=Value(0)), default=Value(1))
    return rows.order_by(exact, *then)


def _hit(kind: console.Searchable, row: Model) -> Hit:
    address = kind.url(row) if kind.url else row.get_absolute_url()
    return Hit(kind.label, kind.title(row), kind.note(row), address)
