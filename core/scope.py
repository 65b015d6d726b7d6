"""The one gate for who sees what.

A model declares its scope once::

    class Item(Placed):
        scope = Scope(AreaRule(), UnitRule("unit_id"), view="services.view")
        objects = ScopedManager()

and every reader passes the same gate::

    Item.objects.visible_to(user)                     # what the user may see
    Item.objects.visible_to(user, "services.review")  # what the user may review
    Item.scope.holds(item, user, "services.review")   # the same question of one object
    get_visible(Item.objects, user, pk=7)             # 404 outside the user's reach
    require(user, "services.review", item)            # 403 inside it without the right
    still_visible(item, user)                         # once more after a save

A rule gives the queryset filter (`q`) and the object test (`test`) from one declaration, so
the list and the detail cannot disagree. Only forward relations may be named: a rule never
multiplies rows. Ids of places are never listed; a grant names one node and the fact carries
the stamps of its ancestors (docs/adr/0007-orgs-stamps-and-history.md).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from operator import attrgetter, or_
from typing import Any, NamedTuple, Protocol

from django.apps import apps
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.http import Http404

from core.among import Among
from core.errors import OutOfReach

NOTHING = Q(pk__in=[])
WIDEST = "city"  # the level of a reach over everything that there is in a city


@dataclass(frozen=True)
class Reach:
    """What one person reaches with one permission today.

    areas: (level, area id) pairs, e.g. ``("street", 41)``: that node and all below it.
    units: ids of member units.
    cities: ids of the cities that those lie in; what is open to all is open within them.
    everywhere: no bound by place (the three administrator duties).
    """

    areas: tuple[tuple[str, int], ...] = ()
    units: tuple[int, ...] = ()
    cities: tuple[int, ...] = ()
    everywhere: bool = False

    def __bool__(self) -> bool:
        return bool(self.everywhere or self.areas or self.units)


class Person(Protocol):
    """What scope needs of a user. Whoever lacks it (an anonymous visitor) reaches nothing."""

    pk: int | None

    def reach(self, perm: str) -> Reach: ...


def reach_of(user: Any, perm: str) -> Reach:
    """Where `user` holds `perm`; nowhere for whoever is not a person of the platform."""
    reach = getattr(user, "reach", None)
    return reach(perm) if reach else Reach()


class Seat(NamedTuple):
    """A place or a unit on which a right over some object may be held: the row itself.

    above: of a place where nobody holds it, whether those of the next place above do as well.
    """

    kind: str  # area | unit
    on: Any
    above: bool = True


class Rule(Protocol):
    """A rule may also have `seats(obj, perm)`: where those whom it admits to `obj` hold their
    grants; and `path`, `prefix` or `field`, the way from the record to what it looks at, or `rule`,
    another that it narrows."""

    def q(self, reach: Reach, perm: str) -> Q: ...

    def test(self, obj: Any, reach: Reach, perm: str) -> bool: ...


def _walk(obj: Any, path: str) -> Any:
    """`item__unit_id` read from an object; a missing link on the way reads as None."""
    try:
        return attrgetter(path.replace("__", "."))(obj)
    except AttributeError:
        return None


@dataclass(frozen=True)
class AreaRule:
    """Facts placed on the tree. `prefix` is the path to the placed record, e.g. ``"item__"``."""

    prefix: str = ""

    def q(self, reach: Reach, perm: str) -> Q:
        return reduce(or_, (Q(**{f"{self.prefix}{k}_id": i}) for k, i in reach.areas), NOTHING)

    def test(self, obj: Any, reach: Reach, perm: str) -> bool:
        return any(_walk(obj, f"{self.prefix}{k}_id") == i for k, i in reach.areas)

    def seats(self, obj: Any, perm: str) -> list[Seat]:
        area = _walk(obj, f"{self.prefix}area")
        return [Seat("area", area)] if area is not None else []


@dataclass(frozen=True)
class UnitRule:
    """Facts that belong to a member unit. `path` is the field holding the unit's id."""

    path: str = "unit_id"

    def q(self, reach: Reach, perm: str) -> Q:
        return reduce(or_, (Q(**{self.path: i}) for i in reach.units), NOTHING)

    def test(self, obj: Any, reach: Reach, perm: str) -> bool:
        return bool(reach.units) and _walk(obj, self.path) in reach.units

    def seats(self, obj: Any, perm: str) -> list[Seat]:
        unit = obj if self.path == "pk" else _walk(obj, self.path.removesuffix("_id"))
        return [Seat("unit", unit)] if unit is not None else []


