"""Whose inbox hears of a step: ids of users, called from the tables of transitions."""

from __future__ import annotations

from collections.abc import Iterable

from accounts.queries import people_with
from services.enums import ItemKind
from services.models import Claim, Item, Rectification


def reviewers(item: Item, by) -> Iterable[int]:
    """Those next to the place who may publish: its community's, else its street's."""
    return people_with("services.review", area=item.area)


def drafter(item: Item, by) -> Iterable[int]:
    return [item.drafted_by_id] if item.drafted_by_id else []


def publisher_people(claim: Claim, by) -> Iterable[int]:
    return _side(claim.item.unit, claim.item.area)


def claimant_people(claim: Claim, by) -> Iterable[int]:
    return _side(claim.unit, claim.area)


def provider_people(claim: Claim, by) -> Iterable[int]:
    need = claim.item.kind == ItemKind.NEED
    return claimant_people(claim, by) if need else publisher_people(claim, by)


def receiver_people(claim: Claim, by) -> Iterable[int]:
    need = claim.item.kind == ItemKind.NEED
    return publisher_people(claim, by) if need else claimant_people(claim, by)


def told_of_rating(claim: Claim, by) -> Iterable[int]:
    """Who did the work; of a bad rating also those who will call back, for whom it is the first
    word of it when a resident gave it."""
    provider = set(provider_people(claim, by))
    matter = getattr(claim.rating, "rectification", None)
    return provider if matter is None else {*provider, *callers(matter, by)}


def callers(matter: Rectification, by) -> Iterable[int]:
    return people_with("services.accept", area=matter.rating.claim.item.area)


def rectifiers(matter: Rectification, by) -> Iterable[int]:
    return provider_people(matter.rating.claim, by)


def sides_of_matter(matter: Rectification, by) -> Iterable[int]:
    return both_sides(matter.rating.claim, by)


def both_sides(claim: Claim, by) -> Iterable[int]:
    return {*publisher_people(claim, by), *claimant_people(claim, by)}


def _side(unit, area) -> Iterable[int]:
    if unit is not None:
        return people_with("services.handle", unit=unit)
    return people_with("services.handle", area=area)
