"""How a whole body is made, spelled and sent; `tests.attacks.bodies` has the table of them.

A body is made on any ground, so that the same lines make the owner's and the like of it next door.
A row stands in its field as a row and is spelled as that field reads it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from types import SimpleNamespace
from typing import Any, NamedTuple

from django import forms
from django.db.models import Model
from django.urls import reverse

from accounts.enums import Role
from core.forms import PlaceField
from core.transitions import MACHINES, Transition
from core.views import ConsoleView
from core.views.bulk import BulkView
from core.views.forms import VERSION, print_of
from orgs.fields import UnitField, UnitsField
from orgs.models import Area
from tests.attacks.next_door import form_at
from tests.factories.orgs import unit
from tests.factories.rows import Standing, World
from tests.guards.declared import is_transit
from tests.guards.project import Route


class Ground(World):
    """One community, with a unit and people of its own up to the district."""

    def __init__(self, world: World, community: Area) -> None:
        self.made = Standing()
        above = {kind: getattr(community, kind) for kind in ("street", "district")}
        self.place = SimpleNamespace(
            **{**vars(world.place), **above, "community": community, "city": community.district}
        )
        self.place.grid = world.place.all[f"{community.code}001"]
        around = [a for a in world.place.all.values() if a.parent_id == community.parent_id]
        self.place.sibling_community = next(a for a in around if a.pk != community.pk)
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


def _number(row: Any) -> str:
    return "000000000000" if row is NOBODY else row.number


# Fields whose type does not say that they name rows, and how they do. A new one of the kind has to
# be written down here: nothing but its form's code tells.
IN_WORDS: dict[str, Callable[[Any], str]] = {
    "side": _key,
    "office": _key,
    "rows": _id,  # of a deed with many rows of a list
    "number": _number,  # of a resident's ticket
}


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


def named_in(sent: Sent) -> set[str]:
    """The fields in which rows stand."""
    return {name for name, value in sent.data.items() if _rows(value)}


@dataclass(frozen=True)
class Body:
    """route: the address; parts: what it names besides a row, as a transition. by: whose body it
    is; None is a resident.

    writes: of what it writes a row. hidden: of fields whose row the neighbours see when it is as
    its owner needs it, the like of it that they do not. seen: fields whose rows the neighbours do
    see and may not name all the same, and why they see them. once: texts that only one row may
    have, and how one reads that another has."""

    route: Route
    by: Role | None
    writes: str
    make: Callable[[Ground], tuple[Model | None, dict[str, Any]]]
    parts: tuple[str, ...] = ()
    hidden: dict[str, Callable[[Ground], Model]] = field(default_factory=dict)
    seen: dict[str, str] = field(default_factory=dict)
    once: dict[str, Callable[[Ground], str]] = field(default_factory=dict)

    def __str__(self) -> str:
        return "/".join((self.route.name, *self.parts))

    @property
    def address(self) -> str:
        """The route, and the transition where it names one."""
        return str(self) if is_transit(self.route) else self.route.name

    def sent(self, at: Ground) -> Sent:
        return Sent(*self.make(at))

    @property
    def taken(self) -> int:
        """The status of the answer when all is right."""
        if self.route.view is BulkView:
            return 200  # it says what became of each row
        if not self.route.is_api:
            return 302
        return 200 if self.route.takes_pk else 201

    @property
    def at_place(self) -> bool:
        """Whether the address may choose a place: all of the console may."""
        view = self.route.view
        return isinstance(view, type) and issubclass(view, ConsoleView)

    @cached_property
    def step(self) -> Transition | None:
        if is_transit(self.route):
            return MACHINES[self.route.model._meta.label_lower].transitions[self.parts[-1]]
        return self.route.step

    @property
    def method(self) -> str:
        return "patch" if "patch" in self.route.methods else "post"

    @cached_property
    def fields(self) -> dict[str, forms.Field]:
        form = form_at(self.route, self.step, self.method)
        return form.base_fields if form else {}

    def url(self, obj: Any) -> str:
        parts = dict(zip(self.route.params, self.parts, strict=False))
        if obj is not None:
            name = "pk" if self.route.takes_pk else "object_id"
            parts[name] = NO_ID if obj is NOBODY else obj.pk
        return reverse(self.route.name, kwargs=parts)

    def written(self, sent: Sent) -> dict[str, Any]:
        """The body as it goes over the line."""
        data = {name: self._value(name, value) for name, value in sent.data.items()}
        if not self.route.is_api:
            held = isinstance(sent.obj, Model)
            return data | ({VERSION: print_of(_fresh(sent.obj))} if held else {})
        return {"data": data} if self.step else data

    def _value(self, name: str, value: Any) -> Any:
        rows = _rows(value)
        if not rows:
            return value
        asked = self.fields.get(name)
        words = [spelled(name, asked, row) for row in rows]
        if isinstance(asked, UnitsField) or name == "rows":
            return ("," if name == "rows" else "\n").join(words)
        return words if isinstance(value, list) else words[0]

    def likes(self, beside: Ground) -> dict[str, Model]:
        """What stands next door in the place of each row, by field; the address's own as `pk`."""
        theirs = self.sent(beside)
        likes = {name: _rows(theirs.data[name])[-1] for name in named_in(theirs)}
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
