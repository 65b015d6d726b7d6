"""People with one role on one place."""

from __future__ import annotations

import itertools
from datetime import date

from accounts.enums import Role
from accounts.models import Grant, User
from orgs.models import Area, Unit

_serial = itertools.count(1)


def person(role: str, place: Area | Unit | None = None, **fields) -> User:
    """An account holding `role` on `place` since 2020: an area, a unit, or None for a duty."""
    serial = next(_serial)
    fields = {"username": f"u{serial}", "name": f"{Role(role).label}{serial}", **fields}
    user = User.objects.create_user(**fields)
    Grant.objects.create(
        user=user,
        role=role,
        area=place if isinstance(place, Area) else None,
        unit=place if isinstance(place, Unit) else None,
        starts_on=date(2020, 1, 1),
    )
    return user
