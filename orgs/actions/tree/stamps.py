"""The ancestors' ids on areas and on every fact, kept right when the tree changes."""

from __future__ import annotations

from collections.abc import Mapping

from django.apps import apps
from django.db.models import QuerySet

from orgs.enums import STAMPS, AreaKind
from orgs.models import Area, Placed

Path = Mapping[str, int | None]


def placed_models() -> list[type[Placed]]:
    """Every table of facts on the tree, in any room."""
    return [m for m in apps.get_models() if issubclass(m, Placed) and not m._meta.proxy]


def path_of(area: Area) -> dict[str, int | None]:
    """`{"city_id": 1, "district_id": 4, …}` of an area as read."""
    return {f"{level}_id": getattr(area, f"{level}_id") for level in STAMPS}


def own_path(area: Area, parent: Area | None) -> dict[str, int | None]:
    """The stamps of a node that hangs below `parent`: the parent's and itself."""
    path = path_of(parent) if parent else dict.fromkeys((f"{level}_id" for level in STAMPS), None)
    if area.kind in STAMPS:
        path[f"{area.kind}_id"] = area.pk
    return path


def above(area: Area, path: Path) -> dict[str, int | None]:
    """The part of a path above the area's own level: what it has in common with all below."""
    kinds = list(AreaKind)[: list(AreaKind).index(AreaKind(area.kind))]
    return {f"{kind.value}_id": path[f"{kind.value}_id"] for kind in kinds}


def restamp(area: Area, path: Path) -> int:
    """Move all that counts under `area` to `path`; returns how many facts were restamped.

    `area` carries the stamps it had until now, read under the lock. What counts under it is what
    carries those stamps: its subtree, places that were merged into that, and their facts. So one
    UPDATE a table does it, along whatever index the table has on one of the levels.
    """
    if area.kind in STAMPS:
        levels = [f"{level}_id" for level in STAMPS[: STAMPS.index(area.kind) + 1]]
        was = {name: getattr(area, name) for name in levels}
        now = {name: path[name] for name in levels}
        Area.objects.filter(**was).update(**now)
        return sum(m._base_manager.filter(**was).update(**now) for m in placed_models())
    # No stamp names a building group: take it by its id, with the groups merged into it.
    pks = merged_into(area.pk)
    was = path_of(area)
    Area.objects.filter(pk__in=pks).update(**path)
    return sum(m._base_manager.filter(area__in=pks, **was).update(**path) for m in placed_models())


def counted_under(area: Area) -> QuerySet[Area]:
    """A node, its subtree, and what was merged into any of these."""
    if area.kind in STAMPS:
        return Area.objects.under(area)
    return Area.objects.filter(pk__in=merged_into(area.pk))


def merged_into(pk: int) -> list[int]:
    """A node and all that it succeeded, however far back."""
    found, newest = [pk], [pk]
    while newest:
        newest = list(Area.objects.filter(successor__in=newest).values_list("pk", flat=True))
        found += newest
    return found
