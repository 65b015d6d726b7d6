"""Whole bodies: for each form that names rows, what its owner sends, and would have taken.

A body is made on any ground, so that the same lines make the owner's and the like of it next door::

    @body("alliance:agreement-clauses", by=Role.COMMUNITY_WORKER, writes="alliance.clause")
    def _clause(at):
        agreement = alliance.draft(at.sides)
        return agreement, {"party": agreement.parties.first(), "category": "events", ...}

What is sent is the row that the address names (None for a list or a new object) and the fields; a
row stands in its field as a row and is spelled as that field reads it. `tests.attacks.test_bodies`
sends each as it is, and then with one row after the other taken from next door.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from types import SimpleNamespace
from typing import Any, NamedTuple

from django import forms
from django.db.models import Model
from django.urls import reverse
from django.utils import timezone

from accounts.enums import Role
from core.forms import PlaceField
from core.transitions import MACHINES, Transition
from core.views.forms import VERSION, print_of
from orgs.fields import UnitField, UnitsField
from orgs.models import Area
from services.enums import ItemState
from tests.attacks.next_door import form_at
from tests.factories import alliance, members, services
from tests.factories.orgs import unit
from tests.factories.rows import World
from tests.guards.project import Route, routes


class Ground(World):
    """One community, with a unit and people of its own up to the district."""

    def __init__(self, world: World, community: Area) -> None:
        self._ones: dict[str, Model] = {}
        self.computed: set[str] = set()
        above = {kind: getattr(community, kind) for kind in ("street", "district")}
        self.place = SimpleNamespace(
            **{**vars(world.place), **above, "community": community, "city": community.district}
        )
        self.place.grid = world.place.all[f"{community.code}001"]
        self.unit = unit(community)
        self.people = {role: self._person(role, self.place, self.unit) for role in Role}


class Nobody:
    """A row that is not there, spelled like those that are."""


NOBODY = Nobody()
NO_ID = 987_654_321


class Sent(NamedTuple):
    obj: Model | None
    data: dict[str, Any]


def _key(row: Any) -> str:
    return f"area-{NO_ID}" if row is NOBODY else f"{row._meta.model_name}-{row.pk}"


def _id(row: Any) -> str:
    return str(NO_ID) if row is NOBODY else str(row.pk)


# Fields whose type does not say that they name rows, and how they do.
IN_WORDS: dict[str, Callable[[Any], str]] = {"side": _key}


def names_rows(name: str, asked: forms.Field) -> bool:
    return name in IN_WORDS or isinstance(asked, forms.ModelChoiceField | PlaceField | UnitField)


def spelled(name: str, asked: forms.Field | None, row: Any) -> Any:
    """One row as its field reads it."""
    if name in IN_WORDS:
        return IN_WORDS[name](row)
    if isinstance(asked, PlaceField):
        return "379901999999999" if row is NOBODY else row.code
    if isinstance(asked, UnitField):
        return "没有这家单位" if row is NOBODY else row.name
    return NO_ID if row is NOBODY else row.pk


def _rows(value: Any) -> list[Any]:
    found = value if isinstance(value, list) else [value]
    return [row for row in found if isinstance(row, Model | Nobody)]


@dataclass(frozen=True)
class Body:
    """route: the address; name: the transition that it takes. by: whose body it is.
    writes: of what it writes a row. hidden: of fields whose row the neighbours see when it is as
    its owner needs it, the like of it that they do not. seen: fields whose rows the neighbours do
    see and may not name all the same, and why they see them."""

    route: Route
    by: Role
    writes: str
    make: Callable[[Ground], tuple[Model | None, dict[str, Any]]]
    name: str = ""
    hidden: dict[str, Callable[[Ground], Model]] = field(default_factory=dict)
    seen: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.route.name}/{self.name}" if self.name else self.route.name

    def sent(self, at: Ground) -> Sent:
        return Sent(*self.make(at))

    @cached_property
    def step(self) -> Transition | None:
        if self.name:
            return MACHINES[self.route.model._meta.label_lower].transitions[self.name]
        return self.route.step

    @property
    def method(self) -> str:
        return "patch" if "patch" in self.route.methods else "post"

    @cached_property
    def form(self) -> type[forms.Form]:
        return form_at(self.route, self.step, self.method)

    def url(self, obj: Any) -> str:
        parts = {"name": self.name} if self.name else {}
        if obj is not None:
            parts["pk"] = NO_ID if obj is NOBODY else obj.pk
        return reverse(self.route.name, kwargs=parts)

    def written(self, sent: Sent) -> dict[str, Any]:
        """The body as it goes over the line."""
        data = {name: self._value(name, value) for name, value in sent.data.items()}
        if not self.route.is_api:
            held = isinstance(sent.obj, Model) and not self.name
            return data | ({VERSION: print_of(_fresh(sent.obj))} if held else {})
        return {"data": data} if self.step else data

    def _value(self, name: str, value: Any) -> Any:
        rows = _rows(value)
        if not rows:
            return value
        asked = self.form.base_fields.get(name)
        words = [spelled(name, asked, row) for row in rows]
        if isinstance(asked, UnitsField):
            return "\n".join(words)
        return words if isinstance(value, list) else words[0]

    def likes(self, beside: Ground) -> dict[str, Model]:
        """What stands next door in the place of each row, by field; the address's own as `pk`."""
        theirs = self.sent(beside)
        likes = {name: rows[-1] for name, value in theirs.data.items() if (rows := _rows(value))}
        if theirs.obj is not None:
            likes["pk"] = theirs.obj
        return likes | {name: make(beside) for name, make in self.hidden.items()}


