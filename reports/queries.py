"""Reads across the models of reviews."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import F, OuterRef, QuerySet, Subquery

from core.periods import Period
from orgs.models import Area, AreaHistory
from reports.enums import ReviewState
from reports.models import Review

REVIEWED = ("district", "street", "community")


@dataclass(frozen=True)
class Place:
    """A place as the tree stood in a period: its name and superiors then."""

    area_id: int
    kind: str
    name: str
    parent_id: int
    city_id: int
    district_id: int | None
    street_id: int | None


def places(root: Area, period: Period) -> list[Place]:
    """Districts, streets and communities of `root` (itself included) that stood at any time in
    the period, each under the superiors it had last in it. One query."""
    rows = place_rows(root, period).order_by("code")
    return [
        Place(*row)
        for row in rows.values_list(
            "area_id", "area__kind", "name", "parent_id", "city_id", "district_id", "street_id"
        )
    ]


def place_rows(root: Area, period: Period) -> QuerySet[AreaHistory]:
    """The rows of history of those places: the last of each within the period."""
    newest = (
        _standing(period).filter(area=OuterRef("area")).order_by("-valid_from").values("pk")[:1]
    )
    return (
        _standing(period)
        .filter(**{f"{root.kind}_id": root.pk}, area__kind__in=REVIEWED)
        .filter(pk=Subquery(newest))
    )


def _standing(period: Period) -> QuerySet[AreaHistory]:
    return AreaHistory.objects.standing(period.first, period.last)


def place_ids(root: Area, period: Period) -> QuerySet:
    """Ids of those places, as a subquery for the fact tables."""
    return (
        _standing(period)
        .filter(**{f"{root.kind}_id": root.pk}, area__kind__in=REVIEWED)
        .values("area_id")
    )


def open_children(review: Review) -> QuerySet[Review]:
    """Reviews of the next level below, of the same period, that are not approved yet."""
    return Review.objects.filter(parent_area=review.area_id, period=review.period).exclude(
        state=ReviewState.APPROVED
    )


def score_lines(review: Review) -> list[dict]:
    """The review's scores with labels and weights as its run used them, in the scheme's order."""
    indicators = {i["key"]: i for i in (review.run.indicators if review.run else [])}
    scores = {s.key: s for s in review.scores.all()}
    return [
        {**indicator, "score": scores[key]}
        for key, indicator in indicators.items()
        if key in scores
    ]


def ranked(reviews: QuerySet[Review]) -> QuerySet[Review]:
    """In the order of the 考核汇总表: by total, ties by name of the place."""
    return reviews.order_by(F("total").desc(), "area__code")
