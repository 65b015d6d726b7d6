"""The nested intervals: lft, rght, tree_id and level, derived from the parent links.

Numbers are laid out `STEP` apart. A new node takes spare numbers between its neighbours and no
other row is touched; a moved subtree is fitted into spare numbers by one statement over its own
rows. Where a gap has become too narrow, the smallest ancestor with room inside is laid out again.
All of it assumes the tree's lock.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from django.db import connection
from django.db.models import Max, Min

from orgs.models import Area

STEP = 1 << 24

_TABLE = Area._meta.db_table


class Span(NamedTuple):
    """Where a node stands now."""

    pk: int
    tree_id: int
    lft: int
    rght: int
    level: int


class Slot(NamedTuple):
    """Spare numbers found: the first of them, and how far apart to lay what goes there."""

    tree_id: int
    level: int
    first: int
    space: int


def span(pk: int) -> Span:
    """Read afresh: never trust an instance that was read before the lock."""
    return Span(*Area.objects.values_list(*Span._fields).get(pk=pk))


def size(where: Span) -> int:
    """How many nodes: itself and all below."""
    return Area.objects.filter(
        tree_id=where.tree_id, lft__gte=where.lft, lft__lte=where.rght
    ).count()


def find_slot(parent_pk: int, code: str, nodes: int) -> Slot:
    """Room for `nodes` nodes below a parent, at the place that `code` has among its children."""
    parent = span(parent_pk)
    low, high = _gap(parent, code)
    space = _space(low, high, nodes)
    if not space:
        _make_room(parent, nodes)
        parent = span(parent_pk)
        low, high = _gap(parent, code)
        space = _space(low, high, nodes)
    width = (2 * nodes - 1) * space
    at_the_end = high == parent.rght
    # New codes usually come last: what is left of the gap is kept on the right for the next.
    first = low + space if at_the_end else low + (high - low - width) // 2
    return Slot(parent.tree_id, parent.level + 1, first, space)


class Stamps(NamedTuple):
    """Stamps to set on the way, which saves writing the rows twice: on those that carry `pk` at
    `level`. Not on all: a struck-off node carries the stamps of the one it was merged into."""

    level: str
    pk: int
    path: Mapping[str, int | None]


def lay(source: Span, slot: Slot, stamps: Stamps | None = None) -> None:
    """Renumber a subtree in its present order so that it fills `slot`. One statement, its rows."""
    _renumber_by_rank(
        source.tree_id,
        source.lft,
        source.rght,
        base=slot.first - slot.space,
        space=slot.space,
        tree_id=slot.tree_id,
        deeper=slot.level - source.level,
        stamps=stamps,
    )


def renumber(tree_ids: list[int] | None = None) -> None:
    """Lay out whole trees (default: all) from the parent links, siblings by code. One statement.

    With p and q a node's place in pre-order and in post-order and d its level, the numbers are
    2p - 1 - d and 2q + d. Paths of codes give both orders: `!` sorts before `/`, and `/` before
    any digit. A city's id is the id of its tree. Nodes that no city reaches are left alone.
    """
    collate = 'COLLATE "C"' if connection.vendor == "postgresql" else "COLLATE BINARY"
    start, params = "parent_id IS NULL", []
    if tree_ids is not None:
        if not tree_ids:
            return
        start += f" AND id IN ({', '.join(['%s'] * len(tree_ids))})"
        params = list(tree_ids)
    sql = f"""
        WITH RECURSIVE walk(id, root, depth, path) AS (
            SELECT id, id, 0, CAST(code AS text) FROM {_TABLE} WHERE {start}
            UNION ALL
            SELECT child.id, walk.root, walk.depth + 1, walk.path || '!' || child.code
            FROM {_TABLE} child JOIN walk ON child.parent_id = walk.id
        ), ordered AS (
            SELECT id, root, depth,
                row_number() OVER (PARTITION BY root ORDER BY path {collate}) AS p,
                row_number() OVER (PARTITION BY root ORDER BY path || '/' {collate}) AS q
            FROM walk
        ), laid AS (
            SELECT id, root, depth, %s * (2 * p - 1 - depth) AS l, %s * (2 * q + depth) AS r
            FROM ordered
        )
        UPDATE {_TABLE} SET lft = laid.l, rght = laid.r, tree_id = laid.root, level = laid.depth
        FROM laid
        WHERE {_TABLE}.id = laid.id AND (
            {_TABLE}.lft <> laid.l OR {_TABLE}.rght <> laid.r
            OR {_TABLE}.tree_id <> laid.root OR {_TABLE}.level <> laid.depth
        )
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, [*params, STEP, STEP])


