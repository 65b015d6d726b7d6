"""The rows of many new nodes, written at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache

from django.db import connection
from django.db.models import Max

from core.copying import insert_columns
from orgs.actions.tree.files import Line
from orgs.actions.tree.nodes import typed
from orgs.enums import STAMPS, AreaState
from orgs.models import Area

COLUMNS = (
    *("id", "parent_id", "kind", "code", "name", "pinyin", "initials", "state", "valid_from"),
    *("version", "lft", "rght", "tree_id", "level", *(f"{level}_id" for level in STAMPS)),
)


@lru_cache(maxsize=8192)  # every community has a 第一网格
def _typed_cells(name: str) -> tuple[str, ...]:
    """How a name is typed, in the order of the columns."""
    return tuple(typed(name).values())


def take_pks(count: int) -> list[int]:
    """Ids for rows that name one another before they are written."""
    if connection.vendor != "postgresql":
        last = Area.objects.aggregate(last=Max("pk"))["last"] or 0
        return list(range(last + 1, last + 1 + count))
    if not count:
        return []
    with connection.cursor() as cursor:
        # A block at once. Two steps, but no one else takes ids: the lock is held.
        sequence = "pg_get_serial_sequence(%s, 'id')"
        cursor.execute(
            f"SELECT setval({sequence}, nextval({sequence}) + %s - 1)",
            [Area._meta.db_table, Area._meta.db_table, count],
        )
        last = cursor.fetchone()[0]
    return list(range(last - count + 1, last + 1))


def insert(
    *,
    pks: Sequence[int],
    parents: Sequence[int | None],
    lines: Sequence[Line],
    since: Sequence[date],
    places: Sequence[tuple[int, int, int, int]],
    stamps: Sequence[tuple[int | None, ...]],
) -> None:
    """Write the new active nodes of `lines`, at least one. Beside each line stand its id, its
    parent's, the day since when it is there, its numbers (lft, rght, tree_id, level) and stamps."""
    count = len(pks)
    names = [line.name for line in lines]
    insert_columns(
        Area,
        COLUMNS,
        [
            *(pks, parents, [line.kind for line in lines], [line.code for line in lines], names),
            *zip(*map(_typed_cells, names), strict=True),
            *([AreaState.ACTIVE.value] * count, since, [1] * count),
            *zip(*places, strict=True),
            *zip(*stamps, strict=True),
        ],
    )
