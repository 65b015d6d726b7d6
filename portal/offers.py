"""What a resident can get in the community: services and resources, those open now first."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple

from django.db.models import Q

from orgs.models import Area
from portal.hours import Opening, opening
from portal.progress import IN_A_WORD
from services.enums import ItemKind, ItemState
from services.models import Item

OFFERS = (ItemKind.SERVICE, ItemKind.RESOURCE)
ENDED = (ItemState.ACCEPTED, ItemState.RATED, ItemState.CLOSED)
LOOKED_AT = 300  # offers with hours in one community, the newest; a few dozen are usual

_PHONE = re.compile(r"(?<!\d)(1[3-9]\d{9}|0\d{2,3}[- ]?\d{7,8}|[2-9]\d{6,7})(?![\d-])")


class Row(NamedTuple):
    item: Item
    opening: Opening | None
    progress: str


def live(items, today: date):
    """Offers that are neither finished nor past their date."""
    return items.filter(Q(due_on__isnull=True) | Q(due_on__gte=today), kind__in=OFFERS).exclude(
        state__in=ENDED
    )


def rows(items: Iterable[Item], now: datetime) -> list[Row]:
    """Items with the state of their hours and how far they are."""
    return [
        Row(i, opening(i.weekdays, i.opens_at, i.closes_at, now), IN_A_WORD[ItemState(i.state)])
        for i in items
    ]


def near(community: Area, now: datetime, at_most: int) -> list[Row]:
    """The first offers to try: open now, then those that open next, then those without hours."""
    offers = live(Item.objects.published().at(community), now.date()).defer("content", "search")
    timed = offers.filter(opens_at__isnull=False).exclude(weekdays="").order_by("-pk")[:LOOKED_AT]
    found = sorted(rows(timed, now), key=lambda row: (not row.opening.is_open, row.opening.at))
    found = found[:at_most]
    if len(found) < at_most:
        untimed = offers.filter(Q(opens_at__isnull=True) | Q(weekdays="")).order_by("-pk")
        found += rows(untimed[: at_most - len(found)], now)
    return found


def phone_in(contact: str) -> str:
    """The first telephone number in a free line, to be dialled; empty when there is none."""
    found = _PHONE.search(contact)
    return re.sub(r"\D", "", found[1]) if found else ""
