"""Pages of figures and reviews of a seeded city: what they cost above their own SQL.

    DATABASE_URL=postgres://… python -m tests.bench.reviews

On a copy of the seeded city, which it changes.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import django

from scripts.throwaway import find_program
from tests.bench import TIMES, medians, row, seconds

SAMPLE = 10  # communities whose counts are taken one by one
PAGES = {"the workbench": "/console/", "the page of charts": "/console/reports/overview/"}


@contextmanager
def recorded() -> Iterator[list[tuple[float, str]]]:
    """(seconds, text with its values) of every statement that passes."""
    from django.db import connection

    found: list[tuple[float, str]] = []

    def record(execute, sql, params, many, context):
        start = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            took = time.perf_counter() - start
            text = context["cursor"].cursor.mogrify(sql, params)
            found.append((took, text.decode()))

    with connection.execute_wrapper(record):
        yield found


def bench_pages() -> None:
    """As the officer of the whole city sees them."""
    from django.conf import settings
    from django.test import Client

    from accounts.enums import Role
    from accounts.models import Grant

    settings.ALLOWED_HOSTS = ["testserver"]
    officers = Grant.objects.filter(role=Role.ORG_DEPARTMENT, area__kind="city")
    client = Client()
    client.force_login(officers.first().user)
    for name, address in PAGES.items():
        rounds = []
        client.get(address)  # templates are compiled once, not by visit
        for _ in range(2 * TIMES - 1):
            with recorded() as statements:
                took = seconds(lambda address=address: client.get(address))
            rounds.append((took, sum(spent for spent, _ in statements)))
        took, own = (statistics.median(found) for found in zip(*rounds, strict=True))
        row(f"{name}, of the city's officer", took, "its own SQL, same visit", own, at_most=2)


def psql(statements: list[str]) -> Callable[[], float]:
    """Seconds that psql tells for the statements, each with its result read."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql", delete=False) as file:
        file.write("\\timing on\n\\o /dev/null\n" + ";\n".join(statements) + ";\n")
    command = [find_program("psql"), "-X", "-q", "-f", file.name, os.environ["DATABASE_URL"]]

    def run() -> float:
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        times = [line.split()[1] for line in told.splitlines() if line.startswith("Time:")]
        assert len(times) == len(statements)
        return sum(map(float, times)) / 1000

    return run


def bench_count(city, period) -> None:
    """All figures of all places of a quarter, against psql and against counting by the place."""
    from orgs.models import Area
    from reports.actions.tallies import count, sources_of
    from reports.models import Run

    run = Run.objects.filter(area=city, period=period.text).latest("pk")
    with recorded() as statements:
        count(run, period)
    by_psql = psql([text for _, text in statements])
    rounds = [(seconds(lambda: count(run, period)), by_psql()) for _ in range(TIMES)]
    took, theirs = (statistics.median(found) for found in zip(*rounds, strict=True))
    row(
        "count a quarter's measures, all places",
        took,
        "the same statements in psql",
        theirs,
        at_most=1.3,
    )
    communities = list(Area.objects.active().filter(kind="community").order_by("?")[:SAMPLE])
    whole = Area.objects.active().filter(kind="community").count()

    def one_by_one() -> None:
        for area in communities:
            for source in sources_of(run):
                stamp = f"{source.path}community"
                for figure in source.figures:
                    rows = source.rows(period).filter(**{stamp: area}).filter(figure.when(period))
                    if figure.of == "rows":
                        rows.count()
                    else:
                        rows.aggregate(n=figure.aggregate(period))

    took, loop = medians(lambda: count(run, period), one_by_one)
    row(
        "the same",
        took,
        f"a loop of ORM counts by the community, {SAMPLE} of {whole:,} measured and scaled",
        loop * whole / SAMPLE,
        faster=80,
    )


def computed(city, period) -> float:
    """Seconds of one run in this process, as a worker runs it."""
    from core.jobs import execute
    from reports.actions.compute import start_run

    run = start_run(period=period, area=city, by=None)
    return seconds(lambda: execute(run.job_id))


def refreshed() -> float:
    from core.jobs import execute, submit

    job = submit("reports.refresh", by=None)
    return seconds(lambda: execute(job.pk))


def bench_refresh(city, period) -> None:
    """After one record in a hundred has changed: all that one community in a hundred has, and as
    many strewn over the whole city."""
    from django.db.models import F

    from members.models import ServiceRecord
    from orgs.models import Area
    from services.models import Claim

    homes = Area.objects.active().filter(kind="community").order_by("code")
    some = list(homes.values_list("pk", flat=True))[::100]
    services, claims = ServiceRecord.objects.all(), Claim.objects.all()

    def few_places() -> None:
        services.filter(community__in=some).update(hours=F("hours") % 12 + 0.5)
        claims.filter(item__community__in=some).update(responsible="李四")

    def all_over() -> None:
        services.extra(where=["id %% 100 = 7"]).update(hours=F("hours") % 12 + 0.5)
        claims.extra(where=["id %% 100 = 7"]).update(responsible="李四")

    rounds = []
    refreshed()
    for _ in range(TIMES):
        with recorded() as statements:
            took = computed(city, period)
        own = sum(spent for spent, _ in statements)
        refreshed()  # the marks that are older than the run
        few_places()
        few = refreshed()
        all_over()
        rounds.append((took, own, few, refreshed()))
    full, own, few, strewn = (statistics.median(found) for found in zip(*rounds, strict=True))
    row("a whole run: counted, scored, stored, audited", full, "its own SQL, COPY left out", own)
    changed = "refresh after 1 % of the records changed"
    row(f"{changed}, in 1 % of the communities", few, "a whole run", full, at_most=0.2)
    row(f"{changed}, strewn over all communities", strewn, "a whole run", full)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
    os.environ["LOG_LEVEL"] = "ERROR"  # what is printed is the table
    django.setup()
    from django.db import connection

    from core.periods import parse_period
    from orgs.models import Area

    city = Area.objects.get(kind="city")
    period = parse_period("2026Q3")  # the quarter with most activity (seed_demo)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    bench_pages()
    computed(city, period)
    bench_count(city, period)
    bench_refresh(city, period)


if __name__ == "__main__":
    main()
