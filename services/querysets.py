"""Reads of the lists that more than one caller shares."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db.models import Case, CharField, Exists, F, OuterRef, Q, TextField, Value, When

from orgs.models import PlacedQuerySet
from services.enums import (
    CONTACT_DAYS,
    OPEN_CLAIM,
    OPEN_RECTIFICATION,
    PATH,
    PUBLIC_STATES,
    ClaimState,
    ContactSpan,
    ItemState,
)
from services.lookups import Holds, Named, Typed

TextField.register_lookup(Holds)
for _of_names in (Named, Typed):
    CharField.register_lookup(_of_names)

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

HAS_PLACES = Q(state=ItemState.PUBLISHED, claimed__lt=F("capacity"))


def uncontacted_since(moment: datetime) -> Q:
    """Claims of `moment` or before whose two sides have not been in contact yet."""
    return Q(state=ClaimState.CLAIMED, claimed_at__lte=moment)


def overdue(today: date) -> Q:
    """Claims not yet handed over for acceptance though the date has passed."""
    return Q(due_on__lt=today, state__in=_BEFORE_ACCEPTANCE)


_BEFORE_ACCEPTANCE = (ClaimState.CLAIMED, ClaimState.CONTACTING, ClaimState.WORKING)


# Of a published item: somebody holds a place of it, or held it to the end.
TAKEN = ~Q(state=ItemState.PUBLISHED, claimed=0)


class ItemQuerySet(PlacedQuerySet):
    def published(self):
        return self.filter(state__in=PUBLIC_STATES)

    def public(self):
        """Rows (dicts) of what is published, with the columns that are safe for anybody."""
        return self.published().values(*PUBLIC_FIELDS)

    def claimable(self):
        """Published with a place free."""
        return self.filter(HAS_PLACES)

    def taken(self):
        """Published, and claimed at least in part."""
        return self.published().filter(TAKEN)

    def claimed_between(self, first: datetime | None, last: datetime | None):
        """Items on which a claim was made from `first` to `last` and not withdrawn since."""
        from services.models import Claim

        made = Claim.objects.filter(item=OuterRef("pk"), state__in=PATH)
        made = made.filter(claimed_at__gte=first) if first else made
        made = made.filter(claimed_at__lte=last) if last else made
        return self.filter(Exists(made))

    def matching(self, text: str):
        """Every word of `text` occurs in the item's number, names or content."""
        found = self
        for word in text.replace("\0", " ").split()[:5]:
            found = found.filter(search__holds=word)
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

    def to_close(self):
        """Rated, and no bad rating left to be put right: those that 销号 is not refused to."""
        rated = self.filter(state=ClaimState.RATED)
        return rated.exclude(rating__rectification__state__in=OPEN_RECTIFICATION)

    def uncontacted_since(self, moment: datetime):
        """Claims of `moment` or before whose two sides have not been in contact yet."""
        return self.filter(uncontacted_since(moment))

    def with_contact_span(self, now: datetime):
        """Annotates `contact_span`: the days from claim to contact, one of `ContactSpan`."""
        days = range(1, CONTACT_DAYS + 1)
        within = (
            When(contacted_at__lte=F("claimed_at") + timedelta(days=n), then=Value(str(n)))
            for n in days
        )
        span = Case(
            *within,
            When(contacted_at__isnull=False, then=Value(ContactSpan.OVER.value)),
            When(
                claimed_at__lte=now - timedelta(days=CONTACT_DAYS),
                then=Value(ContactSpan.LATE.value),
            ),
            default=Value(ContactSpan.WAITING.value),
        )
        return self.annotate(contact_span=span)

    def overdue(self, today):
        """Not yet handed over for acceptance though the date has passed."""
        return self.filter(overdue(today))
