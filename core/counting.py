"""How many rows each choice of a list's filters would give, all in one look at the rows.

The database counts how often each combination of the choices' values stands among the rows: a few
hundred at most, which are added up here for every choice beside the others in force.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

from django.db import connections
from django.db.models import QuerySet

from core.briefly import Briefly
from core.planner import Way, by_way, forecast, in_words

ALL = ""  # stands for a filter that is not in force
FAR_ABOVE = 2  # times the limit that the planner may expect before nobody looks

Asked = tuple[str, Sequence[Any]]  # SQL and its parameters


class Numbers(NamedTuple):
    """`shown`: rows under all filters. `by_choice`: (filter, value) → rows that the value would
    give beside the other filters; under `ALL`, without that filter."""

    shown: int
    by_choice: Mapping[tuple[str, str], int]


class TooMany(NamedTuple):
    """More rows than are looked at. `counted`: how many, up to one more than that, where it came
    with the forecast; else None."""

    counted: int | None = None


class Mark(NamedTuple):
    """What a row carries of one filter. `expressions`: name → what is read of each row. `values`:
    from what was read, in that order, to the choices that the row falls under."""

    expressions: Mapping[str, Any]
    values: Callable[[Sequence[Any]], Collection[str]]


def numbers(
    rows: QuerySet, marks: Mapping[str, Mark], chosen: Mapping[str, str], limit: int
) -> Numbers | TooMany:
    """The numbers of `marks`, by the filter's name, with `chosen` in force, unless there are more
    than `limit` rows under the filters that are not counted. Those far above it are not even read:
    the planner says so beforehand."""
    rows = by_way(rows.order_by(), Way.ALL)
    # Without a choice in force these rows are the list's, and the same words do to count them.
    whole = None if chosen else _Whole(rows.values_list("pk"), limit)
    if whole and (counted := whole.counted()) is not None:
        return TooMany(counted)
    read = {name: one for mark in marks.values() for name, one in mark.expressions.items()}
    asked = in_words(rows.annotate(**read).values_list(*read))
    if asked and chosen and _far_above(rows.db, asked, limit):
        return TooMany()
    found = _combinations(rows.db, asked, list(read), limit) if asked else []
    if sum(n for *_, n in found) > limit:
        return TooMany(whole.more() if whole else None)
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


def _far_above(using: str, asked: Asked, limit: int) -> bool:
    """Whether the planner expects far more rows than `limit`."""
    plan = forecast(using, *asked)
    return plan is not None and plan["Plan Rows"] > limit * FAR_ABOVE


class _Whole:
    """The rows of a whole list. Whoever turns its pages asks with each how many there are: what was
    found to be more than the limit is so for the next minute."""

    _more = Briefly()

    def __init__(self, rows: QuerySet, limit: int) -> None:
        self.rows, self.limit, self.asked = rows, limit, in_words(rows)
        self.question = rows.db, limit, *map(str, self.asked or ())

    def counted(self) -> int | None:
        """How many, up to one more than the limit, where the planner expects far more than it."""
        if self.asked is None:
            return None
        if self._more.get(self.question):
            return self.limit + 1
        if not _far_above(self.rows.db, self.asked, self.limit):
            return None
        counted = self.rows[: self.limit + 1].count()
        return self.more() if counted > self.limit else counted

    def more(self) -> int:
        """Remembers that there are more than the limit; one more than it."""
        self._more.keep(self.question, True)
        return self.limit + 1


def _combinations(using: str, asked: Asked, names: list[str], limit: int) -> list[tuple]:
    """Each combination of what is read, with how many rows have it."""
    connection, (sql, params) = connections[using], asked
    each = ", ".join(map(connection.ops.quote_name, names))
    with connection.cursor() as cursor:
        # The names are our own; every value is a parameter.
        cursor.execute(
            f"SELECT {each}, COUNT(*) FROM ({sql} LIMIT {limit + 1:d}) AS looked_at GROUP BY {each}",  # noqa: S608
            params,
        )
        return cursor.fetchall()
