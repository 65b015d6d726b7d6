"""A grid with its counts and five vacant posts, opened through the platform's own action."""

from __future__ import annotations

from accounts.enums import Role
from accounts.models import User
from grids.actions.grids import open_grid
from grids.models import GridProfile
from orgs.models import Area
from tests.factories.accounts import person


def grid_profile(
    area: Area, households: int = 400, members: int = 40, by: User | None = None
) -> GridProfile:
    by = by or person(Role.COMMUNITY_WORKER, area.community)
    return open_grid(area=area, households=households, members=members, by=by)
