"""A worker killed with -9 in the middle of a quarterly review: another one ends it, once.

The test holds the review in its middle: the database keeps it waiting there for as long as the
test wants, so the kill comes after some of the work and before its end, however fast it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction

from core import jobs
from core.audit_check import Check
from core.enums import JobState
from core.models import AuditEvent, Job, Notification
from members.models import ServiceRecord
from orgs.models import Area
from reports.actions.compute import start_run
from reports.catalogue import MEASURES
from reports.enums import ReviewState
from reports.models import Review, Run, Score
from services.enums import ClaimState
from tests.core.test_job_workers import ended, until
from tests.factories import members, reports, services
from tests.factories.accounts import person
from tests.factories.orgs import small_city, unit

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

Waiting = Callable[[], bool]


def waits_for_us() -> bool:
    """Whether some session waits for a lock that this one holds."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks"
            " WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))"
        )
        return cursor.fetchone()[0]


@contextmanager
def _while_it_counts() -> Iterator[Waiting]:
    """The reviews stand at 计算中; the records of service cannot be read."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {ServiceRecord._meta.db_table} IN ACCESS EXCLUSIVE MODE")
        yield waits_for_us


@contextmanager
def _while_postgres_stores() -> Iterator[Waiting]:
    """The new scores are written, not committed; the run's own row cannot be."""
    with transaction.atomic():
        list(Run.objects.select_for_update(no_key=True))
        yield waits_for_us


@contextmanager
def _while_sqlite_stores() -> Iterator[Waiting]:
    """Likewise where there are no locks on rows: writing the run's row takes for ever."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TRIGGER endless BEFORE UPDATE OF finished_at ON {Run._meta.db_table} BEGIN"
            " SELECT max(n) FROM (WITH RECURSIVE counted(n) AS"
            " (SELECT 1 UNION ALL SELECT n + 1 FROM counted) SELECT n FROM counted); END"
        )
    try:
        yield Review.objects.filter(state=ReviewState.COMPUTING).exists
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER endless")


_while_it_stores = {"postgresql": _while_postgres_stores, "sqlite": _while_sqlite_stores}


@pytest.fixture
def place():
    return small_city()


def _work(place, hours: str) -> None:
    """A little of what a review counts, in two streets."""
    services.claim(services.item(place.community), unit(place.community), state=ClaimState.RATED)
    services.item(place.other_community)
    sides = members.side(place.community)
    members.confirmed(sides, members.reported(sides), days_ago=0, hours=hours)


def _figures() -> dict[tuple[int, str], tuple[Any, ...]]:
    """Every score of the quarter, by place and indicator."""
    found = Score.objects.filter(review__period=reports.this_quarter().text).values_list(
        "review__area", "key", "part", "whole", "value", "marks", "review__total", "review__band"
    )
    return {row[:2]: row[2:] for row in found}


def _assert_ended_once(run: Run) -> None:
    run.refresh_from_db()
    assert run.finished_at
    assert (run.counted, run.kept) == (14, 0)
    assert set(Review.objects.values_list("run", "state")) == {(run.pk, ReviewState.TO_CHECK)}
    assert Counter(Score.objects.values_list("review", flat=True)) == {
        review: len(MEASURES) for review in Review.objects.values_list("pk", flat=True)
    }
    did = Counter(AuditEvent.objects.values_list("action", "object_id"))
    assert did["reports.run.start", str(run.pk)] == did["reports.run.finish", str(run.pk)] == 1
    told = Notification.objects.filter(kind="jobs.done", url__contains=str(run.job_id))
    assert told.count() == 1
    assert not Check().run().broken


def _assert_evidence_matches(area: Area) -> None:
    """Each score opens to as many records as it counted."""
    period = reports.this_quarter()
    for score in Score.objects.filter(review__area=area):
        measure = MEASURES[score.key]
        if measure.counts_rows:
            assert measure.records(area, period).count() == score.part, score.key


@pytest.mark.parametrize(
    "hold",
    [
        pytest.param(_while_it_counts, marks=pytest.mark.postgres, id="counting"),
        pytest.param(_while_it_stores[connection.vendor], id="storing"),
    ],
)
def test_a_review_whose_worker_is_killed_is_ended_by_another_once(
    hold, celery_worker_process, place
):
    officer = person("org_department", place.city)
    reports.run(place.city, by=officer)  # there are scores already, and they become out of date
    _work(place, "2.5")
    old = _figures()
    run = start_run(period=reports.this_quarter(), area=place.city, by=officer)
    with hold() as in_the_middle:
        worker = celery_worker_process("reports", "default")
        until(in_the_middle)
        worker.kill()
        assert Job.objects.get(pk=run.job_id).state == JobState.RUNNING
        assert set(Review.objects.values_list("state", flat=True)) == {ReviewState.COMPUTING}
        assert _figures() == old, "nothing is half written"
    celery_worker_process("reports", "default")
    job = until(lambda: ended(Job(pk=run.job_id)), jobs.sweep)
    assert (job.state, job.attempt) == (JobState.DONE, 2)
    _assert_ended_once(run)
    for area in (place.community, place.street, place.city):
        _assert_evidence_matches(area)
    new = _figures()
    assert new != old
    reports.run(place.city, by=officer)
    assert _figures() == new, "as of a run that nobody disturbed"