def with_row(sent: Sent, name: str, row: Any) -> Sent:
    """The same with `row` in that field: of several rows, in the place of the last."""
    if name == "pk":
        return sent._replace(obj=row)
    value = sent.data[name]
    value = [*value[:-1], row] if isinstance(value, list) else row
    return sent._replace(data={**sent.data, name: value})


def _fresh(row: Model) -> Model:
    return type(row)._base_manager.get(pk=row.pk)


TABLE: list[Body] = []
_ROUTES = {route.name: route for route in routes()}


def body(*names: str, by: Role, writes: str, **more: Any) -> Callable:
    """Register one recipe for each of these addresses; ``address/name`` is a transition's."""

    def registered(make: Callable) -> Callable:
        for address in names:
            route, _, name = address.partition("/")
            TABLE.append(Body(_ROUTES[route], by, writes, make, name=name, **more))
        return make

    return registered


def _day(days: int = 0) -> str:
    return str(timezone.localdate() + timedelta(days=days))


# Agreements ----------------------------------------------------------------------------------


@body(
    "alliance:agreement-add",
    "api:agreements-list",
    by=Role.COMMUNITY_WORKER,
    writes="alliance.agreement",
)
def _agreement(at: Ground) -> tuple[None, dict[str, Any]]:
    return None, {
        "title": "共建协议",
        "goal": "共同服务辖区居民",
        "starts_on": _day(),
        "ends_on": _day(364),
        "community": at.place.community,
        "units": [at.unit, unit(at.place.community)],
        "others": [unit(at.place.community)],
    }


@body("alliance:agreement-clauses", by=Role.COMMUNITY_WORKER, writes="alliance.clause")
def _clause(at: Ground) -> tuple[Model, dict[str, Any]]:
    agreement = alliance.draft(at.sides)
    return agreement, {
        "party": agreement.parties.first(),
        "category": "events",
        "content": "为居民义诊",
        "quantity": "2",
        "measure": "次",
        "due_on": _day(30),
    }


# Members -------------------------------------------------------------------------------------


_RECRUITING = "posts that recruit are shown in the whole city"


@body(
    "members:reporting-claim",
    by=Role.COMMUNITY_WORKER,
    writes="members.postclaim",
    seen={"post": _RECRUITING},
)
def _post_claim(at: Ground) -> tuple[Model, dict[str, Any]]:
    return members.reported(at.sides), {"post": members.post(at.sides)}


@body("members:servicerecords-confirm", by=Role.COMMUNITY_WORKER, writes="members.servicerecord")
def _confirmed(at: Ground) -> tuple[None, dict[str, Any]]:
    reporting = members.reported(at.sides)
    return None, {"records": [members.service(at.sides, reporting) for _ in range(2)]}


# The four lists ------------------------------------------------------------------------------


def _unpublished(at: Ground) -> Model:
    return services.item(at.place.community, state=ItemState.PENDING)


def _claimed(at: Ground) -> tuple[Model, dict[str, Any]]:
    agreement = alliance.signed(at.sides)
    return services.item(at.place.community), {
        "side": at.unit,
        "clause": agreement.clauses.first(),
        "responsible": "张三",
        "due_on": _day(20),
    }


@body(
    "services:item-claim",
    by=Role.UNIT_LIAISON,
    writes="services.claim",
    hidden={"pk": _unpublished},
)
def _claim(at: Ground) -> tuple[Model, dict[str, Any]]:
    return _claimed(at)
