"""Celery tasks of the mechanisms. Each names its queue, takes ids or nothing, may run twice."""

from __future__ import annotations

from celery import shared_task

from core import notify


@shared_task(queue="mail", ignore_result=True)
def deliver_mail() -> None:
    """Send the e-mails that are due. Started on commit, and by the clock for what was left over."""
    notify.deliver_due_mail()
