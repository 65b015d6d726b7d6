"""The clock of the database's host set forward or back by an hour: no job is lost, none runs twice.

To set the clock back by an hour is to move all stored times an hour ahead, and the other way
round; the tests do the second. The clocks of our own processes: test_clock_set.py.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from core import jobs
from core.enums import JobState
from core.jobs import running
from core.jobs.pulse import Pulse
from core.models import Job
from core.tasks import run_job
from tests.core import kinds  # noqa: F401
from tests.core.test_job_workers import until
from tests.factories.accounts import person

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = timedelta(hours=1)
BOTH_WAYS = pytest.mark.parametrize("stored", [HOUR, -HOUR], ids=["back", "forward"])


@pytest.fixture
def job(tmp_path) -> Job:
    return jobs.submit("test.write", by=person("system_admin"), marks=str(tmp_path))


def _move(stored: timedelta) -> None:
    times = ("created_at", "send_after", "started_at", "heartbeat_at", "suspect_at")
    Job.objects.update(**{name: F(name) + stored for name in times})


@BOTH_WAYS
def test_a_run_that_lives_keeps_its_job(job, stored):
    claimed = running._claim(job.pk)
    with Pulse(claimed, 600):
        _move(stored)
        jobs.sweep()
        assert Job.objects.get().suspect_at, "looked at twice before it is taken over"
        found = until(lambda: Job.objects.filter(suspect_at=None).first(), jobs.sweep)
        assert (found.state, found.token, found.attempt) == (JobState.RUNNING, claimed.token, 1)
        assert abs(found.heartbeat_at - timezone.now()) < HOUR / 2


@BOTH_WAYS
def test_a_run_that_is_dead_is_taken_over_in_seconds(job, stored):
    running._claim(job.pk)
    _move(stored)
    found = until(lambda: Job.objects.exclude(state=JobState.RUNNING).first(), jobs.sweep)
    assert found.state in (JobState.PENDING, JobState.DISPATCHED)
    assert found.token == 2


@BOTH_WAYS
def test_a_message_that_was_lost_is_sent_again_and_runs_once(job, stored):
    run_job.app.control.purge()
    _move(stored)
    jobs.sweep()
    jobs.sweep()
    job.refresh_from_db()
    assert job.sends == 2, "once at first, and once again"
    for _ in range(2):
        jobs.execute(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempt) == (JobState.DONE, 1)
