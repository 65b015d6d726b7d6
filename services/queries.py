"""Figures of the lists, each chart's in one query.

Every figure counts the rows of a list as its page shows them to the same person at the same
place: `items_of` and `claims_of` are where both begin.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from django.db.models import Count, Q, QuerySet, Value
from django.db.models.functions import TruncMonth
from django.utils import timezone

from core.periods import Period
from orgs.models import Area
from services.enums import PATH, ContactSpan, Grade, ItemKind
from services.models import Claim, Item
from services.querysets import TAKEN
from services.scopes import OWN

_VIEW = "services.view"


class Needs(NamedTuple):
    """Needs published, and how many of them are claimed by now."""

    published: int
    taken: int

    @property
    def rate(self) -> float | None:
        """In percent, to one decimal; None where nothing was published."""
        return round(100 * self.taken / self.published, 1) if self.published else None


def items_of(user: Any, place: Area | None = None) -> QuerySet[Item]:
    """Items of the person's own places and units, without all that is published elsewhere."""
    rows = Item.objects.visible_to(user, _VIEW).filter(OWN.q(user, _VIEW))
    return rows.at(place) if place else rows


def claims_of(user: Any, place: Area | None = None) -> QuerySet[Claim]:
    """Claims that either side of which is the person's."""
    rows = Claim.objects.visible_to(user, _VIEW)
    near = _near(user, place)
    rows = rows if near is None else rows.filter(pk__in=near)
    return rows.at(place) if place else rows


def _near(user: Any, place: Area | None) -> QuerySet | None:
    """Ids of all claims that `claims_of` can hold, each side found by its own index: no index
    serves “either side is there”. None above communities: what is gained there is lost again."""
    reach = user.reach(_VIEW)
    areas = {(place.kind, place.pk)} if place else set(reach.areas)
    if (reach.everywhere and not place) or {kind for kind, _ in areas} - {"community"}:
        return None
    there = [*areas, *(() if place else (("unit", pk) for pk in reach.units))]
    claims = Claim.objects.order_by().values("pk")
    sides = [claims.filter(**{f"{side}{of}": pk}) for of, pk in there for side in ("", "item__")]
    return claims.none().union(*sides)


def needs_by_month(
    user: Any, place: Area | None, months: Sequence[date]
) -> dict[str, dict[date, int]]:
    """Needs that were published, claimed (by a claim that still holds) and closed in each of
    `months`, first days in a row: ``{"published": {first of the month: number}, …}``. A need
    that is claimed in two months counts in both."""
    # By state too, though every dated item has it: that is what the indexes are kept for.
    needs = items_of(user, place).published().filter(kind=ItemKind.NEED).order_by()
    first, before = (
        _midnight(months[0]),
        _midnight((months[-1] + timedelta(days=31)).replace(day=1)),
    )

    def by_month(name: str, moment: str, **more: Any) -> QuerySet:
        span = {f"{moment}__gte": first, f"{moment}__lt": before}
        found = needs.filter(**span, **more).annotate(month=TruncMonth(moment))
        return found.values_list(Value(name), "month").annotate(n=Count("pk", distinct=bool(more)))

    counted = by_month("published", "published_at").union(
        by_month("claimed", "claims__claimed_at", claims__state__in=PATH),
        by_month("closed", "closed_at"),
        all=True,
    )
    found: dict[str, dict[date, int]] = {"published": {}, "claimed": {}, "closed": {}}
    for name, month, count in counted:
        found[name][timezone.localdate(month)] = count
    return found


def needs_below(user: Any, place: Area, level: str, period: Period) -> dict[int | None, Needs]:
    """Needs published in the period, by the id of their `level` below `place`; under None those
    that lie above it."""
    needs = items_of(user, place).published().filter(kind=ItemKind.NEED)
    needs = needs.filter(**_during("published_at", period))
    counts = (
        needs.order_by()
        .values_list(f"{level}_id")
        .annotate(published=Count("pk"), taken=Count("pk", filter=TAKEN))
    )
    return {below: Needs(*numbers) for below, *numbers in counts}


def contact_spans(
    user: Any, place: Area | None, period: Period, now: datetime
) -> dict[ContactSpan, int]:
    """Claims made in the period and not withdrawn, by the days that the sides took to be in
    contact."""
    claims = claims_of(user, place).live().filter(**_during("claimed_at", period))
    counts = claims.with_contact_span(now).order_by().values_list("contact_span")
    return {ContactSpan(span): n for span, n in counts.annotate(n=Count("pk"))}


def grades(user: Any, place: Area | None, period: Period) -> dict[Grade, int]:
    """Ratings given in the period, by grade. A rating is seen by who sees the claim."""
    rated = Q(rating__rated_on__gte=period.first, rating__rated_on__lte=period.last)
    counts = claims_of(user, place).filter(rated).order_by().values_list("rating__grade")
    return {Grade(grade): n for grade, n in counts.annotate(n=Count("pk"))}


def _during(field: str, period: Period) -> dict[str, datetime]:
    return {f"{field}__gte": period.starts_at, f"{field}__lt": period.ends_before}


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
