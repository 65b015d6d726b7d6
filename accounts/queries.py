"""Who may do what where: the people to tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Grant
from accounts.roles import PERMISSIONS
from core.among import Among
from core.formats import short_place
from core.people import Holders
from core.scope import Seat
from orgs.enums import STAMPS
from orgs.models import Area, Unit

FEW = 3  # so many are named; of more only the number is told


def people_with(
    perm: str, *, area: Area | None = None, unit: Unit | None = None, above: bool = True
) -> set[int]:
    """Ids of the active users who hold `perm` on a unit, or on an area.

    For an area those on the node itself; nobody there, then (`above`) those of the nearest node
    above. Whoever could act from higher up is not told of every matter below.
    """
    grants = _grants(perm)
    if unit is not None:
        return set(grants.filter(unit=unit).values_list("user_id", flat=True))
    if area is None:
        return set()
    return people_in(perm, [area], above=above)[area.pk]


def people_over(perm: str, obj: Any) -> set[int]:
    """Ids of the active users next to `obj` who hold `perm` over it, by the scope of its model."""
    seats = type(obj).scope.seats(obj, perm)
    found = (people_with(perm, **{seat.kind: seat.on}, above=seat.above) for seat in seats)
    return set().union(*found)


def people_in(perm: str, areas: Sequence[Area], *, above: bool = True) -> dict[int, set[int]]:
    """What `people_with` finds for each of many areas, by the area's id."""
    paths = {area.pk: _path(area, above) for area in areas}
    holders: dict[int, set[int]] = {}
    on_them = Among("area_id", {pk for path in paths.values() for pk in path})
    for place, user in _grants(perm).filter(on_them).values_list("area_id", "user_id"):
        holders.setdefault(place, set()).add(user)
    return {
        pk: next((holders[place] for place in path if place in holders), set())
        for pk, path in paths.items()
    }


def holders(perm: str, seat: Seat) -> Holders | None:
    """Those whom `people_with` finds, in words: where they hold the right, their roles, and their
    names while they are few. None when nobody does."""
    grants = _grants(perm).select_related("user", "area", "unit").order_by("pk")
    if seat.kind == "unit":
        found, where = list(grants.filter(unit=seat.on)), str(seat.on)
    else:
        path = _path(seat.on, seat.above)
        rows = list(grants.filter(area__in=path))
        nearest = next((place for place in path if any(g.area_id == place for g in rows)), None)
        found = [grant for grant in rows if grant.area_id == nearest]
        where = short_place(found[0].area.name) if found else ""
    return Holders(where, _in_words(found)) if found else None


def _in_words(grants: list[Grant]) -> str:
    roles = "、".join(dict.fromkeys(grant.get_role_display() for grant in grants))
    names = list(dict.fromkeys(str(grant.user) for grant in grants))
    said = "、".join(names) if len(names) <= FEW else f"{len(names)} 人"
    return f"{roles} {said}"


def _grants(perm: str) -> QuerySet[Grant]:
    roles = [role for role, perms in PERMISSIONS.items() if perm in perms]
    in_force = Grant.objects.in_force(timezone.localdate())
    return in_force.filter(role__in=roles, user__is_active=True)


def _path(area: Area, above: bool = True) -> list[int]:
    """The node and (`above`) its ancestors, the nearest first."""
    if not above:
        return [area.pk]
    ancestors = (getattr(area, f"{level}_id") for level in reversed(STAMPS))
    return [area.pk, *(pk for pk in ancestors if pk and pk != area.pk)]
