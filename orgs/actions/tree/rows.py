"""The rows of many new nodes, written at once."""

from __future__ import annotations

import io
from functools import lru_cache

from django.db import connection
from django.db.models import Max

from orgs.actions.tree.nodes import typed
from orgs.enums import STAMPS
from orgs.models import Area

COLUMNS = (
    *("id", "parent_id", "kind", "code", "name", "pinyin", "initials", "state", "valid_from"),
    *("version", "lft", "rght", "tree_id", "level", *(f"{level}_id" for level in STAMPS)),
)
_NAME = COLUMNS.index("name")


@lru_cache(maxsize=8192)  # every community has a 第一网格
def typed_cells(name: str) -> tuple[str, ...]:
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


def insert(rows: list[tuple]) -> None:
    """Write rows of `COLUMNS`."""
    table = Area._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            copy = f"COPY {table} ({', '.join(COLUMNS)}) FROM STDIN"
            cursor.copy_expert(copy, io.StringIO("".join(map(_copy_line, rows))))
        else:
            marks = ", ".join(["%s"] * len(COLUMNS))
            insert = f"INSERT INTO {table} ({', '.join(COLUMNS)}) VALUES ({marks})"
            cursor.executemany(insert, rows)


def _copy_line(row: tuple) -> str:
    cells = [r"\N" if cell is None else str(cell) for cell in row]
    cells[_NAME] = cells[_NAME].replace("\\", r"\\")  # the one column that people write
    return "\t".join(cells) + "\n"
