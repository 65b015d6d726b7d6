"""Every page without parameters, as each role sees it: the content policy and sound markup."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.enums import Role
from accounts.roles import AREA_ROLES
from tests.core.browsing import signed_in
from tests.factories.accounts import person
from tests.factories.orgs import small_city, unit
from tests.markup import faults

pytestmark = pytest.mark.django_db


def _named(patterns, namespace: str = ""):
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            if not pattern.pattern.converters:
                yield from _named(pattern.url_patterns, inner)
        elif isinstance(pattern, URLPattern) and pattern.name and not pattern.pattern.converters:
            yield f"{namespace}{pattern.name}"


def addresses() -> list[str]:
    """All addresses of both faces that take no parameters."""
    found = {reverse(name) for name in _named(get_resolver().url_patterns)}
    return sorted(a for a in found if not re.match(r"/(api|healthz|metrics)", a))


@pytest.mark.parametrize("role", [*Role.values, None])
def test_pages_keep_to_the_content_policy_and_are_sound(role):
    place = small_city()
    client = signed_in(_holder(role, place)) if role else Client()
    wrong = {}
    for address in addresses():
        response = client.get(address)
        if response.status_code >= 500:
            wrong[address] = [f"answers {response.status_code}"]
        elif response["Content-Type"].startswith("text/html") and response.content.strip():
            found = faults(response)
            if found:
                wrong[address] = found
    assert not wrong


def _holder(role: str, place):
    where = None
    if role in AREA_ROLES:
        where = place.grid if role == Role.GRID_WORKER else place.community
    elif role == Role.UNIT_LIAISON:
        where = unit(place.community)
    return person(role, where)
