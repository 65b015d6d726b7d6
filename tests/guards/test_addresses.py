"""Every address × every method × every role: the answer is what the declaration promises.

Outside one's reach 404, the same as for what does not exist; inside without the right 403;
without a sign-in to the sign-in page, or 401; never a fault of the server. What is promised is
read in `tests.guards.declared`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import reverse

from accounts.enums import DUTIES, Role
from core.api import ScopedViewSet
from core.pages.lists import ListExport, ListViews, OfSavedView, ViewDeed
from core.views import ActionFormView, ConsoleView, ExportView
from services.enums import ItemState
from tests.factories.rows import ROWS, World
from tests.guards.asking import Answer, Visitor
from tests.guards.declared import (
    BY_OBJECT,
    ELSEWHERE,
    FORBIDDEN,
    LET_IN,
    MADE,
    NO_PERMISSION,
    NOT_THERE,
    OPEN,
    OPEN_ROOMS,
    PARTS,
    ROW_OF,
    SENT,
    Address,
    addresses,
    closed,
    is_open,
    label_of,
    own_addresses,
)
from tests.guards.project import routes

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def walked(world: World) -> list[Address]:
    return addresses(world)


def requests(of: list[Address]) -> Iterator[tuple[Address, str]]:
    for address in of:
        for method in sorted(address.route.methods):
            yield address, method


def told(address: Address, method: str, answer: Answer, promised: str) -> str:
    return f"{address.route.name}: {method} {address.url} answers {answer.status}, not {promised}"


def unlike(visitor: Visitor, address: Address, method: str, answer: Answer) -> list[str]:
    """A 404 that tells what is out of sight from what is not there."""
    nothing = visitor.ask(method, address.of_nothing, address.sent)
    if (answer.status, answer.body) == (nothing.status, nothing.body):
        return []
    return [told(address, method, answer, f"the {nothing.status} of what is not there")]


def keeps(promised: str, answer: Answer, method: str) -> bool:
    if promised == LET_IN:
        return answer.lets_in(method)
    return answer.status == int(promised)


# What nobody can mean. The gate stands before the reading: whoever is not to pass is told so,
# and not what is wrong with what they sent, nor by the action's own refusal behind a missing gate.
NONSENSE = {"no_such_field": "?"}


def walk(user: Any, of: list[Address]) -> tuple[list[str], set[str]]:
    """Which answers broke their promise, and which promises there were."""
    visitor, wrong, seen = Visitor(user), [], set()
    nothing: dict[bool, Answer] = {}  # what is not there, of the API and of the pages
    for address, method in requests(of):
        promised = address.promised(user, method)
        sent = address.sent | (NONSENSE if promised == FORBIDDEN else {})
        answer = visitor.ask(method, address.url, sent)
        seen.add(promised)
        if promised == NOT_THERE and address.route.is_api not in nothing:
            nothing[address.route.is_api] = visitor.ask(method, address.of_nothing, address.sent)
        alike = promised != NOT_THERE or answer == nothing[address.route.is_api]
        if not keeps(promised, answer, method) or not alike:
            wrong.append(told(address, method, answer, promised))
    return wrong, seen


@pytest.mark.parametrize("role", Role)
def test_a_role_in_its_place_is_answered_as_declared(world, walked, role):
    wrong, seen = walk(world.people[role], walked)
    assert not wrong, "\n".join(wrong)
    assert seen == {LET_IN, FORBIDDEN, NOT_THERE}, "the walk no longer meets all three"


@pytest.mark.parametrize("role", Role)
def test_ones_own_account_is_seen_and_not_administered(world, role):
    user = world.people[role]
    wrong, _ = walk(user, own_addresses(user))
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("role", [role for role in Role if role not in DUTIES])
def test_a_role_of_another_city_finds_nothing_there(world, walked, role):
    """Whatever the role: each object of the first city is as if it did not exist."""
    visitor, wrong = Visitor(world.strangers[role]), []
    for address, method in requests([a for a in walked if a.obj is not None]):
        answer = visitor.ask(method, address.url, address.sent)
        if answer.status != 404:
            wrong.append(told(address, method, answer, NOT_THERE))
        else:
            wrong += unlike(visitor, address, method, answer)
    assert not wrong, "\n".join(wrong)


def test_without_a_sign_in_nothing_opens_but_what_is_open(walked):
    nobody, wrong = Visitor(), []
    for address, method in requests(walked):
        answer = nobody.ask(method, address.url, address.sent)
        if address.route.is_api:
            right = answer.status == 401 and answer.body.startswith('{"detail":')
        else:
            right = answer.asks_to_sign_in
        if not right:
            wrong.append(told(address, method, answer, "a demand to sign in"))
    assert not wrong, "\n".join(wrong)


# What is open


def open_addresses(world: World) -> list[tuple[str, str]]:
    item = world.one("services.item")
    assert item.state == ItemState.PUBLISHED, "the portal shows what is published"
    known = {"code": world.place.community.code, "number": item.number, "step": "topic"}
    return [
        (route.name, reverse(route.name, kwargs={name: known[name] for name in route.params}))
        for route in routes()
        if is_open(route)
    ]


@pytest.mark.parametrize("who", ["nobody", *Role])
def test_what_is_open_is_open_to_whoever_comes(world, who):
    visitor, wrong = Visitor(world.people.get(who)), []
    for name, url in open_addresses(world):
        for method in ("get", "post"):
            answer = visitor.ask(method, url)
            if answer.status not in (200, 302, 400, 405, 422) or answer.asks_to_sign_in:
                wrong.append(f"{name}: {method} {url} answers {answer.status}")
    assert not wrong, "\n".join(wrong)


# The declarations themselves


def test_every_address_asks_for_a_permission_or_says_why_not(walked):
    bare = {
        address.route.name
        for address, method in requests(walked)
        if not address.rights(method) and not (address.step and address.step.perm is None)
    }
    assert bare - set(NO_PERMISSION) == set(), "declare `perm`, or give the reason"
    assert set(NO_PERMISSION) - bare == set(), "asks for one or is gone: take the reason away"


# Permissions that open and change alike, and why there is no second one.
LOOK_IS_WRITE = {
    "services.tickets": "a ticket is seen by those who handle it and by nobody else",
    "workdays.edit": "the table is its keeper's alone; everybody else sees its effect",
    "jobs.all": "who watches over jobs stops and restarts them; one's own rows need no right",
    "audit.view": "a reading of the whole log is asked for by who reads it",
}


def test_no_write_asks_only_for_the_right_to_look(walked):
    looks = {address.decider.scope.view for address in walked if address.decider is not None}
    found: dict[str, str] = {}
    for address, method in requests(walked):
        rights = {right.perm for right in address.rights(method)}
        if method != "get" and rights and rights <= looks and not _orders_a_file(address):
            found |= dict.fromkeys(rights, f"{method} {address.url}")
    told_ = [f"{perm}: {where}" for perm, where in found.items() if perm not in LOOK_IS_WRITE]
    assert not told_, "a right to look lets somebody write:\n" + "\n".join(told_)
    assert set(LOOK_IS_WRITE) <= set(found), "asks for more now: take the reason away"


def _orders_a_file(address: Address) -> bool:
    """Or keeps the address of a list: neither changes what it looks at."""
    return issubclass(
        address.route.view, ExportView | ListExport | ListViews | OfSavedView | ViewDeed
    )


def test_page_and_api_ask_the_same_right_for_one_deed():
    pages = {
        route.view.action: route.view.perm
        for route in closed()
        if isinstance(route.view, type) and issubclass(route.view, ActionFormView)
        if hasattr(route.view, "action")
    }
    writes = {
        write.action: write.perm
        for route in closed()
        if route.is_api
        for write in (route.view.creates, route.view.updates)
        if write
    }
    both = set(pages) & set(writes)
    assert both, "no deed has both any more: this test holds nothing"
    assert {deed: pages[deed] for deed in both} == {deed: writes[deed] for deed in both}


def test_every_page_about_an_object_has_a_row_to_be_walked_with():
    needed = {label_of(route) for route in closed()} - {None, "core.sheetimport"}
    assert needed <= set(ROWS), "register them in tests/factories/rows.py"


def test_every_console_page_passes_the_gate():
    """A page of staff that is neither a base view nor a viewset would decide for itself."""
    others = [
        route.name
        for route in closed()
        if not (
            isinstance(route.view, type) and issubclass(route.view, ConsoleView | ScopedViewSet)
        )
    ]
    assert all(name in NO_PERMISSION for name in others), others


def test_what_the_walk_knows_of_single_addresses_is_still_so():
    names = {route.name for route in routes()}
    assert {*OPEN, *ELSEWHERE, *ROW_OF, *MADE, *PARTS, *SENT, *BY_OBJECT, *NO_PERMISSION} <= names
    assert OPEN_ROOMS.keys() <= {name.partition(":")[0] for name in names}
