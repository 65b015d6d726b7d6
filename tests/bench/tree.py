"""What tree writes cost on one city of about 52,000 nodes, against COPY and django-mptt's own.

    DATABASE_URL=postgres://… python -m tests.bench.tree

Works in a database of its own (the test database), which it drops again.
"""

from __future__ import annotations

import io
import os
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count, cycle

import django

from tests.bench import TIMES, medians, row, seconds, share


def city(prefix: str = "3702") -> Iterator[tuple[str, str, str, str]]:
    """(code, name, kind, parent code) of 1 city, 10 districts, 150 streets, 2,000 communities,
    10,000 grids and 40,000 building groups (domain.md §8), or the asked share of the communities."""
    root = prefix.ljust(12, "0")
    yield root, "样例市", "city", ""
    streets, communities, grids = [], [], []
    for d in range(1, 11):
        district = f"{prefix}{d:02d}".ljust(12, "0")
        yield district, f"第{d}区", "district", root
        for s in range(1, 16):
            streets.append(f"{prefix}{d:02d}{s:03d}".ljust(12, "0"))
            yield streets[-1], f"{d}区{s}街道", "street", district
    for n in range(int(2000 * share())):
        street = streets[n % len(streets)]
        communities.append(f"{street[:9]}{n // len(streets) + 1:03d}")
        yield communities[-1], f"第{n}社区居民委员会", "community", street
    for community in communities:
        for g in range(1, 6):
            grids.append(f"{community}{g:03d}")
            yield grids[-1], f"第{g}网格", "grid", community
    for grid in grids:
        for b in range(1, 5):
            yield f"{grid}{b:03d}", f"{b}号楼组", "building", grid


@contextmanager
def database() -> Iterator[None]:
    from django.db import connection
    from django.test.utils import setup_databases, teardown_databases

    old = setup_databases(verbosity=0, interactive=False, parallel=0)
    try:
        yield
    finally:
        connection.close()
        teardown_databases(old, verbosity=0)


def plain_mptt():
    """A table of our columns' width whose tree is written by django-mptt itself."""
    from django.db import connection, models
    from mptt.models import MPTTModel, TreeForeignKey

    class Plain(MPTTModel):
        parent = TreeForeignKey("self", models.PROTECT, null=True, related_name="children")
        code = models.CharField(max_length=18, unique=True)
        name = models.CharField(max_length=80)

        class Meta:
            app_label = "bench"

        def __str__(self) -> str:
            return self.name

    with connection.schema_editor() as editor:
        editor.create_model(Plain)
    return Plain


def fill_plain(model) -> None:
    """The same city with the same shape and dense numbers, as django-mptt keeps them."""
    from orgs.models import Area

    dense = {}
    numbers = sorted(
        (n, pk)
        for pk, lft, rght in Area.objects.values_list("pk", "lft", "rght")
        for n in (lft, rght)
    )
    for rank, (_, pk) in enumerate(numbers, start=1):
        dense.setdefault(pk, []).append(rank)
    rows = Area.objects.values_list("pk", "parent_id", "code", "name", "level")
    model._base_manager.bulk_create(
        [
            model(
                pk=pk,
                parent_id=parent,
                code=code,
                name=name,
                level=level,
                tree_id=1,
                lft=dense[pk][0],
                rght=dense[pk][1],
            )
            for pk, parent, code, name, level in rows
        ],
        batch_size=1000,
    )


def copy_out(table: str, columns: str = "") -> io.StringIO:
    from django.db import connection

    out = io.StringIO()
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY {table}{columns} TO STDOUT", out)
    return out


def copy_in(table: str, columns: str, rows: io.StringIO) -> None:
    from django.db import connection, transaction

    rows.seek(0)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.copy_expert(f"COPY {table}{columns} FROM STDIN", rows)


def empty() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE orgs_area CASCADE")


def bench_import() -> None:
    from orgs.actions.tree import load_areas
    from orgs.actions.tree.files import Line
    from orgs.actions.tree.rows import COLUMNS
    from orgs.models import Area, AreaHistory

    lines = [Line(n, *row) for n, row in enumerate(city(), start=2)]
    load_areas(lines)
    columns = f" ({', '.join(COLUMNS)})"
    # What the grids' room writes for each new grid is part of the load, and of the second yardstick.
    tables = {"orgs_area": columns}
    tables |= dict.fromkeys(("orgs_areahistory", "grids_gridprofile", "grids_gridpost"), "")
    ready = {table: copy_out(table, columns) for table, columns in tables.items()}
    rounds = []
    for _ in range(TIMES):
        empty()
        one_by_one = [
            seconds(partial(copy_in, table, columns, ready[table]))
            for table, columns in tables.items()
        ]
        empty()
        rounds.append((seconds(lambda: load_areas(lines)), one_by_one[0], sum(one_by_one)))
    took, once, every = (statistics.median(found) for found in zip(*rounds, strict=True))
    row("import the areas", took, "COPY of the ready areas", once, at_most=3)
    row("the same", took, "COPY of all rows that it writes: history and grids' records too", every)
    (again,) = medians(lambda: load_areas(lines))
    row("import them once more, nothing new", again, "COPY of the ready areas", once)
    assert Area.objects.count() == AreaHistory.objects.count() == len(lines)


