"""One attempt of a job in a worker: claimed, beating, fenced, ended once."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from core import outages
from core.enums import WAITING, JobState
from core.errors import Refused
from core.files import clean_name
from core.jobs.ending import end
from core.jobs.kinds import KINDS, Kind
from core.jobs.outbox import CUT_OFF
from core.jobs.pulse import Cancelled, OutOfTime, Pulse, Superseded
from core.models import Job
from core.scope import require

log = logging.getLogger(__name__)

FOLDER = "jobs"  # below MEDIA_ROOT
BACK_OFF = timedelta(seconds=10)  # after a database that went away; doubled by each attempt
_RIGHT_LOST = "发起人已没有执行这项任务的权限，任务未执行。请由有权限的人重新发起。"
_NO_ROOM = (
    f"服务器{outages.DISK_FULL}，没有生成文件，也没有写入不完整的结果。"
    "请告诉系统管理员清理磁盘，之后点“重试”。"
)
_UNKNOWN = "系统当前版本不支持这类任务，任务未执行。请联系系统管理员。"


class Run:
    """What the run function sees of its job."""

    def __init__(self, job: Job, kind: Kind, pulse: Pulse) -> None:
        self.job, self.kind, self._pulse = job, kind, pulse
        self.id: UUID = job.pk
        self.attempt = job.attempt
        self._result: tuple[Path, str] | None = None

    @property
    def owner(self) -> Any:
        """The user in whose name it runs; None for the clock. Grants as they stand now."""
        return self.job.owner

    @cached_property
    def about(self) -> Any:
        """The object that it was submitted for."""
        return self.job.about

    def progress(self, done: int, total: int, message: str = "") -> None:
        """Say how far it is. Costs nothing, so call it for every row; written about once a second.

        Raises `Cancelled`, `Superseded` or `OutOfTime` when the run must end: let them pass.
        """
        self._pulse.progress = (done, total, message[:200])
        self._pulse.check()

    @contextlib.contextmanager
    def atomic(self) -> Iterator[None]:
        """A transaction that commits only while this run is the one that counts.

        Whatever a run writes, it writes in here: a worker that was taken for dead and wakes up
        late finds the fence shut and its writes undone.
        """
        with transaction.atomic():
            yield
            # At the end, not the beginning: the lock is held for a moment and stops no heartbeat.
            held = Job.objects.held(self.job).select_for_update(no_key=True)
            if not held.values_list("pk", flat=True).first():
                raise Superseded

    @contextlib.contextmanager
    def result(self, name: str) -> Iterator[Path]:
        """A path to write the result file to; published under `name` when the run ends well."""
        name = clean_name(name, "结果")
        folder = Path(settings.MEDIA_ROOT) / FOLDER
        folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        stem = f"{self.id.hex}-{self.job.token}-{secrets.token_hex(4)}"
        path = folder / f"{stem}.part{Path(name).suffix}"
        self._discard()
        self._result = (path, name)
        yield path

    def _publish(self) -> dict[str, Any]:
        """Give the result its final name, which holds the token: no two attempts share one."""
        if self._result is None:
            return {}
        path, name = self._result
        with path.open("rb") as file:
            os.fsync(file.fileno())
        final = path.with_name(path.name.replace(".part", "", 1))
        path.replace(final)
        self._result = (final, name)
        return {
            "result_path": f"{FOLDER}/{final.name}",
            "result_name": name,
            "result_size": final.stat().st_size,
            "result_expires_at": timezone.now() + timedelta(days=self.kind.keep_days),
        }

    def _discard(self) -> None:
        if self._result is not None:
            self._result[0].unlink(missing_ok=True)
            self._result = None


def execute(job_id: UUID | str) -> None:
    """Run a job if it still waits for a worker. The one entry of `core.tasks.run_job`."""
    job = _claim(job_id)
    if job is None:
        log.info("job %s does not wait for a worker: this message came twice or too late", job_id)
        return
    kind = KINDS.get(job.kind)
    if kind is None:
        log.error("job %s: kind %s is not known to this worker", job.pk, job.kind)
        _settle(job, JobState.FAILED, error=_UNKNOWN)
        return
    with (
        structlog.contextvars.bound_contextvars(request_id=f"job:{job.pk}"),
        Pulse(job, kind.minutes * 60) as pulse,
    ):
        run = Run(job, kind, pulse)
        try:
            _attempt(run)
        finally:
            run._discard()


def _claim(job_id: UUID | str) -> Job | None:
    """Take a waiting job for this process: one conditional update, the fence raised with it."""
    with transaction.atomic():
        claimed = Job.objects.filter(pk=job_id, state__in=WAITING).update(
            state=JobState.RUNNING,
            token=F("token") + 1,
            attempt=F("attempt") + 1,
            worker=f"{socket.gethostname()}:{os.getpid()}"[:120],
            started_at=Coalesce("started_at", Now()),
            heartbeat_at=Now(),
            suspect_at=None,
            done=0,
            total=0,
            message="",
        )
        return Job.objects.select_related("owner").get(pk=job_id) if claimed else None


def _attempt(run: Run) -> None:
    job = run.job
    try:
        _check(job)
        run.kind.run(run, **job.params)
        published = run._publish()
    except Superseded:
        log.warning("job %s: attempt %s was taken over, its work is dropped", job.pk, job.attempt)
    except Cancelled:
        _settle(job, JobState.CANCELLED)
    except Refused as refusal:
        _settle(job, JobState.FAILED, error=refusal.message)
    except (OutOfTime, SoftTimeLimitExceeded):
        log.warning("job %s (%s) took over %g minutes", job.pk, job.kind, run.kind.minutes)
        _settle(job, JobState.FAILED, error=_out_of_time(run.kind))
    except Exception as error:
        full = outages.is_disk_full(error)
        if outages.is_database_away(error) and not full:
            log.exception("job %s (%s): the database failed it", job.pk, job.kind)
            _give_back(job, run.kind)
            return
        run._discard()  # before the end is told: whoever hears of it may make room at once
        reference = secrets.token_hex(4)
        log.exception("job %s (%s) failed, reference %s", job.pk, job.kind, reference)
        _settle(job, JobState.FAILED, error=_NO_ROOM if full else _unexpected(reference))
    else:
        done, total, message = run._pulse.progress
        final = {"done": done, "total": total, "message": message, **published}
        if _settle(job, JobState.DONE, **final):
            run._result = None  # published: no longer ours to discard


def _check(job: Job) -> None:
    """Whether it may still begin: the owner's right may have ended since the submission."""
    if job.cancel_asked_at:  # of an earlier attempt, which did not live to hear it
        raise Cancelled
    if job.owner_id is None or not job.perm:
        return
    about = job.about
    if job.about_type and about is None:
        raise Refused("任务所针对的对象已不存在，任务未执行。")
    try:
        require(job.owner, job.perm, about)
    except PermissionDenied:
        raise Refused(_RIGHT_LOST) from None


