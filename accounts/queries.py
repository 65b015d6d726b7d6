"""Who may do what where: the people to tell."""

from __future__ import annotations

from django.utils import timezone

from accounts.models import Grant
from accounts.roles import PERMISSIONS
from orgs.enums import STAMPS
from orgs.models import Area, Unit


def people_with(perm: str, *, area: Area | None = None, unit: Unit | None = None) -> set[int]:
    """Ids of the active users who hold `perm` on a unit, or on an area.

    For an area those on the node itself; nobody there, then those of the nearest node above.
    Whoever could act from higher up is not told of every matter below.
    """
    roles = [role for role, perms in PERMISSIONS.items() if perm in perms]
    grants = Grant.objects.in_force(timezone.localdate()).filter(
        role__in=roles, user__is_active=True
    )
    if unit is not None:
        return set(grants.filter(unit=unit).values_list("user_id", flat=True))
    if area is None:
        return set()
    path = [area.pk, *(getattr(area, f"{level}_id") for level in reversed(STAMPS))]
    holders: dict[int, set[int]] = {}
    for place, user in grants.filter(area__in=path).values_list("area_id", "user_id"):
        holders.setdefault(place, set()).add(user)
    return next((holders[place] for place in path if place in holders), set())
