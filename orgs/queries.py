"""Reads across areas and units."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

from django.db.models import Case, Count, FilteredRelation, Q, QuerySet, Value, When

from core.again import again
from core.search import exact_first
from orgs.enums import SIGNIFICANT, STAMPS, AreaKind
from orgs.models import Area, AreaHistory, Unit
from orgs.querysets import typed_so


def top_areas(user: Any, perm: str = "orgs.view") -> QuerySet[Area]:
    """Where the tree begins for `user`: the areas they reach that lie below none other of theirs;
    all cities for those who reach everything."""
    reach = user.reach(perm)
    if reach.everywhere:
        return Area.objects.filter(parent=None).in_order()
    granted = {area for _, area in reach.areas}
    nodes = list(Area.objects.filter(pk__in=granted))
    tops = [
        node.pk
        for node in nodes
        if not granted & {getattr(node, f"{level}_id") for level in STAMPS} - {node.pk}
    ]
    return Area.objects.filter(pk__in=tops).in_order()


class Node(NamedTuple):
    """What a line of the tree shows of an area."""

    pk: int
    kind: str
    code: str
    name: str

    def __str__(self) -> str:
        return self.name


_NODE = ("pk", "kind", "code", "name")


@again
def _nodes_below(parent: int) -> QuerySet:
    return Area.objects.filter(parent=parent).in_order().active().values_list(*_NODE)


@again
def _nodes_above(*ids: int) -> QuerySet:
    return Area.objects.filter(pk__in=ids).order_by("level").values_list(*_NODE)


def child_nodes(area: Area) -> list[Node]:
    """What hangs directly below and is in use, by code; for pages that show names alone."""
    return list(map(Node._make, _nodes_below(area.pk)))


def nodes_above(area: Area) -> list[Node]:
    """The ancestors from the city down; for pages that show names alone."""
    ids = [getattr(area, f"{level}_id") for level in STAMPS]
    above = [i for i in ids if i and i != area.pk]
    return list(map(Node._make, _nodes_above(*above))) if above else []


def children(area: Area, *, retired: bool = False) -> QuerySet[Area]:
    """What hangs directly below, by code; struck-off nodes only when asked for."""
    below = Area.objects.filter(parent=area.pk).in_order()
    return below if retired else below.active()


def counts_below(areas: Sequence[Area]) -> dict[int, Counter[str]]:
    """How many active nodes of each kind count under each of `areas`, themselves left out. One
    query for each kind among `areas`."""
    counts: dict[int, Counter[str]] = {area.pk: Counter() for area in areas}
    by_kind = defaultdict(list)
    for area in areas:
        if area.kind in STAMPS:
            by_kind[area.kind].append(area.pk)
    for kind, pks in by_kind.items():
        for pk, lower, n in _COUNTS[kind](*pks):
            counts[pk][lower] = n
    return counts


def _counting(kind: str) -> Callable[..., list[tuple]]:
    @again
    def below(*pks: int) -> QuerySet:
        rows = Area.objects.active().filter(**{f"{kind}__in": pks}).exclude(kind=kind)
        return rows.order_by().values_list(f"{kind}_id", "kind").annotate(n=Count("pk"))

    return below


_COUNTS = {kind: _counting(kind) for kind in STAMPS}


def search_areas(
    user: Any, text: str, *, kinds: Iterable[str] = (), perm: str = "orgs.view", limit: int = 20
) -> list[Area]:
    """Active areas in the user's sight that `text` may mean, the likeliest first: the code itself
    or the name itself, what starts so, what is typed so, what has it somewhere; higher levels
    before lower ones. At most `limit`."""
    text = text.strip()
    found = Area.objects.visible_to(user, perm).active().matching(text)
    found = found.select_related("district", "street", "community")
    if kinds := list(kinds):
        found = found.filter(kind__in=kinds)
    typed = text.lower()
    ranks = [
        Q(code=text) | Q(name=text),
        Q(name__startswith=text),
        Q(initials=typed) | Q(code__startswith=text),
        typed_so("initials", typed),
        typed_so("pinyin", typed),
    ]
    found = found.annotate(
        rank=Case(*(When(q, then=Value(n)) for n, q in enumerate(ranks)), default=Value(9))
    )
    return list(found.order_by("rank", "level", "code")[:limit])


def search_units(user: Any, text: str, *, perm: str = "units.view") -> QuerySet[Unit]:
    """Units in the user's sight that `text` may mean: the credit code itself first, then those
    still registered, by name. Part of the name, the start of the code or of its reading."""
    code, typed = text.upper(), text.lower().replace(" ", "")
    found = Q(name__contains=text)
    if text.isascii():
        found |= Q(credit_code__startswith=code)
        found |= typed_so("initials", typed) | typed_so("pinyin", typed)
    rows = Unit.objects.visible_to(user, perm).filter(found).select_related("area")
    return exact_first(rows, "credit_code", code, "state", "name", "pk")


def with_path_on(facts: QuerySet, day: date) -> QuerySet:
    """Facts joined to the path that their place had on `day`, as `path`.

    E.g. ``with_path_on(Item.objects.all(), day).values("path__street").annotate(n=Count("pk"))``
    counts by the streets of that day. Every fact has exactly one such path, so nothing is lost
    or counted twice, whatever has been moved, merged or struck off since.
    """
    in_force = Q(area__history__valid_from__lte=day) & (
        Q(area__history__valid_to__isnull=True) | Q(area__history__valid_to__gte=day)
    )
    return facts.annotate(path=FilteredRelation("area__history", condition=in_force))


def paths_on(day: date) -> QuerySet[AreaHistory]:
    """The path of every area on `day`: one row each, retired ones included (see the model)."""
    return AreaHistory.objects.on(day)


class Step(NamedTuple):
    """One level of a path as it was called on a day."""

    area_id: int
    kind: str
    name: str


def path_names(area: Area, day: date | None = None) -> list[Step]:
    """The path of `area` from the city down to itself, as it was on `day` (default: as it is)."""
    if day is None:
        above = list(Area.objects.above(area))
        return [Step(node.pk, node.kind, node.name) for node in (*above, area)]
    then = paths_on(day).get(area=area.pk)
    ids = [getattr(then, f"{level}_id") for level in STAMPS]
    rows = paths_on(day).filter(area__in=[i for i in ids if i and i != area.pk])
    named = rows.values_list("area_id", "area__kind", "name")
    steps = sorted((Step(*row) for row in named), key=lambda step: list(AreaKind).index(step.kind))
    return [*steps, Step(area.pk, area.kind, then.name)]


def next_code(parent: Area) -> str:
    """The first free code below `parent`, to suggest in a form: one more than the last there."""
    kind = list(AreaKind)[list(AreaKind).index(AreaKind(parent.kind)) + 1]
    above, digits = SIGNIFICANT[parent.kind], SIGNIFICANT[kind]
    prefix = parent.code[:above]
    taken = Area.objects.filter(kind=kind, code__startswith=prefix).order_by("-code")
    last = taken.values_list("code", flat=True).first()
    number = int(last[above:digits]) + 1 if last else 1
    if number >= 10 ** (digits - above):
        return ""
    return f"{prefix}{number:0{digits - above}d}".ljust(12, "0")
