"""The tree as the console's places (see `core.places`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orgs.models import Area

_CODE_LENGTH = 12  # ids never grow that long


class AreaPlaces:
    chooser_url = "orgs:choose"

    def find(self, key: str, user: Any) -> Area | None:
        if not key.isascii() or not key.isdigit() or len(key) > 18:
            return None
        lookup = {"code": key} if len(key) >= _CODE_LENGTH else {"pk": int(key)}
        return Area.objects.visible_to(user).filter(**lookup).first()

    def trail(self, place: Area) -> Sequence[Area]:
        return list(Area.objects.above(place))

    def own(self, user: Any) -> Sequence[Area]:
        return [g.area for g in user.current_grants if g.area_id]
