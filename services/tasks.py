"""What the calendar does to the lists, once a day. A second run finds nothing left to do."""

from __future__ import annotations

from datetime import date

import structlog
from celery import shared_task
from django.utils import timezone

from services.actions.rounds import carry_over
from services.actions.tickets import erase_phones

log = structlog.get_logger(__name__)


@shared_task(queue="default")
def turn_the_day(day: str | None = None) -> dict[str, int]:
    """Carry unclaimed items into the new round, erase phones no longer needed. `day`: ISO date."""
    today = date.fromisoformat(day) if day else timezone.localdate()
    done = {"carried": carry_over(today=today), "phones_erased": erase_phones()}
    log.info("services.day", day=str(today), **done)
    return done