def _settle(job: Job, state: JobState, **values: Any) -> bool:
    """End the run if it is still the one that counts; patient with a database that is away."""
    return _patiently(lambda: end(Job.objects.held(job), job, state, **values))


def _give_back(job: Job, kind: Kind) -> None:
    """Let the job wait for another attempt, or fail it after the last."""
    if job.attempt >= kind.attempts:
        _settle(job, JobState.FAILED, error=CUT_OFF)
        return
    again = timezone.now() + BACK_OFF * 2 ** (job.attempt - 1)
    _patiently(
        lambda: Job.objects.held(job).update(
            state=JobState.PENDING, token=F("token") + 1, sends=0, send_after=again
        )
    )


def _patiently(write: Callable[[], Any]) -> bool:
    for pause in (0.5, 1, 2, 4, None):
        try:
            return bool(write())
        except (OperationalError, InterfaceError) as error:
            if pause is None:
                raise  # the heartbeat stops with us, and the sweep takes the job over
            log.warning("a job's end could not be written, trying again: %s", error)
            _drop_connection()
            time.sleep(pause)
    return False


def _drop_connection() -> None:
    if not connection.in_atomic_block:
        with contextlib.suppress(DatabaseError):
            connection.close()


def _out_of_time(kind: Kind) -> str:
    return f"处理超过 {kind.minutes:g} 分钟的时限，已停止。请缩小范围后重试，或联系系统管理员。"


def _unexpected(reference: str) -> str:
    return f"处理中出现意外错误（编号 {reference}），没有写入不完整的结果。请稍后重试；如仍失败，请把编号告诉系统管理员。"
