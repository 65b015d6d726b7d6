"""流转下轮: what nobody claimed goes on to the next monthly round, and stands first there."""

from __future__ import annotations

from datetime import date

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from core import audit
from services.enums import ItemState
from services.models import Item
from services.rounds import round_of

BATCH = 500


def carry_over(*, today: date) -> int:
    """Move unclaimed items of earlier rounds into the round of `today`; returns how many.

    Run daily: in between rounds there is nothing to move.
    """
    now, moved = round_of(today), 0
    while True:
        with transaction.atomic():
            left = list(
                Item.objects.filter(state=ItemState.PUBLISHED, claimed=0, round__lt=now)
                .select_for_update(of=("self",))
                .order_by("pk")[:BATCH]
            )
            if not left:
                return moved
            Item.objects.filter(pk__in=[i.pk for i in left]).update(
                round=now, carried=F("carried") + 1, updated_at=timezone.now()
            )
            audit.record_many(
                "services.item.carry",
                [audit.Entry(i, {"round": i.round}, {"round": now}) for i in left],
                by=None,
            )
            moved += len(left)
