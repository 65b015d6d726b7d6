"""Queries that are asked at every page: built once, run with other ids.

::

    @again
    def _nodes_below(parent: int) -> QuerySet:
        return Area.objects.filter(parent=parent).values_list("pk", "name")

    _nodes_below(area.pk)   # [(7, "甲社区"), …]

Building a small query takes several times what the database needs to answer it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any

from django.db import connection
from django.db.models import QuerySet

_SHAPES = 32  # of one query: one for each number of ids


def again(build: Callable[..., QuerySet]) -> Callable[..., list[tuple]]:
    """Turn a function of ids that builds a `values_list()` into one that runs it.

    The ids are positive integers and the only thing that differs between two calls with as many
    of them; the columns are such that the driver gives as they are (no JSON, no encrypted ones).
    """

    @lru_cache(maxsize=_SHAPES)
    def statement(count: int) -> tuple[str, list[Any], list[tuple[int, int]]]:
        """The text, its parameters, and where which id goes among them."""
        sql, params = build(*(-1 - n for n in range(count))).query.sql_with_params()
        places = [(at, -1 - p) for at, p in enumerate(params) if isinstance(p, int) and p < 0]
        if {n for _, n in places} != set(range(count)):
            raise ValueError(f"{build.__qualname__} must take each of its ids into the query")
        return sql, list(params), places

    @wraps(build)
    def run(*ids: int) -> list[tuple]:
        sql, params, places = statement(len(ids))
        filled = params.copy()
        for at, n in places:
            filled[at] = ids[n]
        with connection.cursor() as cursor:
            cursor.execute(sql, filled)
            return cursor.fetchall()

    return run