@dataclass(frozen=True)
class LinkedUnitRule:
    """Facts that several units share through rows of another model, e.g. an agreement's parties.

    link: label of the linking model; fact: its field that names the fact; unit: its field that
    holds the unit's id; path: where the record holds the fact's id (``"agreement_id"`` on a
    clause). A semi-join, so that a fact with ten units is still one row.
    """

    link: str
    fact: str
    unit: str = "unit_id"
    path: str = "pk"

    def q(self, reach: Reach, perm: str) -> Q:
        if not reach.units:
            return NOTHING
        return Q(Exists(self._links(reach).filter(**{self.fact: OuterRef(self.path)})))

    def test(self, obj: Any, reach: Reach, perm: str) -> bool:
        fact = _walk(obj, self.path)
        if fact is None or not reach.units:
            return False
        return self._links(reach).filter(**{self.fact: fact}).exists()

    def seats(self, obj: Any, perm: str) -> list[Seat]:
        unit = self.unit.removesuffix("_id")
        links = apps.get_model(self.link)._base_manager.select_related(unit)
        rows = links.filter(**{self.fact: _walk(obj, self.path), f"{unit}__isnull": False})
        return [Seat("unit", getattr(row, unit)) for row in rows]

    def _links(self, reach: Reach) -> models.QuerySet:
        links = apps.get_model(self.link)._base_manager
        return links.filter(**{f"{self.unit}__in": reach.units})


@dataclass(frozen=True)
class OwnRule:
    """Facts that belong to a person (`own=` of `Scope`): that person may look at them, with or
    without a grant, and may do what `perms` names. Never more: the person who is judged, paid
    or administered does not thereby hold the right to judge."""

    path: str = "user_id"
    perms: frozenset[str] = frozenset()


@dataclass(frozen=True)
class OpenRule:
    """Facts open to everyone in the city who holds one of `perms` anywhere in it, while `field`
    is in `values`. E.g. a published need is open to every unit that may claim.

    `within` is the path to the fact's city id: a second city in the same database stays apart.
    """

    field: str
    values: tuple[str, ...]
    perms: frozenset[str]
    within: str = "city_id"

    def q(self, reach: Reach, perm: str) -> Q:
        if perm not in self.perms or not reach.cities:
            return NOTHING
        return Q(**{f"{self.field}__in": self.values, f"{self.within}__in": reach.cities})

    def test(self, obj: Any, reach: Reach, perm: str) -> bool:
        return (
            perm in self.perms
            and _walk(obj, self.field) in self.values
            and _walk(obj, self.within) in reach.cities
        )


@dataclass(frozen=True)
class Scope:
    """Any of `rules` admits. `view` is the permission that a mere look needs."""

    rules: tuple[Rule, ...]
    view: str
    own: OwnRule | None = field(default=None)

    def __init__(self, *rules: Rule, view: str, own: OwnRule | None = None) -> None:
        object.__setattr__(self, "rules", rules)
        object.__setattr__(self, "view", view)
        object.__setattr__(self, "own", own)

    def q(self, user: Any, perm: str | None = None) -> Q:
        return _any(self._ways(user, perm or self.view))

    def key(self, user: Any, perm: str | None = None) -> Hashable:
        """What `q` follows from: of one scope, equal keys are equal conditions."""
        perm = perm or self.view
        return perm, reach_of(user, perm), user.pk if self._owns(user, perm) else None

    @cached_property
    def spans(self) -> bool:
        """Whether the rules may look at columns of more than one table: those that do not say where
        are taken to."""
        if len(self.rules) < 2:
            return False
        ways = [_way(rule) for rule in self.rules]
        return None in ways or len({way.rpartition("__")[0] for way in ways}) > 1

    def admitted(self, rows: models.QuerySet, user: Any, perm: str | None = None):
        """`rows.filter(q(…))`; of rules over several tables each one's rows looked for by themselves.

        Of an OR across a join no index serves either side, and all rows of both tables are read (a
        community's 36 claims of 80,000: 108 ms, by themselves 3). Who reaches a whole city reads
        them anyway, and at once. Filters that `rows` has are held to each rule; it has no slice yet.
        """
        perm = perm or self.view
        ways = [way for way in self._ways(user, perm) if way != NOTHING]
        wide = any(level == WIDEST for level, _ in reach_of(user, perm).areas)
        if wide or len(ways) < 2 or not self.spans:
            return rows.filter(_any(ways))
        first, *rest = (rows.order_by().filter(way).values("pk") for way in ways)
        return rows.filter(pk__in=first.union(*rest, all=True))

    def _ways(self, user: Any, perm: str) -> list[Q]:
        """What each rule admits; one of these is enough."""
        reach = reach_of(user, perm)
        if reach.everywhere:
            return [Q()]
        found = [rule.q(reach, perm) for rule in self._asked(reach)] if reach else []
        if self._owns(user, perm):
            found.append(Q(**{self.own.path: user.pk}))
        return found

    def _asked(self, reach: Reach) -> list[Rule]:
        """The rules, without what they open in cities that lie within reach as a whole."""
        placed = next((rule for rule in self.rules if isinstance(rule, AreaRule)), None)
        if placed is None or any((WIDEST, city) not in reach.areas for city in reach.cities):
            return list(self.rules)
        opened = f"{placed.prefix}{WIDEST}_id"
        return [r for r in self.rules if not (isinstance(r, OpenRule) and r.within == opened)]

    def holds(self, obj: Any, user: Any, perm: str | None = None) -> bool:
        perm = perm or self.view
        reach = reach_of(user, perm)
        if reach.everywhere:
            return True
        if self._owns(user, perm) and _walk(obj, self.own.path) == user.pk:
            return True
        return bool(reach) and any(r.test(obj, reach, perm) for r in self.rules)

    def anywhere(self, user: Any, perm: str) -> bool:
        """Whether there can be an object that `user` holds `perm` over."""
        return any(way != NOTHING for way in self._ways(user, perm))

    def seats(self, obj: Any, perm: str) -> list[Seat]:
        """Where the right `perm` over `obj` may be held: its place, its units."""
        found: list[Seat] = []
        for rule in self.rules:
            if hasattr(rule, "seats"):
                found += [seat for seat in rule.seats(obj, perm) if seat not in found]
        return found

    def _owns(self, user: Any, perm: str) -> bool:
        asked = self.own is not None and (perm == self.view or perm in self.own.perms)
        return asked and user is not None and user.pk is not None and user.is_active


