"""Ids of what lies next door: in addresses, in bodies, in fragments, in files.

`tests.guards.test_addresses` holds people of another city off; here they come from the community in
the same street, and hand in what they do not see. Each answer must be the one for what is not there.
Addresses and forms are found by themselves: a new one is walked without a word here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django import forms
from django.db.models import Model

from accounts.enums import Role
from core.forms import PlaceField
from core.views import ListView
from orgs.fields import UnitField
from tests.attacks.next_door import MARK, NextDoor, form_at, hidden, mark
from tests.factories.rows import ROWS, World
from tests.guards.asking import Answer, Visitor
from tests.guards.declared import LET_IN, NOT_THERE, Address, addresses
from tests.guards.test_addresses import requests, walk

# A long walk whose answers do not hang on the database: once is enough, where it runs for real.
pytestmark = [pytest.mark.django_db, pytest.mark.postgres]
NEIGHBOURS = (
    Role.ORG_DEPARTMENT,
    Role.STREET_OFFICER,
    Role.COMMUNITY_WORKER,
    Role.GRID_WORKER,
    Role.UNIT_LIAISON,
)


@pytest.fixture(scope="module")
def walked(world: World) -> list[Address]:
    """What lies in the first community; a row of every model stands there from now on."""
    for label in ROWS:
        world.one(label)
    return [address for address in addresses(world) if address.obj is not None]


@pytest.fixture(scope="module")
def door(world: World, walked: list[Address]) -> NextDoor:
    return NextDoor(world)


@pytest.fixture(scope="module")
def own(door: NextDoor) -> list[Address]:
    """What lies next door: the neighbours' own."""
    return addresses(door)


# Ids in addresses


@pytest.mark.parametrize("role", NEIGHBOURS)
def test_an_address_next_door_answers_as_declared(door, walked, role):
    wrong, seen = walk(door.neighbours[role], walked)
    assert not wrong, "\n".join(wrong)
    assert NOT_THERE in seen


# What a neighbour must not see, whatever the scopes say: a scope that was widened shows here.
NEVER = {
    "accounts.user",
    "accounts.grant",
    "alliance.agreement",
    "core.attachment",
    "core.job",
    "core.notification",
    "core.savedview",
    "members.member",
    "members.reporting",
    "members.servicerecord",
    "reports.review",
    "services.ticket",
}


def test_what_is_private_to_a_community_is_hidden_from_all_neighbours(world, door):
    for role, user in door.neighbours.items():
        assert NEVER - set(hidden(world, user)) == set(), role


OTHERS = ("put", "delete", "options")
IN_PARTS = {"HX-Request": "true", "HX-Target": "page"}


def test_no_method_and_no_fragment_tells_what_is_there(door, walked):
    """PUT, DELETE and their like, and what HTMX asks for: the same as for an id that nobody has."""
    user = door.neighbours[Role.COMMUNITY_WORKER]
    visitor, nothing, wrong, steps = Visitor(user), {}, [], set()
    for address in walked:
        if address.promised(user, "get") != NOT_THERE or address.route.name in steps:
            continue
        if address.name:
            steps.add(address.route.name)  # one transition stands for all of its address
        for method, headers in [*((m, {}) for m in OTHERS), ("get", IN_PARTS), ("post", IN_PARTS)]:
            visitor.client.defaults = {_meta(name): value for name, value in headers.items()}
            there = visitor.ask(method, address.url, address.sent)
            # One 404 is as another; what refuses the method itself is asked of each address.
            page = address.route.is_api if there.status == 404 else address.route.name
            key = page, method, bool(headers)
            if key not in nothing:
                nothing[key] = visitor.ask(method, address.of_nothing, address.sent)
            if there != nothing[key] or there.status not in (404, 405, 200 * (method == "options")):
                wrong.append(f"{address.route.name}: {key[1:]} answers {there.status}")
    assert nothing
    assert not wrong, "\n".join(wrong)


# Ids in bodies


def form_of(address: Address, method: str) -> type[forms.Form] | None:
    """The form that reads what is sent to this address."""
    return form_at(address.route, address.step, method)


