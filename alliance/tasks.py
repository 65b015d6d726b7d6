"""What the calendar does to agreements, once a day. Each step looks at the state as it is, so
a second run on the same day finds nothing left to do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import structlog
from celery import shared_task
from django.db import transaction
from django.utils import timezone

from alliance.actions.agreement import put_in_force
from alliance.enums import ENDING_SOON_DAYS
from alliance.models import Agreement
from alliance.queries import people_of
from core.errors import Conflict
from core.notify import notify
from core.transitions import transit

log = structlog.get_logger(__name__)


@shared_task(queue="default")
def turn_the_day(day: str | None = None) -> dict[str, int]:
    """Start what is signed and due, end what is over, tell of what ends soon. `day`: ISO date."""
    today = date.fromisoformat(day) if day else timezone.localdate()
    soon = today + timedelta(days=ENDING_SOON_DAYS)
    agreements = Agreement.objects.order_by("pk")
    done = {
        # First those that begin: an agreement that is renewed today gives way, it does not expire.
        "started": _each(agreements.due_to_start(today), put_in_force),
        "ended": _each(agreements.due_to_end(today), lambda a: transit(a, "expire", by=None)),
        "reminded": _each(agreements.to_remind(today, soon), lambda a: _remind(a, today)),
    }
    log.info("agreements.day", day=str(today), **done)
    return done


def _each(agreements: Any, step: Callable[[Agreement], Any]) -> int:
    """Each in its own transaction: one that somebody changed meanwhile does not hold the rest."""
    count = 0
    for pk in list(agreements.values_list("pk", flat=True)):
        try:
            step(Agreement.objects.get(pk=pk))
        except (Conflict, Agreement.DoesNotExist):
            log.info("agreements.day.skipped", agreement=pk)
        else:
            count += 1
    return count


def _remind(agreement: Agreement, today: date) -> None:
    with transaction.atomic():
        # Conditional: of two runs at once only one writes the date and tells.
        if not Agreement.objects.filter(pk=agreement.pk, reminded_on=None).update(
            reminded_on=today
        ):
            raise Conflict("已提醒")
        notify(
            people_of(agreement),
            title=f"共建协议将于 {agreement.ends_on} 到期：{agreement}",
            body="请与对方商量是否续签；到期后协议自动结束。",
            about=agreement,
        )
