"""What people do to a job: stop it, begin it anew, wait for it, fetch its result."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404
from django.utils import timezone

from core.enums import ENDED, JobState
from core.errors import Conflict, Refused
from core.jobs.ending import abandon
from core.jobs.kinds import KINDS
from core.jobs.outbox import deliver, insert_once
from core.models import Job
from core.scope import require
from core.transitions import Machine, Transition, transit

_POLL = (0.2, 2.0)  # seconds between two looks, at first and at most


class NotDone(Refused):
    """A job waited for did not end well: `job` as it stands, the reason as the message."""

    def __init__(self, message: str, job: Job) -> None:
        super().__init__(message)
        self.job = job


def _no_kind(job: Job, by: Any) -> str | None:
    return None if job.kind in KINDS else "系统当前版本不支持这类任务，不能重试。"


def _cancelled(job: Job, by: Any) -> None:
    job.token += 1
    job.finished_at = timezone.now()
    abandon(job)  # it may have begun before, and been given back


def _asked_to_stop(job: Job, by: Any) -> None:
    job.cancel_asked_at = timezone.now()


def _begun_anew(job: Job, by: Any) -> None:
    job.token += 1
    job.attempt = job.sends = job.done = job.total = 0
    job.message = job.error = job.worker = ""
    job.finished_at = job.started_at = job.heartbeat_at = job.cancel_asked_at = None
    job.send_after = timezone.now()
    insert_once(job)
    transaction.on_commit(lambda: deliver(job), robust=True)


# Only what people do. The worker's own moves (sent, begun, ended, taken over) are conditional
# updates on the fence, drawn in docs/jobs.md.
JOB = Machine(
    "core.Job",
    states=JobState,
    transitions=[
        Transition(
            "cancel",
            "取消",
            [JobState.PENDING, JobState.DISPATCHED],
            JobState.CANCELLED,
            perm="jobs.all",
            apply=_cancelled,
            tone="danger",
            hint="任务还没有开始，取消后不会执行。",
        ),
        Transition(
            "stop",
            "停止",
            [JobState.RUNNING],
            JobState.RUNNING,
            perm="jobs.all",
            guard=lambda job, by: "已要求停止，正在等待任务响应。" if job.cancel_asked_at else None,
            apply=_asked_to_stop,
            tone="danger",
            hint="任务会在处理完手头一步后停止，未完成的结果不保留。",
        ),
        Transition(
            "retry",
            "重试",
            [JobState.FAILED, JobState.CANCELLED],
            JobState.PENDING,
            perm="jobs.all",
            guard=_no_kind,
            apply=_begun_anew,
            hint="按原来的参数重新执行。",
        ),
    ],
)


def cancel(job: Job, *, by: Any) -> Job:
    """Cancel a waiting job, or ask a running one to stop at its next progress."""
    try:
        return transit(job, "cancel", by=by)
    except Conflict:
        return transit(job, "stop", by=by)  # it began meanwhile


def retry(job: Job, *, by: Any) -> Job:
    """Begin a failed or cancelled job anew, with its attempts counted from nought."""
    return transit(job, "retry", by=by)


def wait_for(job: Job, timeout: float, on_progress: Callable[[Job], None] | None = None) -> Job:
    """Wait until the job has ended well; for commands. Raises `NotDone` when it failed, was
    cancelled, or has not ended within `timeout` seconds (it then goes on by itself).

    `on_progress` is called with the fresh row at each look.
    """
    until, pause = time.monotonic() + timeout, _POLL[0]
    while True:
        job = Job.objects.get(pk=job.pk)
        if on_progress:
            on_progress(job)
        if job.state == JobState.DONE:
            return job
        if job.state in ENDED:
            raise NotDone(job.error or f"“{job.title}”{job.get_state_display()}。", job)
        if time.monotonic() >= until:
            raise NotDone(_still_waiting(job, timeout), job)
        if job.send_after <= timezone.now():
            deliver(job)  # so that a lone command gets by without the clock's sweep
        time.sleep(min(pause, max(0.0, until - time.monotonic())))
        pause = min(pause * 1.5, _POLL[1])


def _still_waiting(job: Job, timeout: float) -> str:
    if job.state == JobState.RUNNING:
        return f"等了 {timeout:.0f} 秒，“{job.title}”仍在运行，会在后台继续。"
    return f"等了 {timeout:.0f} 秒，还没有工作进程接手“{job.title}”。请确认 worker 已启动；启动后会自动执行。"


def result_of(job: Job, user: Any) -> tuple[Path, str]:
    """The path and name of a job's result for `user`, who has already passed the job's scope.

    Asks for the right again: what a person may fetch is what they may see today, and the
    administrator who watches over jobs does not thereby read their results.
    """
    if job.perm:
        about = job.about
        if job.about_type and about is None:
            raise Http404("what the job was about is gone")
        require(user, job.perm, about)
    elif job.owner_id != user.pk:
        raise PermissionDenied(f"result of job {job.pk} is its owner's")
    if job.state != JobState.DONE or not job.result_name:
        raise Http404("no result")
    if not job.result_path or job.result_expires_at <= timezone.now():
        raise Refused("结果文件已过保留期并删除。请重新发起任务。")
    return Path(settings.MEDIA_ROOT) / job.result_path, job.result_name
