"""What PostgreSQL's planner expects of a query: a forecast, for a hundredth of what a look costs. And
what a lookup that can be asked in two ways should know of the query it stands in."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import QuerySet

from core.briefly import Briefly


def in_words(rows: QuerySet) -> tuple[str, Sequence[Any]] | None:
    """The query's SQL and its parameters; None when it is known as empty without a look."""
    try:
        return rows.query.get_compiler(rows.db).as_sql()
    except EmptyResultSet:
        return None


def forecast(using: str, sql: str, params: Sequence[Any]) -> Mapping[str, Any] | None:
    """The topmost node of the plan as EXPLAIN has it (``Node Type``, ``Plan Rows``, ``Plans``), which
    may be a minute old. None on any other database than PostgreSQL."""
    connection = connections[using]
    if connection.vendor != "postgresql":
        return None
    question = using, sql, str(params)
    if (known := _forecasts.get(question)) is not None:
        return known
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        plan = cursor.fetchone()[0]
    plan = plan if isinstance(plan, list) else json.loads(plan)
    return _forecasts.keep(question, plan[0]["Plan"])


_forecasts = Briefly()


class Way(Enum):
    """How a query will come by its rows, where whoever asks it knows."""

    EACH = auto()  # a stretch of the table, row after row
    ALL = auto()  # whatever matches, however many: an index finds them, if there is one


def by_way(rows: QuerySet, way: Way) -> QuerySet:
    """`rows` with lookups that know the way."""
    rows = rows.all()
    rows.query.way = way
    return rows


def way_of(compiler: Any) -> Way | None:
    return getattr(compiler.query, "way", None)
