"""The same small city seen from next door: people and rows of a neighbouring community."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from django import forms
from django.db.models import Model
from django.utils.module_loading import import_string

from accounts.enums import DUTIES, Role
from accounts.models import User
from core.attachments import object_of
from core.transitions import Transition
from tests.factories.accounts import person
from tests.factories.orgs import unit
from tests.factories.rows import ROWS, Standing, World
from tests.guards.project import Route

MARK = "禁外人见"  # stands in every text of what the people next door do not see


class NextDoor(World):
    """The community in the same street. Its people hold what those of `world` hold, one door on:
    the liaison a unit in the very community of `world`, the street its neighbour, the department
    another district."""

    def __init__(self, world: World) -> None:
        self.made = Standing()
        near = world.place.sibling_community
        grid = world.place.all[f"{near.code}001"]
        self.place = SimpleNamespace(**{**vars(world.place), "community": near, "grid": grid})
        self.unit = unit(world.place.community, name="同社区单位")
        streets = [a for a in world.place.all.values() if a.kind == "street"]
        beside = next(
            s
            for s in streets
            if s.parent_id == world.place.district.pk and s.pk != world.place.street.pk
        )
        self.people = {
            Role.ORG_DEPARTMENT: person(Role.ORG_DEPARTMENT, world.place.other_district),
            Role.STREET_OFFICER: person(Role.STREET_OFFICER, beside),
            Role.COMMUNITY_WORKER: person(Role.COMMUNITY_WORKER, near),
            Role.GRID_WORKER: person(Role.GRID_WORKER, grid),
            Role.UNIT_LIAISON: person(Role.UNIT_LIAISON, self.unit),
        } | {duty: world.people[duty] for duty in DUTIES}
        self.strangers = world.people

    @property
    def neighbours(self) -> dict[Role, User]:
        return {role: user for role, user in self.people.items() if role not in DUTIES}


def form_at(route: Route, step: Transition | None, method: str) -> type[forms.Form] | None:
    """The form that reads what is sent there; of a transition, its own."""
    if step:
        return import_string(step.form) if step.form else None
    if route.is_api:
        write = {"post": route.view.creates, "patch": route.view.updates}.get(method)
        return write.form if write else None
    found = route.of("form")
    return found if isinstance(found, type) and issubclass(found, forms.BaseForm) else None


def decider_of(row: Model) -> Model | None:
    return row if hasattr(row, "scope") else object_of(row)


def hidden(world: World, user: Any) -> dict[str, Model]:
    """One row of each model that `user` does not see, by its label."""
    rows = {label: world.one(label) for label in ROWS}
    return {
        label: row
        for label, row in rows.items()
        if (held := decider_of(row)) is None or not type(held).scope.holds(held, user)
    }


def mark(row: Model, text: str = MARK) -> None:
    """Write `text`, as far as it goes, into the columns of the row that people write."""
    columns = [row._meta.get_field(name) for name in TEXTS.get(row._meta.label_lower, ())]
    values = {column.name: text[: column.max_length] for column in columns}
    type(row)._base_manager.filter(pk=row.pk).update(**values)


# Names of places are public; what is in no list here holds no text of people.
TEXTS = {
    "core.job": ("title", "message", "result_name"),
    "core.notification": ("title", "body"),
    "core.attachment": ("name",),
    "core.savedview": ("name",),
    "orgs.unit": ("name", "party_org", "contact_name"),
    "accounts.user": ("name",),
    "alliance.agreement": ("title", "goal"),
    "alliance.party": ("liaison",),
    "alliance.clause": ("content", "measure"),
    "alliance.fulfilment": ("source_label",),
    "members.member": ("name", "speciality", "party_org"),
    "members.post": ("title", "description", "skills"),
    "members.servicerecord": ("content", "late_reason"),
    "services.item": ("publisher", "title", "content", "contact", "venue", "search"),
    "services.claim": ("claimant", "responsible", "result"),
    "services.rectification": ("measure", "callback"),
    "services.ticket": ("content", "return_reason"),
    "reports.review": ("note",),
}
