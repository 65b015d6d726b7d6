"""Reviews go upward: whose office reports one, and whose decides on it (domain.md §4)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q

from core.scope import NOTHING, AreaRule, Reach, Seat
from orgs.enums import AreaKind

C, S, D = AreaKind.COMMUNITY, AreaKind.STREET, AreaKind.DISTRICT

# By the right and the level of the office, the nearest first: whose reviews are its business.
# An office reports its own, never over the head of another; a community has none that reports.
# Whoever approves, returns, unlocks or gives marks stands above: nobody decides on their own.
OFFICES: dict[str, dict[str, tuple[str, ...]]] = {
    "reports.submit": {S: (S, C), D: (D,)},
    "reports.approve": {S: (C,), D: (S, C), AreaKind.CITY: (D, S, C)},
}


@dataclass(frozen=True)
class UpwardRule(AreaRule):
    """Who looks sees the place and all below; who reports or decides is bound by `OFFICES`."""

    def q(self, reach: Reach, perm: str) -> Q:
        if perm not in OFFICES:
            return super().q(reach, perm)
        own = OFFICES[perm]
        ways = (Q(**{f"{k}_id": i}, level__in=own[k]) for k, i in reach.areas if k in own)
        return reduce(or_, ways, NOTHING)

    def test(self, obj: Any, reach: Reach, perm: str) -> bool:
        if perm not in OFFICES:
            return super().test(obj, reach, perm)
        own = OFFICES[perm]
        return any(
            obj.level in own.get(k, ()) and getattr(obj, f"{k}_id") == i for k, i in reach.areas
        )

    def seats(self, obj: Any, perm: str) -> list[Seat]:
        if perm not in OFFICES:
            return super().seats(obj, perm)
        nearest, *more = [k for k, levels in OFFICES[perm].items() if obj.level in levels]
        return [Seat("area", getattr(obj, nearest), above=bool(more))]
