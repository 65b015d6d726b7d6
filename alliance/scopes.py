"""Who acts for which side of an agreement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from core.scope import AreaRule, Reach, Scope, UnitRule


@dataclass(frozen=True)
class CommunitySideRule(AreaRule):
    """The party without a unit: the community itself, for which its own staff act."""

    def q(self, reach: Reach, perm: str) -> Q:
        return super().q(reach, perm) & Q(unit__isnull=True)

    def test(self, obj: Any, reach: Reach, perm: str) -> bool:
        return obj.unit_id is None and super().test(obj, reach, perm)


# Of a party: its own people, where `Party.scope` shows it to all sides.
OWN_SIDE = Scope(CommunitySideRule("agreement__"), UnitRule("unit_id"), view="alliance.view")
