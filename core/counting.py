"""How many rows each choice of a list's filters would give, all in one look at the rows.

The database counts how often each combination of the choices' values stands among the rows: a few
hundred at most, which are added up here for every choice beside the others in force.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import QuerySet

ALL = ""  # stands for a filter that is not in force
FAR_ABOVE = 2  # times the limit that the planner may expect before nobody looks


class Numbers(NamedTuple):
    """`shown`: rows under all filters. `by_choice`: (filter, value) → rows that the value would
    give beside the other filters; under `ALL`, without that filter."""

    shown: int
    by_choice: Mapping[tuple[str, str], int]


class Mark(NamedTuple):
    """What a row carries of one filter. `expressions`: name → what is read of each row. `values`:
    from what was read, in that order, to the choices that the row falls under."""

    expressions: Mapping[str, Any]
    values: Callable[[Sequence[Any]], Collection[str]]


def numbers(
    rows: QuerySet, marks: Mapping[str, Mark], chosen: Mapping[str, str], limit: int
) -> Numbers | None:
    """The numbers of `marks`, by the filter's name, with `chosen` in force; None when there are
    more than `limit` rows under the filters that are not counted. Those far above it are not even
    read: PostgreSQL's planner says so beforehand, for a hundredth of what the look costs."""
    read = {name: one for mark in marks.values() for name, one in mark.expressions.items()}
    read_alone = rows.order_by().annotate(**read).values_list(*read)
    found = _combinations(read_alone, list(read), limit)
    if found is None or sum(n for *_, n in found) > limit:
        return None
    shown, by_choice = 0, dict.fromkeys(((name, ALL) for name in marks), 0)
    for *values, n in found:
        falls_under, at = {}, 0
        for name, mark in marks.items():
            width = len(mark.expressions)
            falls_under[name] = mark.values(values[at : at + width])
            at += width
        missed = [name for name, value in chosen.items() if value not in falls_under[name]]
        shown += 0 if missed else n
        if len(missed) > 1:
            continue
        for name in missed or marks:
            for value in (ALL, *falls_under[name]):
                by_choice[name, value] = by_choice.get((name, value), 0) + n
    return Numbers(shown, by_choice)


def _combinations(read: QuerySet, names: list[str], limit: int) -> list[tuple] | None:
    """Each combination of what is read, with how many rows have it."""
    connection = connections[read.db]
    try:
        sql, params = read.query.get_compiler(read.db).as_sql()
    except EmptyResultSet:
        return []
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql" and _expected(cursor, sql, params) > limit * FAR_ABOVE:
            return None
        each = ", ".join(map(connection.ops.quote_name, names))
        # The names are our own; every value is a parameter.
        cursor.execute(
            f"SELECT {each}, COUNT(*) FROM ({sql} LIMIT {limit + 1:d}) AS looked_at GROUP BY {each}",  # noqa: S608
            params,
        )
        return cursor.fetchall()


def _expected(cursor: Any, sql: str, params: Sequence[Any]) -> float:
    """How many rows PostgreSQL's planner expects."""
    cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
    plan = cursor.fetchone()[0]
    return (plan if isinstance(plan, list) else json.loads(plan))[0]["Plan"]["Plan Rows"]
