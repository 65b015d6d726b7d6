"""The first rows of a page, looked for along its order instead of among all that match.

A page shows fifty of, say, 3,500 matches. The planner takes conditions for independent of each
other: it expects a fifth of them (nobody offers haircuts but among the services), and so has all of
them read and sorted. Who has counted them knows better: when every thirtieth row is one, the first
1,500 rows along the order hold the page. How many hold it is a matter of luck, so the walk has an
end: beyond `STEPS` the page is asked for in the usual way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Model, Q, QuerySet
from django.db.models.expressions import BaseExpression
from django.db.models.sql.datastructures import BaseTable

from core.planner import Way, by_way, forecast, in_words

STEPS = 5_000  # rows; to read so many in vain costs what it costs to read a few thousand matches
WORTH = 1_000  # matches; fewer are soon read and sorted
LUCK = 2  # times the rows of a page that should stand within the steps


class _First(BaseTable):
    """A table's first rows in an order, in the table's place and under its name."""

    def __init__(self, table_name: str, alias: str, first: tuple[str, Sequence[Any]]) -> None:
        super().__init__(table_name, alias)
        self.first = first

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Sequence[Any]]:
        sql, params = self.first
        return f"({sql}) AS {connection.ops.quote_name(self.table_alias)}", params


def walked(
    rows: QuerySet, piece: Q, ordering: Sequence[BaseExpression], wanted: int, total: int | None
) -> list[Model] | None:
    """The first `wanted` of `rows`, which are ordered by `ordering` and narrowed to `piece` of it,
    if a walk finds them; else None. `total`: how many match on all pages, as far as it is known.

    `piece` and `ordering` are of the table's own columns, or there is no walk. Costs a forecast
    where there are many matches, and the walk itself where one is likely to end well.
    """
    query = rows.query
    if total is None or total < WORTH or query.distinct or query.group_by or query.combinator:
        return None
    own = {field.name for field in rows.model._meta.concrete_fields} | {"pk"}
    if not {by.expression.name for by in ordering} <= own:
        return None
    table = rows.model._base_manager.using(rows.db)
    first = in_words(table.filter(piece).order_by(*ordering)[:STEPS])
    plan = first and forecast(rows.db, *first)
    if not plan or plan["Node Type"] != "Limit":
        return None
    (along,) = plan["Plans"]
    if along["Node Type"] not in ("Index Scan", "Index Only Scan"):
        return None  # without an index in this order every row would be read first
    # So short a rest is soon read; in a longer one, do the steps hold the page?
    if not STEPS < along["Plan Rows"] <= total * STEPS / (wanted * LUCK):
        return None
    found = by_way(rows, Way.EACH)
    alias = found.query.get_initial_alias()
    found.query.alias_map[alias] = _First(rows.model._meta.db_table, alias, first)
    met = list(found[:wanted])
    return met if len(met) == wanted else None
