"""How long tree writes take on one city of about 52,000 nodes, against django-mptt's own.

    DATABASE_URL=postgres://… python -m tests.bench.tree

Works in a database of its own (the test database), which it drops again. Prints a line a measure.
"""

from __future__ import annotations

import io
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import django


def city(prefix: str = "3702") -> Iterator[tuple[str, str, str, str]]:
    """(code, name, kind, parent code) of 1 city, 10 districts, 150 streets, 2,000 communities,
    10,000 grids and 40,000 building groups (domain.md §8)."""
    root = prefix.ljust(12, "0")
    yield root, "样例市", "city", ""
    streets, communities, grids = [], [], []
    for d in range(1, 11):
        district = f"{prefix}{d:02d}".ljust(12, "0")
        yield district, f"第{d}区", "district", root
        for s in range(1, 16):
            streets.append(f"{prefix}{d:02d}{s:03d}".ljust(12, "0"))
            yield streets[-1], f"{d}区{s}街道", "street", district
    for n in range(2000):
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


def timed(function: Callable[[], object], times: int = 7) -> float:
    """Median seconds."""
    found = []
    for _ in range(times):
        start = time.perf_counter()
        function()
        found.append(time.perf_counter() - start)
    return statistics.median(found)


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


def bench_import() -> None:
    from django.db import connection, transaction

    from orgs.actions.tree import load_areas
    from orgs.actions.tree.files import Line
    from orgs.actions.tree.load import _COLUMNS
    from orgs.models import Area, AreaHistory

    lines = [Line(n, *row) for n, row in enumerate(city(), start=2)]
    start = time.perf_counter()
    load_areas(lines)
    took = time.perf_counter() - start
    again = timed(lambda: load_areas(lines), 1)
    print(f"import {len(lines):,} areas: {took:.2f} s; a second time, nothing new: {again:.2f} s")
    if connection.vendor != "postgresql":
        return
    out, history = io.StringIO(), io.StringIO()
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY orgs_area ({', '.join(_COLUMNS)}) TO STDOUT", out)
        cursor.copy_expert("COPY orgs_areahistory TO STDOUT", history)
        cursor.execute("TRUNCATE orgs_area CASCADE")
    copied = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        out.seek(0)
        cursor.copy_expert(f"COPY orgs_area ({', '.join(_COLUMNS)}) FROM STDIN", out)
    areas = time.perf_counter() - copied
    with transaction.atomic(), connection.cursor() as cursor:
        history.seek(0)
        cursor.copy_expert("COPY orgs_areahistory FROM STDIN", history)
    both = time.perf_counter() - copied
    print(
        f"  bare COPY of the areas: {areas:.2f} s (import is {took / areas:.1f} ×), "
        f"with their history: {both:.2f} s ({took / both:.1f} ×)"
    )
    assert Area.objects.count() == AreaHistory.objects.count() == len(lines)


def bench_writes() -> None:
    from django.db import connection, transaction

    from orgs.actions.tree import create_area, move_area
    from orgs.actions.tree.checks import faults
    from orgs.models import Area

    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("VACUUM ANALYZE orgs_area")
    plain = plain_mptt()
    fill_plain(plain)
    first = Area.objects.filter(kind="district").order_by("code").first()
    last = Area.objects.filter(kind="district").order_by("code").last()

    def there_and_back(get, move, below, far):
        """One move each call: alternately to the far side and home."""
        state = {"at": far}

        def step():
            goal = state["at"]
            state["at"] = far if goal is below else below
            move(get(), goal)

        return step

    for kind, parents in (("community", "street"), ("street", "district")):
        home = first if parents == "district" else Area.objects.filter(parent=first).first()
        far = last if parents == "district" else Area.objects.filter(parent=last).last()
        node = Area.objects.filter(parent=home, kind=kind).order_by("code").first()
        nodes = Area.objects.under(node).count()
        ours = timed(
            there_and_back(
                lambda node=node: node,
                lambda area, goal: move_area(area=area, parent=goal, by=None),
                home,
                far,
            )
        )
        homes = {area: plain.objects.get(pk=area.pk) for area in (home, far)}

        def mptt_move(area, goal, homes=homes):
            with transaction.atomic():
                area.move_to(plain.objects.get(pk=homes[goal].pk), "last-child")

        theirs = timed(
            there_and_back(lambda node=node: plain.objects.get(pk=node.pk), mptt_move, home, far), 4
        )
        print(
            f"move a {kind} of {nodes} nodes across the city: {ours * 1000:.0f} ms with stamps, "
            f"history and audit; django-mptt's move_to alone {theirs * 1000:.0f} ms "
            f"({theirs / ours:.0f} ×)"
        )

    community = Area.objects.filter(kind="community").in_order().first()
    counter = iter(range(6, 999))
    twin = plain.objects.get(pk=community.pk)

    def insert():
        create_area(
            kind="grid",
            code=f"{community.code}{next(counter):03d}",
            name="新网格",
            parent=community,
            by=None,
        )

    def mptt_insert():
        n = next(counter)
        with transaction.atomic():
            parent = plain.objects.get(pk=twin.pk)
            plain(pk=10**6 + n, code=f"x{n}", name="新网格", parent=parent).save(force_insert=True)

    ours, theirs = timed(insert, 15), timed(mptt_insert, 5)
    print(
        f"insert a grid at the left edge: {ours * 1000:.1f} ms with history and audit; "
        f"django-mptt's save {theirs * 1000:.0f} ms ({theirs / ours:.0f} ×)"
    )
    start = time.perf_counter()
    found = list(faults())
    print(f"check_tree: {time.perf_counter() - start:.2f} s, {len(found)} faults")
    if connection.vendor == "postgresql":
        from orgs.actions.tree import numbers

        Area._base_manager.update(lft=0, rght=0)
        start = time.perf_counter()
        with transaction.atomic():
            numbers.renumber()
        print(f"number the whole tree anew: {time.perf_counter() - start:.2f} s")


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
    django.setup()
    with database():
        bench_import()
        bench_writes()


if __name__ == "__main__":
    main()
