"""Reads of the lists that more than one caller shares."""

from __future__ import annotations

from datetime import datetime

from django.db.models import F, Q

from orgs.models import PlacedQuerySet
from services.enums import OPEN_CLAIM, PUBLIC_STATES, ClaimState, ItemState

# What anybody may read of a published item. Names of persons, reasons, claims and who decided
# are not among them.
PUBLIC_FIELDS = (
    "number",
    "kind",
    "topic",
    "title",
    "content",
    "publisher",
    "beneficiary",
    "capacity",
    "claimed",
    "due_on",
    "contact",
    "venue",
    "weekdays",
    "opens_at",
    "closes_at",
    "state",
    "published_at",
    "community_id",
    "street_id",
    "district_id",
)


class ItemQuerySet(PlacedQuerySet):
    def published(self):
        return self.filter(state__in=PUBLIC_STATES)

    def public(self):
        """Rows (dicts) of what is published, with the columns that are safe for anybody."""
        return self.published().values(*PUBLIC_FIELDS)

    def claimable(self):
        """Published with a place free."""
        return self.filter(state=ItemState.PUBLISHED, claimed__lt=F("capacity"))

    def matching(self, text: str):
        """Every word of `text` occurs in the item's number, names or content."""
        found = self
        for word in text.lower().split()[:5]:
            found = found.filter(search__contains=word)
        return found

    def open_at(self, moment: datetime):
        """Services and resources whose stated hours hold `moment` (in local time)."""
        clock = moment.time()
        return self.filter(
            weekdays__contains=str(moment.isoweekday()), opens_at__lte=clock, closes_at__gt=clock
        )


class ClaimQuerySet(PlacedQuerySet):
    def at(self, area):
        """Claims that either side of which is within `area`: by its claimants, or on its items."""
        level = "area" if area.kind == "building" else area.kind
        return self.filter(Q(**{f"item__{level}": area.pk}) | Q(**{level: area.pk}))

    def live(self):
        """Claims that hold their place: all but those withdrawn."""
        return self.exclude(state=ClaimState.WITHDRAWN)

    def open(self):
        return self.filter(state__in=OPEN_CLAIM)

    def uncontacted_since(self, moment: datetime):
        """Claims of `moment` or before whose two sides have not been in contact yet."""
        return self.filter(state=ClaimState.CLAIMED, claimed_at__lte=moment)

    def overdue(self, today):
        """Not yet handed over for acceptance though the date has passed."""
        return self.filter(
            Q(due_on__lt=today),
            state__in=(ClaimState.CLAIMED, ClaimState.CONTACTING, ClaimState.WORKING),
        )
