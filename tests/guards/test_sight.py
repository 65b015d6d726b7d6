"""Every list × every role: it shows what the scope says, and no place out of sight.

The addresses of single objects are walked in `test_addresses`; a list has no object to be asked
for, so a filter that was forgotten shows only here.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.db.models import Model
from django.urls import reverse

from core.models import AuditEvent, WorkdayOverride
from core.views import ListView
from tests.factories.rows import World
from tests.guards.asking import Visitor
from tests.guards.project import Route, routes

pytestmark = pytest.mark.django_db

# Lists that cannot be walked with a row of their model, and what holds them instead.
ELSEWHERE = {
    "reports:evidence": "what a measure counts, behind a review that is walked as an object"
}
# Rows that a list leads from to somewhere else than to their own page.
LEADS_TO = {
    AuditEvent: lambda row: reverse("accounts:audit-event", args=[row.pk]),
    WorkdayOverride: lambda row: reverse("core:workday-clear", args=[row.pk]),
}


def is_page(route: Route) -> bool:
    return isinstance(route.view, type) and issubclass(route.view, ListView)


def lists() -> list[Route]:
    """Of the pages and of the API."""
    found = [r for r in routes() if is_page(r) or (r.is_api and not r.takes_pk)]
    return [route for route in found if route.name not in ELSEWHERE]


def of_a_place() -> list[Route]:
    """Lists that follow the place chosen in the address."""
    return [route for route in lists() if is_page(route) or route.view.placed()]


def test_lists_that_are_held_elsewhere_are_still_there():
    left_out = {route.name: route.model for route in routes() if route.name in ELSEWHERE}
    assert left_out == dict.fromkeys(ELSEWHERE), "gone, or has a model to be walked with by now"


def shows(visitor: Visitor, route: Route, row: Model) -> bool:
    answer = visitor.ask("get", reverse(route.name))
    if answer.status != 200:
        return False
    if route.is_api:
        return str(row.pk) in {str(found["id"]) for found in json.loads(answer.body)["results"]}
    url = LEADS_TO[type(row)](row) if type(row) in LEADS_TO else row.get_absolute_url()
    return bool(re.search(rf'href="{re.escape(url)}["?]', answer.body))


def everybody(world: World) -> dict[str, Any]:
    people = {f"{role}": user for role, user in world.people.items()}
    return people | {f"{role} elsewhere": user for role, user in world.strangers.items()}


@pytest.mark.parametrize("route", lists(), ids=lambda route: route.name)
def test_a_list_shows_a_row_to_those_who_hold_it(world, route):
    """To nobody else; and the API, which narrows by nothing but the scope, to all of them."""
    row = world.make(route.model._meta.label_lower)
    people = everybody(world)
    holders = {name for name, user in people.items() if row.scope.holds(row, user, route.perm)}
    seers = {name for name, user in people.items() if shows(Visitor(user), route, row)}
    assert seers, "shown to nobody: the walk holds nothing"
    assert seers - holders == set(), "sees it without holding it"
    if route.is_api:
        assert holders - seers == set(), "holds it and does not see it"


@pytest.mark.parametrize("route", of_a_place(), ids=lambda route: route.name)
def test_a_place_out_of_sight_is_as_one_that_is_not_there(world, route):
    url, wrong = reverse(route.name), []
    for role, user in world.strangers.items():
        if route.perm and not user.reach(route.perm):
            continue
        visitor = Visitor(user)
        for key in (world.place.community.pk, world.place.community.code):
            foreign = visitor.ask("get", url, {"area": key})
            unknown = visitor.ask("get", url, {"area": 987_654_321})
            if foreign.status != 404 or foreign != unknown:
                wrong.append(f"{role}: ?area={key} answers {foreign.status}")
    assert not wrong, "\n".join(wrong)
