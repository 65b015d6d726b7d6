"""A worker killed with -9 in each phase of a job: the job ends once, and so do its effects.

In the middle of the work: tests/core/test_job_workers.py, and of a review
tests/reports/test_review_killed.py. Here: before it takes the message, before it claims the row,
between the finished file and the end of the row, and after the end of the row.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from core import jobs, tidying
from core.enums import JobState
from core.jobs import running
from core.models import Job, Notification
from tests.core.kinds import RESULT
from tests.core.test_job_workers import ended, names, results_of, until
from tests.factories.accounts import person
from tests.fixtures_services import WorkerProcess

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.services,
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def marks(tmp_path) -> Path:
    folder = tmp_path / "marks"
    folder.mkdir()
    return folder


@contextmanager
def frozen(worker: WorkerProcess) -> Iterator[None]:
    os.killpg(worker.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(worker.pid, signal.SIGCONT)


def _somebody_waits_for_us() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks"
            " WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))"
        )
        return cursor.fetchone()[0]


def _a_minute_later(job: Job) -> None:
    """The message was lost with the worker; a sweep sends it again, a minute after it went."""
    Job.objects.filter(pk=job.pk).update(send_after=timezone.now())
    jobs.sweep()


def _assert_done_once(job: Job, attempt: int) -> None:
    job.refresh_from_db()
    assert (job.state, job.attempt, job.error) == (JobState.DONE, attempt, "")
    told = Notification.objects.filter(user=job.owner)
    assert told.filter(kind=RESULT).count() == 1
    assert told.filter(kind="jobs.done").count() == 1
    assert jobs.result_of(job, job.owner)[0].read_text() == f"attempt {attempt}"


def test_a_job_is_done_once_whenever_its_worker_is_killed(celery_worker_process, marks):
    def submit(kind: str, name: str) -> Job:
        folder = marks / name
        folder.mkdir()
        gate = {"gate": str(folder / "gate")} if kind == "test.last" else {}
        return jobs.submit(kind, by=person("system_admin"), marks=str(folder), **gate)

    # Before it takes the message: the broker has handed it to a process that never reads it.
    worker = celery_worker_process("reports", "default")
    with frozen(worker):
        job = submit("test.write", "untaken")
        worker.kill()
    worker = celery_worker_process("reports", "default")
    _a_minute_later(job)
    until(lambda: ended(job))
    _assert_done_once(job, attempt=1)

    # After it took the message, before it claimed the row: the row is held.
    with ExitStack() as held:
        with frozen(worker):
            job = submit("test.write", "unclaimed")
            held.enter_context(_held(job))
        until(_somebody_waits_for_us)
        worker.kill()
    job.refresh_from_db()
    assert (job.state, job.attempt) == (JobState.DISPATCHED, 0)
    worker = celery_worker_process("reports", "default")
    _a_minute_later(job)
    until(lambda: ended(job))
    _assert_done_once(job, attempt=1)

    # After the file is published, before the row says so.
    job = submit("test.last", "unmarked")
    folder = marks / "unmarked"
    until(lambda: "written-1" in names(folder))
    with _held(job):
        (folder / "gate").touch()
        until(lambda: _somebody_waits_for_us() and _published(job))
        worker.kill()
    job.refresh_from_db()
    assert (job.state, job.result_path) == (JobState.RUNNING, ""), "nothing is offered yet"
    (orphan,) = _published(job)
    worker = celery_worker_process("reports", "default")
    until(lambda: ended(job), jobs.sweep)
    _assert_done_once(job, attempt=2)
    os.utime(orphan, (0, 0))
    tidying.tidy()
    assert [Path(job.result_path).name] == results_of(job), "the night has cleared the other away"

    # After the row says so: the message comes again.
    job = submit("test.write", "unacknowledged")
    until(lambda: ended(job))
    worker.kill()
    jobs.execute(job.pk)
    _assert_done_once(job, attempt=1)


@contextmanager
def _held(job: Job) -> Iterator[None]:
    with transaction.atomic():
        assert list(Job.objects.select_for_update().filter(pk=job.pk)) == [job]
        yield


def _published(job: Job) -> list[Path]:
    folder = Path(settings.MEDIA_ROOT) / running.FOLDER
    return [path for path in folder.glob(f"{job.pk.hex}*") if ".part" not in path.name]
