"""The end of a run: one conditional update and the owner's message, in one transaction."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError, connection, models, transaction
from django.db.models import F
from django.utils import timezone

from core import outages
from core.enums import JobState
from core.jobs.kinds import KINDS
from core.models import Job
from core.notify import notify

log = logging.getLogger(__name__)

_PATIENCE_MS = 400  # below PostgreSQL's deadlock_timeout of 1 s
_HELD = {"55P03", "40P01"}  # lock_not_available, deadlock_detected


def end(mine: models.QuerySet[Job], job: Job, state: JobState, **values: Any) -> bool:
    """Bring the one row of `mine` to `state`; False, and nothing written, if it is no longer ours.

    The token is raised, so that whoever still works on it is shut out. A message that finds no
    room in the database is left out: the row is changed where it stands, and it is what counts. A
    job that failed for want of room would else never be seen to have failed.
    """
    with transaction.atomic():
        ended = mine.update(
            state=state, token=F("token") + 1, finished_at=timezone.now(), suspect_at=None, **values
        )
        if ended:
            if state != JobState.DONE:
                abandon(job)
            try:
                with transaction.atomic():
                    tell(job, state, values.get("error", ""))
            except OperationalError as error:
                if not outages.is_disk_full(error):
                    raise
                log.warning("job %s: its owner is not told for want of room: %s", job.pk, error)
    return bool(ended)


def abandon(job: Job) -> None:
    """Have its kind set right what an attempt has left. That this fails does not keep the job from
    its end, unless the database is away: then the end is tried again as a whole.

    A worker that stands still may hold the rows. The end of its job does not wait for it, for the
    sweep and all other jobs would wait along.
    """
    kind = KINDS.get(job.kind)
    if kind is None or kind.abandoned is None:
        return
    try:
        with transaction.atomic(), _little_patience():
            kind.abandoned(job)
    except Exception as error:
        held = getattr(error.__cause__, "pgcode", None) in _HELD
        if outages.is_database_away(error) and not held and not outages.is_disk_full(error):
            raise
        log.exception("job %s (%s): what it has left stands", job.pk, job.kind)


@contextmanager
def _little_patience() -> Iterator[None]:
    """Within a savepoint on PostgreSQL: no row is waited for longer than `_PATIENCE_MS`."""
    if connection.vendor != "postgresql":  # one writer at a time
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout')")
        (before,) = cursor.fetchone()
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{_PATIENCE_MS}ms"])
        yield
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [before])


def tell(job: Job, state: JobState, error: str = "") -> None:
    """Put the outcome in the owner's inbox; a failure is mailed too. Who cancels knows it."""
    if job.owner_id is None or state == JobState.CANCELLED:
        return
    notify(
        [job.owner_id],
        title=f"{job.title}：{state.label}",
        body=error,
        about=job,
        kind=f"jobs.{state.value}",
        mail=state == JobState.FAILED,
    )
