"""Every address × every role: what each is to answer follows from what its view declares.

Anonymous: to the sign-in, or 401. Out of sight: 404. In sight without the right: 403. Otherwise
anything but a fault. A view that cannot be judged by its declaration is named in `OTHERWISE`
with the reason, and a reason that is no longer needed fails.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from core.api import ScopedViewSet
from core.attachments import object_of
from core.models import SheetImport
from core.scope import may, reach_of
from core.transitions import MACHINES
from core.views import ConsoleView, TransitView
from tests.factories.rows import ROWS, World
from tests.guards.project import Route, routes

# Open to everybody, signed in or not.
OPEN = {
    "health-live": "asked by the container engine",
    "health-ready": "asked by the container engine",
    "metrics": "answers to networks, not to people",
    "api:schema": "names fields and rights, no data",
    "accounts:sign-in": "the way in",
    "console:theme": "a cookie, also for the sign-in page",
}
OPEN_ROOMS = {"portal": "what residents reach without an account"}

# Views whose objects are not rows of their `model`, and what they are rows of.
ROW_OF = {
    "reports:evidence": "reports.review",
    "core:attachment": "core.attachment",
}
# Rows that have no scope of their own, and the object that decides for them.
DECIDED_BY: dict[str, Callable[[Any], Model]] = {"core.attachment": object_of}
# Parts of addresses besides the object's pk.
PARTS: dict[str, Callable[[World, Model | None], dict[str, Any]]] = {
    "reports:evidence": lambda world, obj: {"key": obj.scores.first().key},
    "core:attach": lambda world, obj: {
        "label": "alliance.agreement",
        "object_id": world.make("alliance.agreement").pk,
    },
}
# What the declaration does not say, and why that is right.
_BY_LEVEL = "grids are drawn by communities, higher levels by streets and above"
OTHERWISE: dict[str, str] = {
    "orgs:area-below": _BY_LEVEL,
    "orgs:area-rename": _BY_LEVEL,
    "orgs:area-move": _BY_LEVEL,
    "orgs:area-retire": _BY_LEVEL,
}
# GET that writes, and why.
WRITES_ON_GET: dict[str, str] = {
    "accounts:enrol": "the authenticator's secret is made when it is first shown",
    "core:message": "a message that has been opened has been read",
}


class Case:
    """One address with an object of the first community behind it."""

    def __init__(self, route: Route, world: World, name: str = "") -> None:
        self.route, self.transition = route, name
        self.obj = self._object(world)
        parts: dict[str, Any] = {"pk": self.obj.pk} if route.takes_pk else {}
        if name and "name" in route.params:
            parts["name"] = name
        elif route.params:
            parts |= PARTS[route.name](world, self.obj)
        self.address = reverse(route.name, kwargs=parts)

    def _object(self, world: World) -> Model | None:
        if not self.route.takes_pk:
            return None
        if resource := self.route.declared.get("resource"):
            return world.upload(resource)
        label = ROW_OF.get(self.route.name) or self.route.model._meta.label_lower
        return world.one(label)

    def expected(self, user: Any) -> int:
        """404, 403, or 200 for any answer that is not a refusal."""
        perm = self.route.perm
        if self.obj is None:
            return 200 if perm is None or reach_of(user, perm) else 403
        if isinstance(self.obj, SheetImport) and not reach_of(user, perm):
            return 403  # the page is about the table first, and about an upload of it then
        decides = DECIDED_BY.get(self.obj._meta.label_lower, lambda obj: obj)(self.obj)
        if not type(decides).scope.holds(decides, user):
            return 404
        if perm and not may(user, perm, decides):
            return 403
        step = self.route.step
        if self.transition:
            step = MACHINES[self.obj._meta.label_lower].transitions[self.transition]
            if step.perm is None:
                return 404
        if step and not may(user, step.perm, self.obj, step.within):
            return 403
        return 200


def cases(world: World) -> list[Case]:
    """Each address once; one that takes the name of a transition, once for each of the table."""
    found = []
    for route in routes():
        if route.name in OPEN or route.name.partition(":")[0] in OPEN_ROOMS:
            continue
        if route.name == "api:not-there":
            continue
        if isinstance(route.view, type) and issubclass(route.view, TransitView):
            machine = MACHINES[route.model._meta.label_lower]
            found += [Case(route, world, name) for name in machine.transitions]
        else:
            found.append(Case(route, world))
    return found


class Visitor:
    """A signed-in client that no answer signs out: each request brings the same session."""

    def __init__(self, user: Any) -> None:
        self.client = Client(raise_request_exception=False)
        self.client.force_login(user)
        self.key = self.client.cookies[settings.SESSION_COOKIE_NAME].value

    def ask(self, case: Case, method: str) -> int:
        """The answer's status, 401 when it leads to the sign-in. What it wrote is undone."""
        self.client.cookies[settings.SESSION_COOKIE_NAME] = self.key
        kwargs: dict[str, Any] = {}
        if method != "get":
            kwargs = {"data": {}}
            kwargs |= {"content_type": "application/json"} if case.route.is_api else {}
        with transaction.atomic():
            answer = getattr(self.client, method)(case.address, **kwargs)
            answer.close()  # a file that nobody reads to its end
            transaction.set_rollback(True)
        if answer.headers.get("Location", "").startswith(settings.LOGIN_URL):
            return 200 if case.route.name == "accounts:sign-out" else 401
        return answer.status_code


