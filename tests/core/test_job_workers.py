"""Jobs in real worker processes: killed, frozen, doubled, stopped. The test is the clock."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.enums import Role
from accounts.models import User
from core import jobs
from core.enums import ENDED, JobState
from core.jobs import running
from core.models import Job, Notification
from core.tasks import run_job
from tests.core.kinds import RESULT
from tests.factories.accounts import person
from tests.processes import parallel

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def owner():
    return person(Role.SYSTEM_ADMIN)


@pytest.fixture
def marks(tmp_path):
    folder = tmp_path / "marks"
    folder.mkdir()
    return folder


def until(condition: Callable[[], Any], step: Callable[[], Any] = lambda: None) -> Any:
    """Wait for `condition`, doing `step` between two looks."""
    deadline = time.monotonic() + 90
    while not (found := condition()):
        if time.monotonic() > deadline:
            pytest.fail(f"never came: {list(Job.objects.values())}")
        step()
        time.sleep(0.1)
    return found


def ended(job: Job) -> Job | None:
    return Job.objects.filter(pk=job.pk, state__in=ENDED).first()


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def results_of(job: Job) -> list[str]:
    folder = Path(settings.MEDIA_ROOT) / running.FOLDER
    return [path.name for path in folder.iterdir() if path.name.startswith(job.pk.hex)]


def assert_one_result(job: Job, owner: User) -> None:
    assert Notification.objects.filter(kind=RESULT).count() == 1
    assert Notification.objects.filter(kind="jobs.done").count() == 1
    assert len(results_of(job)) == 1
    assert jobs.result_of(job, owner)[0].read_text() == f"attempt {job.attempt}"


def test_a_worker_killed_in_the_middle_is_replaced_and_leaves_one_result(
    celery_worker_process, owner, marks
):
    gate = marks / "gate"
    first = celery_worker_process("reports", "default")
    job = jobs.submit("test.write", by=owner, marks=str(marks), gate=str(gate))
    until(lambda: "attempt-1-1" in names(marks))
    first.kill()
    job.refresh_from_db()
    assert job.state == JobState.RUNNING
    celery_worker_process("reports", "default")
    gate.touch()
    job = until(lambda: ended(job), jobs.sweep)
    assert (job.state, job.attempt) == (JobState.DONE, 2)
    assert names(marks) == {"gate", "attempt-1-1", "attempt-2-3"}
    assert_one_result(job, owner)


def test_a_worker_that_was_frozen_wakes_up_and_is_refused(celery_worker_process, owner, marks):
    gate = marks / "gate"
    first = celery_worker_process("reports", "default")
    job = jobs.submit("test.deaf", by=owner, marks=str(marks), gate=str(gate))
    until(lambda: "attempt-1-1" in names(marks))
    os.killpg(first.pid, signal.SIGSTOP)
    try:
        celery_worker_process("reports", "default")
        job = until(lambda: ended(job), jobs.sweep)
        assert (job.state, job.attempt) == (JobState.DONE, 2)
        gate.touch()
    finally:
        os.killpg(first.pid, signal.SIGCONT)
    first.wait_until("was taken over, its work is dropped")
    assert "written-1" in names(marks), "it did write its file, and lost it"
    job.refresh_from_db()
    assert (job.state, job.attempt) == (JobState.DONE, 2)
    assert_one_result(job, owner)


def test_a_broker_that_was_down_gets_the_row_later(
    celery_worker_process, owner, marks, broker_down
):
    with broker_down():
        job = jobs.submit("test.write", by=owner, marks=str(marks))
    celery_worker_process("reports", "default")
    assert Job.objects.get().state == JobState.PENDING
    Job.objects.update(send_after=timezone.now())
    jobs.sweep()
    job = until(lambda: ended(job))
    assert job.state == JobState.DONE
    assert_one_result(job, owner)


def test_a_worker_that_starts_looks_for_what_was_left_lying(celery_worker_process, owner, marks):
    job = jobs.submit("test.write", by=owner, marks=str(marks))
    run_job.app.control.purge()  # the broker was emptied
    Job.objects.update(send_after=timezone.now())
    celery_worker_process("reports", "default")
    assert until(lambda: ended(job)).state == JobState.DONE


def test_a_message_that_comes_many_times_runs_once(celery_worker_process, owner, marks):
    job = jobs.submit("test.write", by=owner, marks=str(marks))
    for _ in range(4):
        run_job.apply_async(args=[str(job.pk)], queue="reports")
    for _ in range(2):
        worker = celery_worker_process("reports")
    aside = marks / "aside"
    aside.mkdir()
    last = jobs.submit("test.write", by=owner, marks=str(aside))
    until(lambda: ended(last))
    job.refresh_from_db()
    assert (job.state, job.attempt) == (JobState.DONE, 1)
    assert [n for n in names(marks) if n.startswith("attempt")] == ["attempt-1-1"]
    assert worker.process.poll() is None


def test_a_running_job_shows_its_progress_and_stops_when_asked(celery_worker_process, owner, marks):
    celery_worker_process("reports")
    job = jobs.submit("test.write", by=owner, marks=str(marks), gate=str(marks / "never"), steps=7)
    seen = until(lambda: Job.objects.filter(total=7, state=JobState.RUNNING).first())
    assert (seen.message, seen.percent) == ("等待", 0)
    jobs.cancel(seen, by=owner)
    job = until(lambda: ended(job))
    assert job.state == JobState.CANCELLED
    assert results_of(job) == []
    assert not Notification.objects.filter(kind=RESULT).exists()
    again = jobs.retry(job, by=owner)
    (marks / "never").touch()
    again = until(lambda: ended(again))
    assert again.state == JobState.DONE
    assert_one_result(again, owner)


def test_a_run_that_never_looks_up_is_interrupted_at_its_limit(celery_worker_process, owner):
    worker = celery_worker_process("reports")
    job = jobs.submit("test.stuck", by=owner)
    job = until(lambda: ended(job))
    assert job.state == JobState.FAILED
    assert "时限" in job.error
    assert worker.process.poll() is None


def _sweep() -> None:
    jobs.sweep()


def test_two_clocks_at_once_do_the_work_of_one(owner, marks):
    silent, due = [], []
    for n in range(12):
        job = jobs.submit("test.write", by=owner, marks=str(marks))
        if n % 2:
            assert running._claim(job.pk)
            silent.append(job.pk)
        else:
            due.append(job.pk)
    long_ago = timezone.now() - timedelta(hours=1)
    Job.objects.filter(pk__in=due).update(send_after=long_ago)
    Job.objects.filter(pk__in=silent).update(heartbeat_at=long_ago, suspect_at=long_ago)
    for done in parallel(_sweep, [()] * 4):
        done.result()
    assert set(Job.objects.filter(pk__in=due).values_list("sends", flat=True)) == {2}
    assert set(Job.objects.filter(pk__in=silent).values_list("token", "sends", "state")) == {
        (2, 1, JobState.DISPATCHED)
    }


def _submit_once(owner_id: int, marks: str) -> str:
    owner = User.objects.get(pk=owner_id)
    try:
        return str(jobs.submit("test.write", by=owner, key="2026Q3", marks=marks).pk)
    except jobs.AlreadyRunning as refused:
        return f"refused {refused.job.pk}"


def test_of_parallel_submissions_with_one_key_one_wins_and_the_others_hear_of_it(owner, marks):
    said = [f.result() for f in parallel(_submit_once, [(owner.pk, str(marks))] * 4)]
    won = [answer for answer in said if not answer.startswith("refused")]
    assert len(won) == Job.objects.count() == 1
    assert sorted(said) == sorted([*won, *[f"refused {won[0]}"] * 3])


def _run(job_id: str) -> None:
    jobs.execute(job_id)


def test_of_workers_that_begin_together_one_gets_the_job(owner, marks):
    job = jobs.submit("test.write", by=owner, marks=str(marks))
    for done in parallel(_run, [(str(job.pk),)] * 4):
        done.result()
    job.refresh_from_db()
    assert (job.state, job.attempt) == (JobState.DONE, 1)
    assert_one_result(job, owner)
