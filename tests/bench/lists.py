"""What PostgreSQL takes of a list of items: a tenth, half and the whole of a city's 100,000.

    DATABASE_URL=… DJANGO_SETTINGS_MODULE=config.settings.test python -m tests.bench.lists

The page is asked for as a department's officer asks for it, in this process; each of its queries is
timed where Django sends it. The wanted figures are milliseconds and numbers of queries, so these
are what stands as the yardstick of the first rows. What stands for a minute (core/briefly.py) is known
from the page before, as it is to whoever turns the pages, but where a row says otherwise.
"""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import django
import orjson

from tests.bench import medians, row

PAGE, WORD, TIMES = "/console/services/items/", "理发", 7
RECORDS = "/console/members/servicerecords/?sort=-served_on"
WANTED_MS, WANTED_QUERIES = 10, 12


def queries(ask: Callable[[], Any]) -> list[float]:
    """Milliseconds of each query that `ask` sends."""
    from django.db import connection

    found = []

    def timed(execute, *arguments):
        start = time.perf_counter()
        try:
            return execute(*arguments)
        finally:
            found.append((time.perf_counter() - start) * 1000)

    with connection.execute_wrapper(timed):
        ask()
    return found


def shares(
    client, *addresses: str, before: Callable[[], object] = lambda: None
) -> list[tuple[float, int]]:
    """Median of the database's milliseconds, and the number of queries, of each page, in turns."""

    def ask(address: str) -> list[float]:
        before()

        def page() -> None:
            assert client.get(address).status_code == 200

        return queries(page)

    for address in addresses:
        ask(address)
    rounds = [[ask(address) for address in addresses] for _ in range(TIMES)]
    return [(median(map(sum, found)), max(map(len, found))) for found in zip(*rounds, strict=True)]


def bench_pages(client, place: int) -> None:
    from core.briefly import forget_all
    from services.models import Item

    def scan():
        Item.objects.filter(search__icontains=WORD).count()

    narrowed = f"{PAGE}?area={place}&kind=service&state=published&q={WORD}&sort=-due_on"
    wide = f"{PAGE}?kind=service&state=published&q={WORD}&sort=-due_on"
    for name, address in (
        ("a district, kind, state and two characters, by date", narrowed),
        ("a kind, a state and two characters in the whole city, by date", wide),
        ("all there is, newest first", PAGE),
    ):
        ((took, number),) = shares(client, address)
        row(name, took, "what is wanted", WANTED_MS, "ms", at_most=1)
        row("the same", number, "what is wanted", WANTED_QUERIES, "queries", at_most=1)
        if WORD in address:  # where 10 ms were wanted, icontains took 50
            scanned = medians(scan, times=TIMES)[0] * 1000
            row("the same", took, "icontains in all items", scanned, "ms", faster=5)
    ((took, number),) = shares(client, wide, before=forget_all)
    first = "the whole city's, by whoever asks for it first in a minute"
    row(first, took, "what is wanted", WANTED_MS, "ms", at_most=1)
    row("the same", number, "what is wanted", WANTED_QUERIES, "queries", at_most=1)


def bench_depth(client, items) -> None:
    """The page that nine tenths of the list stand before: in a city the 1,800th."""
    last = items.order_by("-pk").values_list("pk", flat=True)[items.count() * 9 // 10]
    deep = f"{PAGE}?after={cursor(['-pk'], last)}"
    (of_first, _), (of_deep, _) = shares(client, PAGE, deep)
    row(
        "the page after nine tenths of them", of_deep, "the first page", of_first, "ms", at_most=1.5
    )
    by_date = items.filter(due_on__isnull=False).order_by("-due_on", "-pk")
    middle = by_date[by_date.count() // 2]
    first, deep = f"{PAGE}?sort=-due_on", cursor(["-due_on"], str(middle.due_on), middle.pk)
    (of_first, _), (of_deep, _) = shares(client, first, f"{first}&after={deep}")
    row("a page amid them, by date", of_deep, "the first page", of_first, "ms", at_most=1.5)
    start = items.count() * 9 // 10

    def keyset():
        list(items.filter(pk__lt=last).order_by("-pk")[:51])

    def offset():
        list(items.order_by("-pk")[start : start + 51])

    near, far = medians(keyset, offset, times=TIMES)
    row("the rows of that page", near * 1000, "the same by OFFSET", far * 1000, "ms")


def cursor(order: list[str], *values: Any) -> str:
    """The address's part that goes on after a row with these values."""
    text = orjson.dumps([",".join(order), *values])
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def bench_search(items) -> None:
    from accounts.models import User
    from core import console

    officer = User.objects.get(username="org")
    (of_items,) = (kind for kind in console.SEARCHABLE if kind.label == "清单事项")

    def counted():
        items.filter(search__holds=WORD).count()

    def counted_by_scan():
        items.filter(search__icontains=WORD).count()

    ours, theirs = medians(counted, counted_by_scan, times=TIMES)
    row("items that hold two characters", ours * 1000, "icontains", theirs * 1000, "ms", faster=5)

    def boxed():
        list(of_items.find(WORD, officer)[:7])

    ours, theirs = medians(boxed, counted_by_scan, times=TIMES)
    row(
        "the one search box among the items",
        ours * 1000,
        "icontains",
        theirs * 1000,
        "ms",
        faster=5,
    )


def bench_others(officer, worker) -> None:
    """The long lists beside the items': of who reaches the whole city, and of one community."""
    for name, client, address in (
        ("all records of service, by their day", officer, RECORDS),
        ("the claims on either side of a community", worker, "/console/services/claims/"),
        ("what a community may claim", worker, "/console/services/offers/"),
    ):
        ((took, _),) = shares(client, address)
        row(name, took, "what is wanted of the items", WANTED_MS, "ms", at_most=1)


def signed_in(user):
    from django.test import Client

    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def main() -> None:
    os.environ["LOG_LEVEL"] = "ERROR"  # what is printed is the table
    django.setup()
    from django.db import connection

    from accounts.models import Grant, User
    from orgs.models import Area
    from services.models import Item

    with connection.cursor() as cursor:
        # What autovacuum has done by the time that anybody works with a city.
        cursor.execute("VACUUM ANALYZE services_item, services_claim, members_servicerecord")
    client = signed_in(User.objects.get(username="org"))
    items = Item.objects.all()
    place = items.values_list("district", flat=True).first()
    assert Area.objects.filter(pk=place, kind="district").exists()
    bench_pages(client, place)
    bench_depth(client, items)
    bench_search(items)
    worker = Grant.objects.filter(role="community_worker", user__is_active=True).earliest("pk").user
    bench_others(client, signed_in(worker))


if __name__ == "__main__":
    main()