def _gap(parent: Span, code: str) -> tuple[int, int]:
    """The numbers on either side of the place for `code` among the parent's children."""
    siblings = Area.objects.filter(parent=parent.pk)
    before = siblings.filter(code__lt=code).aggregate(at=Max("rght"))["at"]
    low = parent.lft if before is None else before
    after = siblings.filter(lft__gt=low).aggregate(at=Min("lft"))["at"]
    return low, parent.rght if after is None else after


def _space(low: int, high: int, nodes: int) -> int:
    """How far apart to lay `nodes` in a gap: they fill a quarter of it. 0: it is too narrow."""
    return min(STEP, (high - low - 1) // (8 * nodes))


def _make_room(parent: Span, nodes: int) -> None:
    """Lay out the smallest ancestor (or the parent) that has room inside for `nodes` more."""
    wanted = 8 * nodes + 1  # between any two numbers, so that `_space` finds at least one
    above = Area.objects.filter(
        tree_id=parent.tree_id, lft__lte=parent.lft, rght__gte=parent.rght
    ).order_by("-lft")
    for ancestor in above.values_list(*Span._fields):
        outer = Span(*ancestor)
        inside = size(outer) - 1
        space = (outer.rght - outer.lft) // (2 * inside + 1)
        if space < wanted and outer.level > 0:
            continue
        if space < wanted:  # the city itself: numbers have no end
            space = max(STEP, wanted)
            outer = outer._replace(rght=outer.lft + (2 * inside + 1) * space)
            Area.objects.filter(pk=outer.pk).update(rght=outer.rght)
        _renumber_by_rank(
            outer.tree_id,
            outer.lft + 1,
            outer.rght - 1,
            base=outer.lft,
            space=space,
            tree_id=outer.tree_id,
            deeper=0,
            stamps=None,
        )
        return


def _renumber_by_rank(
    source_tree: int,
    low: int,
    high: int,
    *,
    base: int,
    space: int,
    tree_id: int,
    deeper: int,
    stamps: Stamps | None,
) -> None:
    """Give every number between `low` and `high` its rank among them, times space, plus base."""
    stamped, values = "", []
    for column, value in stamps.path.items() if stamps else ():
        stamped += f", {column} = CASE WHEN {stamps.level}_id = %s THEN %s ELSE {column} END"
        values += [stamps.pk, value]
    sql = f"""
        WITH numbers AS (
            SELECT id, lft AS n FROM {_TABLE} WHERE tree_id = %s AND lft BETWEEN %s AND %s
            UNION ALL
            SELECT id, rght FROM {_TABLE} WHERE tree_id = %s AND lft BETWEEN %s AND %s
        ), ranked AS (
            SELECT id, row_number() OVER (ORDER BY n) AS rank FROM numbers
        ), laid AS (
            SELECT id, min(rank) AS l, max(rank) AS r FROM ranked GROUP BY id
        )
        UPDATE {_TABLE} SET lft = %s + laid.l * %s, rght = %s + laid.r * %s,
            tree_id = %s, level = level + %s{stamped}
        FROM laid WHERE {_TABLE}.id = laid.id
    """
    bounds = [source_tree, low, high]
    with connection.cursor() as cursor:
        cursor.execute(sql, [*bounds, *bounds, base, space, base, space, tree_id, deeper, *values])
