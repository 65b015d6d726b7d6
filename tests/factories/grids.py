"""The record of a grid, which came with it, with its counts through the platform's own action."""

from __future__ import annotations

from django.utils import timezone

from accounts.enums import Role
from accounts.models import User
from grids.actions.counts import count_grid
from grids.models import GridProfile
from orgs.models import Area
from tests.factories.accounts import person


def grid_profile(
    area: Area, households: int = 400, members: int = 40, by: User | None = None
) -> GridProfile:
    return count_grid(
        profile=GridProfile.objects.get(area=area),
        households=households,
        members=members,
        counted_on=timezone.localdate(),
        by=by or person(Role.COMMUNITY_WORKER, area.community),
    )
