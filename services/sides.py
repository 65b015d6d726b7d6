"""The sides that a person may act for: their units, and the places that they work for."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.db.models import Q

from core.scope import reach_of
from orgs.enums import AreaState, UnitState
from orgs.models import Area, Unit

CLAIMING = ("street", "community")
DRAFTING = (*CLAIMING, "grid")


class Side(NamedTuple):
    """One side of a matter: a unit, or a place."""

    key: str
    label: str
    unit: Unit | None
    area: Area | None


def sides_of(user: Any, perm: str, kinds: tuple[str, ...]) -> list[Side]:
    """Units and places of `kinds` for which `user` holds `perm`: those granted, and the
    communities of a street granted. Units first, then places by code."""
    reach = reach_of(user, perm)
    units = Unit.objects.filter(pk__in=reach.units, state=UnitState.ACTIVE).select_related("area")
    found = [Side(f"unit-{u.pk}", u.name, u, None) for u in units] if reach.units else []
    granted = [pk for _, pk in reach.areas]
    streets = [pk for kind, pk in reach.areas if kind == "street"]
    if granted:
        areas = Area.objects.filter(
            Q(pk__in=granted) | Q(street__in=streets, kind="community"),
            kind__in=kinds,
            state=AreaState.ACTIVE,
        ).order_by("code")
        found += [Side(f"area-{a.pk}", a.name, None, a) for a in areas]
    return found
