"""Requests a second of the items' list and of its JSON, on two workers, in a city of 100,000 items.

    DATABASE_URL=… DJANGO_SETTINGS_MODULE=config.settings.test python -m tests.bench.pages

Every address is asked with a sign-in, behind the same middleware; the yardsticks are those of
tests/bench/urls.py. A figure is what one request takes of the whole server.
"""

from __future__ import annotations

import os

import django

from tests.bench import row
from tests.bench.web import SECONDS, Ask, Site, cookie_of, milliseconds, server

WORD = "%E7%90%86%E5%8F%91"  # 理发
LIST, ADMIN, BARE = "/console/services/items/", "/bench/admin/services/item/", "/bench/bare/"


def compare(site: Site, works: list[tuple[str, Ask]], theirs: tuple[str, Ask], **wanted) -> None:
    """A row for each work beside one yardstick, all in turns."""
    took = milliseconds(site.rates(*(ask for _, ask in works), theirs[1]))
    for (name, _), spent in zip(works, took[:-1], strict=True):
        row(name, spent, theirs[0], took[-1], "ms", **wanted)


def hold(site: Site, name: str, ours: Ask, bare: Ask, admin: Ask) -> None:
    """Rows for a list: held to Django admin's, beside what the least that could be done is by the
    same measure (docs/adr/0023-face-twelve-times-admin.md), and to that least. All in turns."""
    took, least, theirs = milliseconds(site.rates(ours, bare, admin))
    row(name, took, "Django admin's of the same rows", theirs, "ms", faster=12)
    row("a bare Jinja2 page of them", least, "Django admin's of the same rows", theirs, "ms")
    row(name, took, "a bare Jinja2 page of the same rows", least, "ms", at_most=2.5)


def bench_list(
    site: Site, places: dict[str, int], signed_in: dict[str, str], deep: int, cursor: str
) -> None:
    """With a place, a kind, a state and two characters by date; all there is; and in it the page
    `deep`, which begins after `cursor`."""
    for level, place in places.items():
        name = f"a {level}'s list by kind, state and search, by date"
        rest = f"{level}__id__exact={place}&kind__exact=service&state__exact=published&o=-7"
        asked = f"?area={place}&level={level}&kind=service&state=published&q={WORD}&sort=-due_on"
        ours = Ask(LIST + asked.replace(f"&level={level}", ""), signed_in)
        admin = Ask(f"{ADMIN}?q={WORD}&{rest}", signed_in)
        hold(site, name, ours, Ask(BARE + asked, signed_in), admin)
    first = Ask(LIST, signed_in)
    hold(site, "all items, newest first", first, Ask(BARE, signed_in), Ask(ADMIN, signed_in))
    last = ("the page after nine tenths of them", Ask(f"{LIST}?after={cursor}", signed_in))
    admin = ("Django admin's", Ask(f"{ADMIN}?p={deep}", signed_in))
    compare(site, [last], admin, faster=12)
    compare(site, [last], ("our first page", first), at_most=1.2)


def bench_api(site: Site, signed_in: dict[str, str]) -> None:
    ours, theirs = Ask("/api/v1/items/", signed_in), Ask("/bench/api/items/", signed_in)
    compare(site, [("50 items as JSON", ours)], ("DRF's ModelSerializer", theirs), faster=2)


def bench_connections(site: Site, other: Site, signed_in: dict[str, str]) -> None:
    """A page of one query on a server that connects anew for each request, in turns."""
    ask = Ask("/bench/trivial/", signed_in)
    for one in (site, other):
        one.rate(ask, 0.5)
    rounds = [(site.rate(ask, SECONDS), other.rate(ask, SECONDS)) for _ in range(5)]
    kept, anew = (sorted(rates)[2] for rates in zip(*rounds, strict=True))
    took, theirs = milliseconds((kept, anew))
    row(
        "a page of one query, connections kept",
        took,
        "a connection a request",
        theirs,
        "ms",
        faster=1.5,
    )


def main() -> None:
    os.environ["LOG_LEVEL"] = "ERROR"
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.bench.settings"
    django.setup()
    from django.db import connection

    from accounts.models import User
    from core.pagination import PAGE_SIZE
    from services.models import Item
    from tests.bench.lists import cursor as after

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE services_item")
    signed_in = {"Cookie": cookie_of(User.objects.get(username="org"))}
    levels = ("city", "district")
    places = dict(zip(levels, Item.objects.values_list(*levels).first(), strict=True))
    deep = Item.objects.count() * 9 // 10 // PAGE_SIZE  # of a city's 100,000 the 1,800th
    before = Item.objects.order_by("-pk").values_list("pk", flat=True)[(deep - 1) * PAGE_SIZE - 1]
    connection.close()
    with server() as site, server(BENCH_CONN_MAX_AGE="0") as other:
        bench_list(site, places, signed_in, deep, after(["-pk"], before))
        bench_api(site, signed_in)
        bench_connections(site, other, signed_in)


if __name__ == "__main__":
    main()