def named_by(field: forms.Field, foreign: dict[str, Model]) -> Iterator[tuple[Any, Any]]:
    """(a way to name a row next door, the like of it that names nothing), as this field reads it."""
    if isinstance(field, forms.ModelChoiceField):
        many = isinstance(field, forms.ModelMultipleChoiceField)
        for row in foreign.values():
            if isinstance(row, field.queryset.model):
                yield ([row.pk], [987_654_321]) if many else (row.pk, 987_654_321)
    elif isinstance(field, PlaceField) and not field.anywhere:
        area = foreign["orgs.area"]
        yield area.code, "379901999999999"
        yield f"{area.name} {area.code}", "第九九网格 379901999999999"
    elif isinstance(field, UnitField):
        yield foreign["orgs.unit"].name, "没有这家单位"


TOKEN = re.compile(r'name="(?:_draft|csrfmiddlewaretoken)" value="[^"]*"|"X-CSRFToken":\s*"[^"]*"')


def without(answer: Answer, *said: Any) -> Answer:
    """The answer without what was sent to it, and without the tokens of its forms."""
    body = TOKEN.sub("", answer.body)
    texts = {str(text) for v in said for text in (v if isinstance(v, list) else [v])}
    for text in sorted(texts, key=len, reverse=True):  # one may begin as another: 9 and 987
        body = body.replace(text, "·")
    return answer._replace(body=body)


def sent_as(address: Address, form: type[forms.Form], name: str, value: Any) -> dict[str, Any]:
    """`value` in its field. To the API the other fields that name rows name none: they are asked
    for before the form is read."""
    if not address.route.is_api:
        return {name: value, "reason": "理由"}
    others = {
        other: 987_654_321
        for other, field in form.base_fields.items()
        if type(field) is forms.ModelChoiceField
    }
    data = {**others, name: value}
    return {"reason": "理由", "data": data} if address.step else data


@pytest.mark.parametrize("role", NEIGHBOURS)
def test_a_body_that_names_what_is_next_door_is_answered_as_one_that_names_nothing(
    world, door, own, role
):
    user = door.neighbours[role]
    # Fields ask by the right to do, which is narrower than the sight: what is not seen will do.
    foreign = {
        **{label: world.one(label) for label in ("orgs.area", "orgs.unit")},
        **hidden(world, user),
    }
    visitor, wrong, asked = Visitor(user), [], 0
    for address, method in requests(own):
        form = form_of(address, method) if method != "get" else None
        if form is None or address.promised(user, method) != LET_IN:
            continue
        for name, field in form.base_fields.items():
            for value, unknown in named_by(field, foreign):
                there = visitor.ask(method, address.url, sent_as(address, form, name, value))
                not_there = visitor.ask(method, address.url, sent_as(address, form, name, unknown))
                asked += 1
                if without(there, value, unknown) != without(not_there, value, unknown):
                    wrong.append(f"{address.route.name}: {method} {name}={value!r} tells")
    assert not wrong, "\n".join(wrong)
    assert asked or role == Role.GRID_WORKER


# Texts of what is next door, wherever a page may show them


@pytest.mark.parametrize("role", NEIGHBOURS)
def test_no_page_list_fragment_or_search_shows_a_word_of_what_is_next_door(world, door, own, role):
    """Every address that opens to the neighbours, whole and in parts, with all of next door marked."""
    user = door.neighbours[role]
    for row in hidden(world, user).values():
        mark(row)
    theirs = Visitor(world.people[Role.COMMUNITY_WORKER])
    assert MARK in theirs.ask("get", world.one("members.member").get_absolute_url()).body
    visitor, shown = Visitor(user), []
    for address in own:
        if "get" not in address.route.methods or address.promised(user, "get") != LET_IN:
            continue
        view = address.route.view
        asks = [(address.url, {})]
        if isinstance(view, type) and issubclass(view, ListView):
            asks.append((address.url, {"HX-Request": "true", "HX-Target": "list"}))
            asks.append((f"{address.url}?q={MARK[:2]}", {}))
        if address.route.name.startswith("console:search"):
            asks.append((f"{address.url}?q={MARK[:2]}", {}))
        for url, headers in asks:
            visitor.client.defaults = {_meta(name): value for name, value in headers.items()}
            if MARK in visitor.ask("get", url).body:
                shown.append(f"{address.route.name}: {url} {headers}")
    assert not shown, "\n".join(shown)


def _meta(header: str) -> str:
    return f"HTTP_{header.replace('-', '_').upper()}"
