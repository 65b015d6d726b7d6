"""Whether a condition holds for a row, as a value that a query reads: true or false, never empty.

::

    rows.annotate(is_gone=flag(Unit, Q(left_on__isnull=False), using=rows.db))

A list asks several of these with each page, and Django takes longer to put them into words than
PostgreSQL to answer them; so the words of a condition over the table's own columns are kept.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.core.exceptions import EmptyResultSet, FieldError, FullResultSet
from django.db import connections, models
from django.db.models import BooleanField, Case, Q, When
from django.db.models.expressions import BaseExpression, RawSQL
from django.db.models.sql import Query

MOST = 512  # conditions a process keeps, the last used: one with a moment in it never comes again


def flag(model: type[models.Model], condition: Q, *, using: str) -> BaseExpression:
    """Of a query over the model's own table, which may be narrowed and joined in any way."""
    try:
        sql, params = _in_words(model, condition, using)
    except (EmptyResultSet, FullResultSet, FieldError, TypeError):
        # It holds for no row, or for each; it asks another table; its value cannot be kept.
        return Case(When(condition, then=True), default=False)
    return RawSQL(sql, params, BooleanField())  # noqa: S611  # nosec B611  (the words are Django's)


@lru_cache(maxsize=MOST)
def _in_words(model: type[models.Model], condition: Q, using: str) -> tuple[str, tuple[Any, ...]]:
    query = Query(model)
    where = query.build_where(condition)  # FieldError where another table is asked
    sql, params = where.as_sql(query.get_compiler(using), connections[using])
    return f"CASE WHEN {sql} THEN true ELSE false END", tuple(params)
