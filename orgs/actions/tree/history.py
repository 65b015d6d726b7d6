"""The history of the tree: what a node was called and where it hung, from day to day."""

from __future__ import annotations

from datetime import date

from django.db import connection
from django.db.models import QuerySet

from core.errors import Refused
from orgs.enums import BEGINNING, STAMPS
from orgs.models import Area, AreaHistory

_AREA = Area._meta.db_table
_HISTORY = AreaHistory._meta.db_table
COPIED = ("name", "code", "parent_id", *(f"{level}_id" for level in STAMPS))


def follow(areas: QuerySet[Area], day: date) -> None:
    """Make the open rows of `areas` say what the areas say, from `day` on.

    Set-based and driven by the difference, so that `areas` may hold more than what changed: a
    row that started before is closed on the eve and a new one opened; one that started on the
    same day is put right; a new node's first row reaches back to the beginning of time. Raises
    `Refused` where a later change is already on record.
    """
    chosen, params = areas.order_by().values("pk").query.sql_with_params()
    distinct = "IS DISTINCT FROM" if connection.vendor == "postgresql" else "IS NOT"
    differs = " OR ".join(f"h.{name} {distinct} a.{name}" for name in COPIED)
    adapt = connection.ops.adapt_datefield_value
    today, eve = adapt(day), adapt(date.fromordinal(day.toordinal() - 1))
    stale = f"h.area_id = a.id AND h.valid_to IS NULL AND a.id IN ({chosen}) AND ({differs})"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT a.name, h.valid_from FROM {_HISTORY} h JOIN {_AREA} a ON {stale} "
            "WHERE h.valid_from > %s ORDER BY h.valid_from DESC LIMIT 1",
            [*params, today],
        )
        if later := cursor.fetchone():
            raise Refused(
                f"{later[0]}在 {later[1]} 已有变更记录，生效日期不能早于这一天。", field="on"
            )
        copied = ", ".join(f"{name} = a.{name}" for name in COPIED)
        cursor.execute(
            f"UPDATE {_HISTORY} AS h SET {copied} FROM {_AREA} a WHERE {stale} AND h.valid_from = %s",
            [*params, today],
        )
        cursor.execute(
            f"UPDATE {_HISTORY} AS h SET valid_to = %s FROM {_AREA} a WHERE {stale}",
            [eve, *params],
        )
    _open(areas, "EXISTS", day)
    begin(areas)


def begin(areas: QuerySet[Area], *, new: bool = False) -> None:
    """The first rows of nodes that have none: they reach back to the beginning of time.

    `new` says that none of them has, so that nobody asks: right after many nodes were written the
    planner takes the tables for small, and looks for the rows of each node among all.
    """
    _open(areas, "" if new else "NOT EXISTS", BEGINNING)


def _open(areas: QuerySet[Area], earlier: str, start: date) -> None:
    """Open a row for those of `areas` that have none open, and rows of before (or not)."""
    chosen, params = areas.order_by().values("id", *COPIED).query.sql_with_params()
    of_it = f"SELECT 1 FROM {_HISTORY} h WHERE h.area_id = a.id"
    lacking = f"WHERE {earlier} ({of_it}) AND NOT EXISTS ({of_it} AND h.valid_to IS NULL)"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {_HISTORY} (area_id, {', '.join(COPIED)}, valid_from) "
            f"SELECT a.*, %s FROM ({chosen}) a "
            f"{lacking if earlier else ''}",
            [connection.ops.adapt_datefield_value(start), *params],
        )
