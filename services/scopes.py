"""Who stands on which side of an item and of a claim.

The provider does the work and the receiver accepts and rates it: for a need the claimant
provides and the publisher receives, for a resource or a service it is the other way round.
A unit's side is acted for by the unit alone, a community's by the staff who reach it; the
office is the staff of the place where the item is numbered, whichever side they are on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from core.scope import AreaRule, Reach, Rule, Scope, Seat, UnitRule
from services.enums import ItemKind

NEED = (ItemKind.NEED,)
OFFER = (ItemKind.RESOURCE, ItemKind.SERVICE)


@dataclass(frozen=True)
class When:
    """`rule`, but only for rows that belong to no unit (`no_unit`) or are of some `kinds`.

    Both are paths from the record; an empty path asks nothing.
    """

    rule: Rule
    no_unit: str = ""
    kind: str = ""
    kinds: tuple[str, ...] = ()

    def q(self, reach: Reach, perm: str) -> Q:
        found = self.rule.q(reach, perm)
        if self.no_unit:
            found &= Q(**{f"{self.no_unit}__isnull": True})
        if self.kind:
            found &= Q(**{f"{self.kind}__in": self.kinds})
        return found

    def test(self, obj: Any, reach: Reach, perm: str) -> bool:
        return self._applies(obj) and self.rule.test(obj, reach, perm)

    def seats(self, obj: Any, perm: str) -> list[Seat]:
        return self.rule.seats(obj, perm) if self._applies(obj) else []

    def _applies(self, obj: Any) -> bool:
        if self.no_unit and _walk(obj, self.no_unit) is not None:
            return False
        return not self.kind or _walk(obj, self.kind) in self.kinds


def _walk(obj: Any, path: str) -> Any:
    for name in path.split("__"):
        obj = getattr(obj, name)
    return obj


def _publisher(claim: str = "", kinds: tuple[str, ...] = ()) -> tuple[Rule, ...]:
    kind = f"{claim}item__kind" if kinds else ""
    return (
        When(AreaRule(f"{claim}item__"), f"{claim}item__unit_id", kind, kinds),
        When(UnitRule(f"{claim}item__unit_id"), "", kind, kinds),
    )


def _claimant(claim: str = "", kinds: tuple[str, ...] = ()) -> tuple[Rule, ...]:
    kind = f"{claim}item__kind" if kinds else ""
    return (
        When(AreaRule(claim), f"{claim}unit_id", kind, kinds),
        When(UnitRule(f"{claim}unit_id"), "", kind, kinds),
    )


_VIEW = "services.view"

# Of an item: what lies on one's own places or units, without all that is published elsewhere.
OWN = Scope(AreaRule(), UnitRule("unit_id"), view=_VIEW)
# Of an item: who wrote it, as a side.
AUTHOR = Scope(When(AreaRule(), "unit_id"), UnitRule("unit_id"), view=_VIEW)

# Of a claim.
CLAIMANT = Scope(*_claimant(), view=_VIEW)
PARTIES = Scope(*_publisher(), *_claimant(), view=_VIEW)
PROVIDER = Scope(*_claimant(kinds=NEED), *_publisher(kinds=OFFER), view=_VIEW)
RECEIVER = Scope(*_publisher(kinds=NEED), *_claimant(kinds=OFFER), view=_VIEW)
OFFICE = Scope(AreaRule("item__"), view=_VIEW)

# Of a rectification, through the rating's claim.
_CLAIM = "rating__claim__"
RECTIFIER = Scope(*_claimant(_CLAIM, NEED), *_publisher(_CLAIM, OFFER), view=_VIEW)
CALLER = Scope(AreaRule(f"{_CLAIM}item__"), view=_VIEW)
