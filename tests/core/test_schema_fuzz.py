"""The API keeps to its own schema, whatever it is asked: schemathesis reads every address.

Requests are drawn from the schema, and beside it, from a fixed seed: the same ones in every run.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from http import HTTPStatus

import pytest
import schemathesis
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.test import Client
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

EXAMPLES = 8  # of each address and manner
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
# Without a store of earlier failures and without shrinking: bounded, and the same on any machine.
BOUNDED = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def world():
    """Some rows of everything that the API reads."""
    made = World()
    for _prefix, viewset, _name in router.registry:
        made.make(viewset.model._meta.label_lower)
    Job.objects.update(owner=made.people[Role.COMMUNITY_WORKER])  # a job is its owner's alone
    return made


@pytest.fixture(autouse=True)
def _connection_stays():
    """A request's end leaves the connection alone: it holds the test's transaction."""
    ends = (request_started, request_finished)
    for signal in ends:
        signal.disconnect(close_old_connections)
    yield
    for signal in ends:
        signal.connect(close_old_connections)


@pytest.fixture
def cookies(world):
    client = Client()
    client.force_login(world.people[Role.COMMUNITY_WORKER])
    return {name: morsel.value for name, morsel in client.cookies.items()}


def operations() -> Iterator:
    schema = schemathesis.openapi.from_wsgi(reverse("api:schema"), get_wsgi_application())
    for found in schema.include(method="GET").get_all_operations():
        yield found.ok()


def answers(operation, mode: GenerationMode, cookies: dict[str, str], pks: list) -> list[dict]:
    """The good answers of some requests of one manner; each answer is held against the schema.

    `pks`: objects that are there, asked for in turn where the address names one.
    """
    cache.clear()  # the limit of requests a minute is another test's matter
    known, good = itertools.cycle(pks), []

    @seed(1)
    @BOUNDED
    @given(operation.as_strategy(generation_mode=mode))
    def ask(case):
        if pks and "id" in case.path_parameters:
            case.path_parameters["id"] = next(known)
        answer = case.call_and_validate(checks=CHECKS, cookies=cookies)
        if answer.status_code == HTTPStatus.OK:
            good.append(answer.json())

    ask()
    return good


@pytest.mark.django_db
def test_every_address_answers_as_the_schema_says(cookies):
    listed: dict[str, list] = {}
    for operation in operations():
        noun = operation.path.removesuffix("{id}/")
        is_list = noun == operation.path
        good = answers(operation, GenerationMode.POSITIVE, cookies, listed.get(noun, []))
        answers(operation, GenerationMode.NEGATIVE, cookies, [])
        assert good, f"{operation.label} never had anything to show"
        if is_list:
            listed[noun] = [row["id"] for page in good for row in page["results"]]
            assert listed[noun], f"{operation.label} has no rows: what it shows was not looked at"
    assert len(listed) > 10