def bench_moves(plain) -> None:
    """There and back again, with stamps, history and audit on our side."""
    from django.db import transaction

    from orgs.actions.tree import move_area
    from orgs.models import Area

    districts = list(Area.objects.filter(kind="district").in_order())
    streets = list(Area.objects.filter(kind="street", district=districts[0]).in_order())
    far = Area.objects.filter(kind="street", district=districts[-1]).in_order().last()
    for name, home, goal in (
        ("to the neighbouring street", streets[0], streets[1]),
        ("across the city", streets[0], far),
    ):
        node = Area.objects.filter(parent=home).in_order().first()
        ours, theirs = cycle([goal, home]), cycle([goal, home])

        def move(node=node, ours=ours):
            move_area(area=node, parent=next(ours), by=None)

        def mptt_move(node=node, theirs=theirs):
            with transaction.atomic():
                twin = plain.objects.get(pk=node.pk)
                twin.move_to(plain.objects.get(pk=next(theirs).pk), "last-child")

        took, mptt = medians(move, mptt_move, times=6)  # even: it ends where it began
        row(f"move a community {name}", took, "django-mptt's move_to", mptt, faster=20)


def bench_inserts(plain) -> None:
    from django.db import transaction

    from orgs.actions.tree import create_area
    from orgs.models import Area

    community = Area.objects.filter(kind="community").in_order().first()
    ours, theirs = count(6), count(6)

    def insert():
        code = f"{community.code}{next(ours):03d}"
        create_area(kind="grid", code=code, name="新网格", parent=community, by=None)

    def mptt_insert():
        n = next(theirs)
        with transaction.atomic():
            parent = plain.objects.get(pk=community.pk)
            plain(pk=10**6 + n, code=f"x{n}", name="新网格", parent=parent).save(force_insert=True)

    took, mptt = medians(insert, mptt_insert, times=7)
    row("insert a grid at the left edge", took, "django-mptt's save", mptt, faster=10)


CHILDREN = (
    "SELECT id, kind, code, name FROM orgs_area WHERE parent_id = %s AND state = 'active' "
    "ORDER BY tree_id, lft"
)
ANCESTORS = "SELECT id, kind, code, name FROM orgs_area WHERE id IN %s ORDER BY level"
SUBTREE = (
    "SELECT {kind}_id, kind, count(*) FROM orgs_area WHERE state = 'active' AND {kind}_id = %s "
    "AND kind <> '{kind}' GROUP BY {kind}_id, kind"
)


def bench_reads() -> None:
    """Against the same rows by hand-written SQL through a bare psycopg2 cursor."""
    from django.db import connection

    from orgs.models import Area
    from orgs.queries import child_nodes, counts_below, nodes_above

    connection.ensure_connection()
    bare = connection.connection.cursor()

    def by_hand(sql: str, *params):
        def rows() -> list[tuple]:
            bare.execute(sql, params)
            return bare.fetchall()

        return rows

    def often(work, rounds: int):
        return lambda: [work() for _ in range(rounds)]

    communities = Area.objects.filter(kind="community").in_order()
    for area in (Area.objects.get(kind="city"), communities[communities.count() // 2]):
        what, above = f"of a {area.kind}", tuple(node.pk for node in nodes_above(area))
        pairs = [
            (f"the children, {what}", lambda a=area: child_nodes(a), by_hand(CHILDREN, area.pk)),
            (
                f"the counts below, {what}",
                lambda a=area: counts_below([a]),
                by_hand(SUBTREE.format(kind=area.kind), area.pk),
            ),
        ]
        if above:
            pairs.append(
                (
                    f"the ancestors, {what}",
                    lambda a=area: nodes_above(a),
                    by_hand(ANCESTORS, above),
                )
            )
        for work, ours, theirs in pairs:
            assert ours()
            assert theirs()
            rounds = 3 if work == "the counts below, of a city" else 100
            took, hand = medians(often(ours, rounds), often(theirs, rounds), times=9)
            row(
                work,
                1000 * took / rounds,
                "the best SQL by a bare psycopg2 cursor",
                1000 * hand / rounds,
                "ms",
                at_most=1.5,
            )


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
    django.setup()
    from django.db import connection

    from orgs.actions.tree.checks import faults

    with database():
        bench_import()
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")  # as autovacuum does within a minute
        bench_reads()
        plain = plain_mptt()
        fill_plain(plain)
        bench_moves(plain)
        bench_inserts(plain)
        assert not list(faults())


if __name__ == "__main__":
    main()
