"""The tree as the console's places (see `core.places`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet

from core.places import Found
from core.prepared import Prepared
from orgs.models import Area
from orgs.queries import Node, nodes_above

_CODE_LENGTH = 12  # ids never grow that long
_BEST = 20


class AreaPlaces:
    def find(
        self, key: str, user: Any, *, perm: str | None = None, anywhere: bool = False
    ) -> Area | None:
        if not key.isascii() or not key.isdigit() or len(key) > 18:
            return None
        # Every page of a place asks this: read by its key, and then held against the scope.
        found = _by_code(code=key) if len(key) >= _CODE_LENGTH else _by_id(pk=int(key))
        seen = (area for area in found if anywhere or Area.scope.holds(area, user, perm))
        return next(seen, None)

    def search(
        self,
        text: str,
        user: Any,
        *,
        kinds: Sequence[str] = (),
        perm: str | None = None,
        anywhere: bool = False,
    ) -> list[Found]:
        if not text.strip():
            return []
        found = self._within(user, perm, anywhere=anywhere).active().matching(text)
        if kinds:
            found = found.filter(kind__in=kinds)
        found = found.select_related("district", "street", "community")
        return [Found(a, where(a)) for a in found.order_by("level", "code")[:_BEST]]

    def trail(self, place: Area) -> Sequence[Node]:
        return nodes_above(place)

    def children(self, place: Area, user: Any) -> Sequence[Area]:
        below = Area.objects.visible_to(user).active().filter(parent_id=place.pk)
        return list(below.order_by("code"))

    def among(self, keys: Sequence[int], user: Any) -> Sequence[Area]:
        if not keys:
            return []
        near = Area.objects.visible_to(user).active().filter(pk__in=keys)
        return sorted(near, key=lambda area: keys.index(area.pk))

    def own(self, user: Any) -> Sequence[Area]:
        return [g.area for g in user.current_grants if g.area_id]

    def _within(self, user: Any, perm: str | None, *, anywhere: bool) -> QuerySet:
        return Area.objects.all() if anywhere else Area.objects.visible_to(user, perm)


_by_code = Prepared(lambda code: Area.objects.filter(code=code))
_by_id = Prepared(lambda pk: Area.objects.filter(pk=pk))


def where(area: Area) -> str:
    """The places above it, down to its community, in words."""
    above = (area.district, area.street, area.community)
    return " · ".join(a.name for a in above if a and a.pk != area.pk)
