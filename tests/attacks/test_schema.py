"""The API keeps to its own schema, whatever it is asked, by whom and by which method: schemathesis
reads every address and writes to it.

Requests are drawn from the schema, and beside it, from a fixed seed: the same ones in every run. Everybody
asks; who does most asks most. A deep run draws more of them for all::

    FUZZ_EXAMPLES=60 pytest tests/attacks/test_schema.py
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any

import pytest
import schemathesis
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from django.middleware.csrf import get_token
from django.test import Client, RequestFactory
from django.urls import reverse
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from accounts.enums import Role
from core.api.urls import router
from core.models import Job
from tests.factories.rows import World

# A long walk whose answers do not hang on the database: once is enough, where it runs for real.
pytestmark = [pytest.mark.django_db, pytest.mark.postgres]
DEEP = "FUZZ_EXAMPLES" in os.environ
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "3"))  # of each address and manner
# Who reads everything and does the most; of the others one example is taken, in a deep run as many.
MOST = [Role.COMMUNITY_WORKER, Role.UNIT_LIAISON]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
# Without a store of earlier failures and without shrinking: bounded, and the same on any machine.
BOUNDED = {
    examples: settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    for examples in {1, EXAMPLES}
}


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker):
    """Some rows of everything that the API reads."""
    with django_db_blocker.unblock(), transaction.atomic():
        made = World()
        for _prefix, viewset, _name in router.registry:
            made.make(viewset.model._meta.label_lower)
        # A job is its owner's alone.
        Job.objects.update(owner=made.people[Role.COMMUNITY_WORKER])
        yield made
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def _connection_stays():
    """A request's end leaves the connection alone: it holds the test's transaction."""
    ends = (request_started, request_finished)
    for signal in ends:
        signal.disconnect(close_old_connections)
    yield
    for signal in ends:
        signal.connect(close_old_connections)


def session(user: Any) -> dict[str, Any]:
    """What a signed-in person's requests carry."""
    client = Client()
    client.force_login(user)
    token = get_token(RequestFactory().get("/"))
    cookies = {name: morsel.value for name, morsel in client.cookies.items()}
    return {"cookies": {**cookies, "csrftoken": token}, "headers": {"X-CSRFToken": token}}


def operations(**only: Any) -> Iterator:
    schema = schemathesis.openapi.from_wsgi(reverse("api:schema"), get_wsgi_application())
    for found in (schema.include(**only) if only else schema).get_all_operations():
        yield found.ok()


def examples_of(role: str) -> int:
    return EXAMPLES if DEEP or role in MOST else 1


def answers(
    operation: Any,
    mode: GenerationMode,
    sent: dict[str, Any],
    pks: list,
    keep: Callable,
    examples: int = EXAMPLES,
) -> None:
    """Some requests of one manner; each answer is held against the schema and given to `keep`.
    What a request wrote is undone.

    `pks`: objects that are there, asked for in turn where the address names one.
    """
    cache.clear()  # the limit of requests a minute is another test's matter
    known = itertools.cycle(pks)

    @seed(1)
    @BOUNDED[examples]
    @given(operation.as_strategy(generation_mode=mode))
    def ask(case):
        if pks and "id" in case.path_parameters:
            case.path_parameters["id"] = next(known)
        with transaction.atomic():
            answer = case.call_and_validate(checks=CHECKS, **sent)
            transaction.set_rollback(True)
        keep(answer)

    ask()


def noun_of(operation: Any) -> str:
    """The address of the list that an operation belongs to."""
    return operation.path.partition("{id}/")[0]


@pytest.mark.parametrize("role", Role)
def test_every_address_answers_as_the_schema_says(world, role):
    sent, listed, examples = session(world.people[role]), {}, examples_of(role)
    for operation in operations(method="GET"):
        noun, good = noun_of(operation), []

        def keep(answer, good=good):
            if answer.status_code == HTTPStatus.OK:
                good.append(answer.json())

        answers(operation, GenerationMode.POSITIVE, sent, listed.get(noun, []), keep, examples)
        answers(operation, GenerationMode.NEGATIVE, sent, [], lambda _: None, examples)
        if noun == operation.path:
            listed[noun] = [row["id"] for page in good for row in page["results"]]
        if role == Role.COMMUNITY_WORKER:
            assert good, f"{operation.label} never had anything to show"
            assert listed[noun], f"{operation.label} has no rows: what it shows was not looked at"
    assert len(listed) > 10


@pytest.mark.parametrize("role", Role)
def test_every_write_answers_as_the_schema_says(world, role):
    """Created, changed, carried on, or refused in words: nothing else, and never a fault."""
    user, seen = world.people[role], set()
    sent = session(user)
    rows = {reverse(f"api:{prefix}-list"): view.model for prefix, view, _ in router.registry}
    for operation in operations(method=["POST", "PATCH"]):
        seen_rows = rows[noun_of(operation)]._default_manager.visible_to(user)
        pks = list(seen_rows.values_list("pk", flat=True)[:5])

        def keep(answer):
            seen.add(answer.status_code)

        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            answers(operation, mode, sent, pks, keep, examples_of(role))
    assert seen & {HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN}
    if role in MOST:
        assert seen >= {HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN}


def test_without_a_sign_in_every_operation_says_so():
    for operation in operations():
        seen = set()
        answers(operation, GenerationMode.POSITIVE, {}, [1], lambda a, s=seen: s.add(a.status_code))
        # Jobs are named by a key of another form than a number: there is no such address.
        assert seen <= {HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND}, f"{operation.label}: {seen}"
        assert HTTPStatus.UNAUTHORIZED in seen or "{id}" in operation.path


def test_what_the_schema_does_not_offer_is_not_offered(world):
    """PUT, DELETE and the like: 405 in the shape of every error, for what is there and what is not."""
    offered: dict[str, set[str]] = {}
    for operation in operations():
        offered.setdefault(operation.path, set()).add(operation.method.lower())
    client = Client()
    client.force_login(world.people[Role.COMMUNITY_WORKER])
    for path, methods in offered.items():
        for method in {"get", "post", "put", "patch", "delete"} - methods:
            cache.clear()
            answer = getattr(client, method)(path.replace("{id}", "1"))
            # Jobs are named by a key of another form, which the address tells from a number.
            assert answer.status_code in (405, 404), f"{method} {path}"
            assert set(answer.json()) == {"detail", "field"}, f"{method} {path}"
