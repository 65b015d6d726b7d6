"""Requests a second of the residents' pages, on two workers, kept and rendered anew.

    DATABASE_URL=… DJANGO_SETTINGS_MODULE=config.settings.test python -m tests.bench.portal

The yardstick is a view that answers two letters, behind the same middleware. A figure is what one
request takes of the whole server.
"""

from __future__ import annotations

import os

import django

from tests.bench import row
from tests.bench.web import Ask, milliseconds, server

YARDSTICK = "a view of two letters"
TRIVIAL = Ask("/bench/trivial/")


def main() -> None:
    os.environ["LOG_LEVEL"] = "ERROR"
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.bench.settings"
    django.setup()
    from django.db import connection

    from orgs.models import Area
    from services.models import Item

    busy = Item.objects.published().values_list("community", flat=True).first()
    code = Area.objects.get(pk=busy).code
    number = Item.objects.published().filter(community=busy).values_list("number", flat=True)[0]
    connection.close()
    resident = {"Cookie": f"community={code}"}
    pages = {
        "home": Ask("/", resident),
        "a community": Ask(f"/c/{code}/", resident),
        "a service": Ask(f"/item/{number}/", resident),
    }
    for kept, limit, seconds in (("kept", 1 / 0.6, "60"), ("rendered", 1 / 0.1, "0")):
        with server(BENCH_KEPT_SECONDS=seconds) as site:
            *took, theirs = milliseconds(site.rates(*pages.values(), TRIVIAL))
        for name, spent in zip(pages, took, strict=True):
            row(f"{name}, {kept}", spent, YARDSTICK, theirs, "ms", at_most=limit)


if __name__ == "__main__":
    main()
