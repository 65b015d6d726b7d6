"""What PostgreSQL's planner expects of a query: a forecast, for a hundredth of what a look costs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import QuerySet


def forecast(rows: QuerySet) -> Mapping[str, Any] | None:
    """The topmost node of the plan as EXPLAIN has it (``Node Type``, ``Plan Rows``, ``Plans``). None
    on any other database, and for a query that needs no look to be known as empty."""
    connection = connections[rows.db]
    if connection.vendor != "postgresql":
        return None
    try:
        sql, params = rows.query.get_compiler(rows.db).as_sql()
    except EmptyResultSet:
        return None
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        plan = cursor.fetchone()[0]
    plan = plan if isinstance(plan, list) else json.loads(plan)
    return plan[0]["Plan"]
