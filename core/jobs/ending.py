"""The end of a run: one conditional update and the owner's message, in one transaction."""

from __future__ import annotations

from typing import Any

from django.db import models, transaction
from django.db.models import F
from django.utils import timezone

from core.enums import JobState
from core.models import Job
from core.notify import notify


def end(mine: models.QuerySet[Job], job: Job, state: JobState, **values: Any) -> bool:
    """Bring the one row of `mine` to `state`; False, and nothing written, if it is no longer ours.

    The token is raised, so that whoever still works on it is shut out.
    """
    with transaction.atomic():
        ended = mine.update(
            state=state, token=F("token") + 1, finished_at=timezone.now(), suspect_at=None, **values
        )
        if ended:
            tell(job, state, values.get("error", ""))
    return bool(ended)


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
