"""Celery tasks of the mechanisms. Each has its queue in `CELERY_TASK_ROUTES`, takes ids or
nothing, may run twice."""

from __future__ import annotations

import logging
from typing import Any

from celery import shared_task
from celery.signals import worker_init, worker_ready
from django.db import OperationalError

from core import broker, jobs, notify, tidying

log = logging.getLogger(__name__)


# Acknowledged at once: a job that takes its worker down with it is counted by its row, which the
# sweep finds, and not handed at once to the next worker by the broker.
@shared_task(ignore_result=True, acks_late=False, reject_on_worker_lost=False)
def run_job(job_id: str) -> None:
    """Run one job, if it still waits for a worker. Sent to the queue that the job's kind names."""
    jobs.execute(job_id)


@shared_task(ignore_result=True)
def sweep_jobs() -> None:
    """Send what is due, take over what fell silent, delete results past their day."""
    try:
        jobs.sweep()
    except OperationalError as error:  # SQLite under a long write: the next one comes in seconds
        log.warning("sweep left undone: %s", error)


@shared_task(ignore_result=True)
def deliver_mail() -> None:
    """Send the e-mails that are due. Started on commit, and by the clock for what was left over."""
    notify.deliver_due_mail()


@shared_task(ignore_result=True)
def tidy() -> None:
    """Delete rows past their keeping and files that no row names."""
    tidying.tidy()


@shared_task(ignore_result=True)
def drop_uploads() -> None:
    """Delete uploaded tables that nobody confirmed within a day."""
    tidying.drop_uploads()


@worker_init.connect
def answer_for_oneself(**_: Any) -> None:
    """A worker can be asked whether it is ready."""
    from core import worker_health  # noqa: F401  (to import it is to register it)


@worker_ready.connect
def sweep_at_start(sender: Any, **_: Any) -> None:
    """A worker that starts looks for what was left lying, without waiting for the clock."""
    broker.send(sweep_jobs)