def _way(rule: Rule) -> str | None:
    """The path or prefix under which a rule looks, or the rule that it narrows; None if it does not
    say."""
    if inner := getattr(rule, "rule", None):
        return _way(inner)
    said = (getattr(rule, name, None) for name in ("path", "prefix", "field"))
    return next((way for way in said if way is not None), None)


def _any(ways: list[Q]) -> Q:
    # An empty condition admits all; or-ed to another it would vanish.
    return Q() if Q() in ways else reduce(or_, ways, NOTHING)


@dataclass(frozen=True)
class OwnScope:
    """Rows that are one person's own business, whatever anybody's role: an inbox."""

    path: str = "user_id"
    view: str | None = None

    def q(self, user: Any, perm: str | None = None) -> Q:
        return Q(**{self.path: user.pk}) if user.pk else NOTHING

    def admitted(self, rows: models.QuerySet, user: Any, perm: str | None = None):
        return rows.filter(self.q(user, perm))

    def key(self, user: Any, perm: str | None = None) -> Hashable:
        return user.pk

    def holds(self, obj: Any, user: Any, perm: str | None = None) -> bool:
        return bool(user.pk) and _walk(obj, self.path) == user.pk


class ScopedQuerySet(models.QuerySet):
    def visible_to(self, user: Any, perm: str | None = None):
        """Rows that `user` reaches with `perm` (default: the scope's `view`). No rows for nobody."""
        return self.model.scope.admitted(self, user, perm)


ScopedManager = models.Manager.from_queryset(ScopedQuerySet, class_name="ScopedManager")


def get_visible(source, user: Any, perm: str | None = None, **lookup: Any):
    """The one object of `source` (manager or queryset) within the user's sight, else 404.

    Unknown and foreign objects answer alike: neither says whether the other exists.
    """
    queryset = source.all() if isinstance(source, models.Manager) else source
    seen = queryset.visible_to(user, perm)
    try:
        return seen.get(**lookup)
    except (queryset.model.DoesNotExist, ValidationError, ValueError, TypeError) as error:
        # The text is for the log: it names what was asked for, never whether it exists.
        raise Http404(f"no {queryset.model._meta.label} {lookup} in sight of {user}") from error


def may(user: Any, perm: str, obj: Any, scope: Scope | None = None) -> bool:
    """Whether `user` holds `perm` over `obj` (by `scope`, or the scope of the object's model)."""
    return (scope or type(obj).scope).holds(obj, user, perm)


def require(user: Any, perm: str, obj: Any = None, scope: Scope | None = None) -> None:
    """403 unless the user holds `perm` over `obj` (or anywhere, when no object is given)."""
    allowed = may(user, perm, obj, scope) if obj is not None else bool(reach_of(user, perm))
    if not allowed:
        raise PermissionDenied(f"{user!r} lacks {perm} on {obj!r}")


def require_written(user: Any, perm: str, model: type[models.Model], pks: Sequence[Any]) -> None:
    """403 unless the user holds `perm` over each of these rows, as they now stand in the database:
    for many that were written in this transaction."""
    reached = model._base_manager.filter(model.scope.q(user, perm), Among("pk", pks))
    if reached.count() < len(pks):
        raise PermissionDenied(f"{user!r} lacks {perm} on some of {len(pks)} rows")


def still_visible(obj: Any, user: Any, perm: str | None = None) -> None:
    """After a save, inside its transaction: nobody may move a fact out of their own reach.

    Asks the database, not the instance: what counts is what was written. Raises `OutOfReach`,
    which a form shows and everything else treats as 403.
    """
    if not type(obj)._base_manager.filter(type(obj).scope.q(user, perm), pk=obj.pk).exists():
        raise OutOfReach(
            f"“{obj}”按所填内容保存后将不在您的管理范围内，未予保存。"
            "请改选您负责的区域或单位；确需移交的，请联系上级处理。"
        )