def refusal(status: int) -> int:
    return status if status in (401, 403, 404) or status >= 500 else 200


@pytest.fixture
def world(transactional_db, monkeypatch, tmp_path) -> World:
    monkeypatch.setattr(settings, "MEDIA_ROOT", tmp_path)
    return World()


class Writes:
    """What a GET writes, by address: but for the clock of the session."""

    def __init__(self) -> None:
        self.found: dict[str, set[str]] = {}
        self.case: Case | None = None

    def __call__(self, execute: Callable, sql: str, params: Any, many: bool, context: Any) -> Any:
        verb, _, rest = sql.lstrip().partition(" ")
        if self.case and verb in ("INSERT", "UPDATE", "DELETE") and "session" not in rest[:40]:
            line = f"{self.case.address}: {sql[:80]}"
            self.found.setdefault(self.case.route.name, set()).add(line)
        return execute(sql, params, many, context)


def test_every_address_answers_every_role_as_its_view_declares(world):
    """And looking changes nothing, whoever looks."""
    people = {f"{role}": user for role, user in world.people.items()}
    people |= {f"{role} elsewhere": user for role, user in world.strangers.items()}
    visitors = {name: Visitor(user) for name, user in people.items()}
    wrong: dict[str, list[str]] = {}
    walked, writes = cases(world), Writes()
    with connection.execute_wrapper(writes):
        for case in walked:
            for method in sorted(case.route.methods):
                for name, user in people.items():
                    writes.case = case if method == "get" else None
                    status = visitors[name].ask(case, method)
                    writes.case = None
                    expected = case.expected(type(user).objects.get(pk=user.pk))
                    if refusal(status) != expected:
                        line = f"{method} {case.address} as {name}: {status}, not {expected}"
                        wrong.setdefault(case.route.name, []).append(line)
    hold_against(OTHERWISE, wrong)
    hold_against(WRITES_ON_GET, writes.found)


def hold_against(reasons: dict[str, str], found: dict[str, Any]) -> None:
    """Whatever was found has its reason, and every reason is still needed. No reason excuses a
    fault of the server."""
    faults = [line for lines in found.values() for line in lines if ": 50" in line]
    told = [line for name, lines in found.items() if name not in reasons for line in lines]
    assert not [*faults, *told], "\n".join([*faults, *told])
    assert not set(reasons) - set(found), "no longer so: take the reason away"


def test_without_a_sign_in_nothing_opens_but_what_is_open(world):
    client = Client(raise_request_exception=False)
    wrong = []
    for case in cases(world):
        for method in sorted(case.route.methods):
            answer = getattr(client, method)(case.address)
            right = (
                answer.status_code == 401
                if case.route.is_api
                else answer.status_code == 302
                and answer["Location"].startswith("/console/sign-in/")
            )
            if not right:
                wrong.append(f"{method} {case.address}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)


def test_what_is_open_is_still_there_and_stands(world):
    known = {route.name for route in routes()}
    assert set(OPEN) <= known
    assert OPEN_ROOMS.keys() <= {name.partition(":")[0] for name in known}
    client = Client(raise_request_exception=False)
    for route in routes():
        if "<" in route.pattern or route.name == "api:not-there":
            continue
        if route.name in OPEN or route.name.partition(":")[0] in OPEN_ROOMS:
            for method in ("get", "post"):
                status = getattr(client, method)(reverse(route.name)).status_code
                assert status < 500 or route.name == "health-ready", (method, route.name, status)


def test_every_page_about_an_object_has_a_row_to_be_walked_with():
    needed = {
        ROW_OF.get(route.name) or route.model._meta.label_lower
        for route in routes()
        if route.takes_pk and "resource" not in route.declared
    }
    assert needed - set(ROWS) == set(), "register them in tests/factories/rows.py"


def test_every_console_page_passes_the_gate():
    """A page of staff that is neither a base view nor a viewset would decide for itself."""
    before = [
        route.name
        for route in routes()
        if route.name not in OPEN
        and route.name.partition(":")[0] not in OPEN_ROOMS
        and route.name != "api:not-there"
        and not (
            isinstance(route.view, type) and issubclass(route.view, ConsoleView | ScopedViewSet)
        )
    ]
    assert all(name.startswith("accounts:") for name in before), before
