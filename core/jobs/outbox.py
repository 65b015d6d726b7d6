"""From the wish to the broker: jobs are sent from their rows, and from them again if need be.

`submit` writes the row in the deed's transaction and sends on commit. Whatever fails after that
(broker down, message lost, worker killed) is found by `sweep`, which every worker runs at its
start and the clock every few seconds. Each step is a conditional update, so any number of sweeps
and messages at once do the work of one.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from core import broker
from core.enums import WAITING, JobState
from core.errors import Conflict
from core.jobs.ending import end
from core.jobs.kinds import ATTEMPTS, KINDS
from core.models import Job

log = logging.getLogger(__name__)

BATCH = 500
SEND_AGAIN = timedelta(minutes=1)  # a message not begun by then may be lost; doubled by each send
SEND_AGAIN_DOUBLINGS = 4
# No send is put off for longer. What seems to be was written before the clock was set back.
LONGEST_WAIT = timedelta(minutes=20)
BROKER_WAIT = timedelta(seconds=10)  # after a broker that did not take it
HARD_LIMIT_GRACE = 30  # seconds from the limit that a run can answer to the one that kills it
CUT_OFF = "任务多次中途中断，系统已停止自动重试。请稍后点“重试”；如仍失败，请联系系统管理员。"


class AlreadyRunning(Conflict):
    """An active job of the same kind and key exists: `job`."""

    def __init__(self, job: Job) -> None:
        who = f"由{job.owner}" if job.owner_id else "由系统"
        at = timezone.localtime(job.created_at)
        super().__init__(
            f"“{job.title}”正在进行（{who}于 {at:%m月%d日 %H:%M} 发起），请等它完成后再试。"
        )
        self.job = job


def submit(
    kind: str,
    /,
    *,
    by: Any,
    key: str = "",
    title: str = "",
    about: models.Model | None = None,
    perm: str | None = None,
    **params: Any,
) -> Job:
    """Ask for a run of `kind`; it begins after the surrounding transaction commits.

    by: the owner, who sees it and in whose name it runs; None for the clock.
    key: while a job with this key is active, a second one raises `AlreadyRunning`.
    about, perm: the owner must hold `perm` (default: the kind's) over `about` (default: anywhere)
        when it runs, and whoever fetches the result when they fetch it.
    params: what the run function takes; JSON values, so ids and not objects.
    """
    declared = KINDS[kind]
    perm = declared.perm if perm is None else perm
    if about is not None and perm and not hasattr(type(about), "scope"):
        raise TypeError(f"{type(about)} has no scope to hold {perm} over")
    job = Job(
        kind=kind,
        key=key,
        title=(title or declared.title)[:160],
        queue=declared.queue,
        params=params,
        owner_id=by.pk if by is not None else None,
        perm=perm,
        about_type=about._meta.label_lower if about is not None else "",
        about_id=str(about.pk) if about is not None else "",
    )
    insert_once(job, force_insert=True)
    transaction.on_commit(lambda: deliver(job), robust=True)
    return job


def insert_once(job: Job, **how: Any) -> None:
    """Save a job that becomes active, or raise `AlreadyRunning` when its key is taken."""
    for last in (False, False, True):  # the one in the way may end between the two looks
        try:
            with transaction.atomic():
                job.save(**how)
        except IntegrityError:
            rivals = Job.objects.active().filter(kind=job.kind, key=job.key).exclude(pk=job.pk)
            rival = rivals.select_related("owner").first() if job.key else None
            if rival is not None:
                raise AlreadyRunning(rival) from None
            if last or not job.key:
                raise
        else:
            return


def deliver(job: Job) -> bool:
    """Send the job's message if it is due and nobody else is sending it; False if it did not go."""
    from core.tasks import run_job  # here: tasks import this module

    now = timezone.now()
    wait = SEND_AGAIN * 2 ** min(job.sends, SEND_AGAIN_DOUBLINGS)
    mine = Job.objects.filter(pk=job.pk, token=job.token, state__in=WAITING)
    if not mine.filter(send_after=job.send_after).update(
        send_after=now + wait, sends=F("sends") + 1
    ):
        return False
    kind = KINDS.get(job.kind)
    seconds = kind.minutes * 60 if kind else None
    limits = {"soft_time_limit": seconds, "time_limit": seconds + HARD_LIMIT_GRACE} if kind else {}
    if broker.send(run_job, str(job.pk), queue=job.queue, **limits):
        mine.filter(state=JobState.PENDING).update(state=JobState.DISPATCHED)
        return True
    mine.update(send_after=now + BROKER_WAIT)
    return False


def sweep() -> None:
    """Take over what was left lying and send what is due. Harmless at any time, in any number."""
    broker.try_again()
    take_over_stale()
    send_due()
    drop_expired_results()


def send_due() -> int:
    """Send the messages that are due, oldest first; stop at the first that the broker refuses."""
    now = timezone.now()
    time_has_come = Q(send_after__lte=now) | Q(send_after__gt=now + LONGEST_WAIT)
    due = Job.objects.filter(time_has_come, state__in=WAITING)
    sent = 0
    for job in due.order_by("send_after", "pk")[:BATCH]:
        if deliver(job):
            sent += 1
        elif broker.is_away():
            break
    return sent


def take_over_stale() -> int:
    """Begin anew (or end) the running jobs whose worker has fallen silent.

    Two looks some time apart must both find it silent, on the database's clock. When everything
    stood still together (a suspended machine, a long write on SQLite, a restarted database), or the
    clock was set, the living come back between the two. A beat from the future was made before the
    clock was set back, and is as old as one from long ago.
    """
    pulse = settings.JOB_HEARTBEAT_SECONDS
    silence = timedelta(seconds=6 * pulse)
    silent = Q(state=JobState.RUNNING) & (
        Q(heartbeat_at__lt=Now() - silence) | Q(heartbeat_at__gt=Now() + silence)
    )
    confirmed = Q(suspect_at__lt=Now() - timedelta(seconds=2 * pulse))
    taken = 0
    for job in Job.objects.filter(silent, confirmed).select_related("owner")[:BATCH]:
        taken += _take_over(job, silent & confirmed)
    first = Q(suspect_at__isnull=True) | Q(suspect_at__gt=Now())
    Job.objects.filter(silent, first).update(suspect_at=Now())
    return taken


def _take_over(job: Job, still: Q) -> bool:
    """One change of hands, if it is `still` silent: the raised token shuts the old worker out."""
    mine = Job.objects.held(job).filter(still)
    if job.cancel_asked_at:
        taken = end(mine, job, JobState.CANCELLED)
    elif job.attempt >= attempts_of(job):
        taken = end(mine, job, JobState.FAILED, error=CUT_OFF)
    else:
        taken = bool(
            mine.update(
                state=JobState.PENDING,
                token=F("token") + 1,
                suspect_at=None,
                sends=0,
                send_after=timezone.now(),
            )
        )
    if taken:
        log.warning(
            "job %s (%s): worker %s fell silent in attempt %s",
            *(job.pk, job.kind, job.worker, job.attempt),
        )
    return taken


def attempts_of(job: Job) -> int:
    """How often it may be begun; a kind unknown here may be known to a worker of a newer version."""
    kind = KINDS.get(job.kind)
    return kind.attempts if kind else ATTEMPTS


def drop_expired_results() -> int:
    """Delete result files past their day; the job's row stays and says so."""
    dropped = 0
    expired = Job.objects.filter(result_expires_at__lte=timezone.now()).exclude(result_path="")
    for pk, path in expired.values_list("pk", "result_path")[:BATCH]:
        # The row first: a file that no row names is tidied up, a row without its file is a fault.
        dropped += Job.objects.filter(pk=pk, result_path=path).update(result_path="")
        (Path(settings.MEDIA_ROOT) / path).unlink(missing_ok=True)
    return dropped
