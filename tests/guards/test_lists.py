"""Every list page with 1, 3 and 50 rows under one literal query count."""

from __future__ import annotations

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.views import ListView
from core.views.lists import open_list
from tests.factories.rows import ROWS, World
from tests.guards.project import Route, routes

# Session, user, grants, the saved views of the list, the count with the numbers of the filters,
# the rows, unread messages; two more for rows that are fetched at once with what hangs on them.
QUERIES = 9
# Lists that ask for more, and for what.
MORE = {"reports:reviews": 1}  # the bands, which are data, among the choices of the filters
# Lists that cannot be filled row by row, and what shows their count instead.
ELSEWHERE = {"reports:evidence": "records of other rooms, counted in tests/reports"}


def lists() -> list[Route]:
    return [
        route
        for route in routes()
        if isinstance(route.view, type) and issubclass(route.view, ListView)
    ]


def test_lists_that_are_counted_elsewhere_are_still_there():
    assert set(ELSEWHERE) <= {route.name for route in lists()}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "route", [r for r in lists() if r.name not in ELSEWHERE], ids=lambda route: route.name
)
def test_a_list_asks_as_often_for_fifty_rows_as_for_one(route):
    world = World()
    label = route.model._meta.label_lower
    assert label in ROWS, "register a row in tests/factories/rows.py"
    first = world.make(label)
    reader = next(
        user
        for user in world.people.values()
        if type(first).scope.holds(first, user, route.perm) and _opens(route, user)
    )
    client = Client()
    client.force_login(reader)
    counts, shown, made = {}, {}, 1
    for wanted in (1, 3, 50):
        for _ in range(wanted - made):
            world.make(label)
        made = wanted
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(reverse(route.name))
        assert answer.status_code == 200
        counts[wanted] = len(captured)
        shown[wanted] = answer.content.decode().count('<tr id="row-')
    assert shown[50] > shown[3] > shown[1], f"the rows do not show: {shown}"
    assert len(set(counts.values())) == 1, f"queries grow with the rows: {counts}"
    assert counts[50] <= QUERIES + MORE.get(route.name, 0)
    for page in ("core:list-views", *(["core:list-export"] if route.view.exports else [])):
        assert client.get(reverse(page, args=[route.name])).status_code == 200
    for step in route.view.bulk:
        look = client.get(reverse("core:list-bulk", args=[route.name, step]) + "?all=1")
        assert look.status_code in (200, 403)  # who sees the list may lack the right to the step


@pytest.mark.django_db
@pytest.mark.parametrize(
    "route",
    [r for r in lists() if r.name not in ELSEWHERE and r.view.filters],
    ids=lambda route: route.name,
)
def test_the_pages_about_a_list_open_with_each_of_its_filters(route):
    """Each alone, by its first choice: the pages say in words what is in force."""
    world = World()
    world.make(route.model._meta.label_lower)
    client = Client()
    reader = next(user for user in world.people.values() if _opens(route, user))
    client.force_login(reader)
    fields = open_list(route.name, user=reader, query=QueryDict()).filterset.form.fields
    asked = [
        {name: value}
        for name, field in fields.items()
        for value, _ in [c for c in getattr(field, "choices", ()) if c[0]][:1]
    ]
    pages = ["core:list-views", *(["core:list-export"] if route.view.exports else [])]
    bulk = [reverse("core:list-bulk", args=[route.name, step]) for step in route.view.bulk]
    for query in asked:
        for address in [reverse(route.name), *(reverse(p, args=[route.name]) for p in pages)]:
            assert client.get(address, query).status_code == 200, (address, query)
        for address in bulk:  # who sees the list may lack the right to the step
            assert client.get(address, query).status_code in (200, 403), (address, query)


@pytest.mark.parametrize("route", lists(), ids=lambda route: route.name)
def test_what_a_list_offers_for_many_rows_can_be_taken_with_many(route):
    assert [step.name for step in route.view.declared_steps()] == list(route.view.bulk)


def _opens(route: Route, user) -> bool:
    client = Client()
    client.force_login(user)
    answer = client.get(reverse(route.name))
    return answer.status_code == 200 and "<tbody>" in answer.content.decode()
