"""Grids and their posts over the API: the same forms, rights and transitions as the pages."""

import pytest
from django.test import Client
from django.utils import timezone

from grids.models import GridPost, GridProfile
from orgs.actions.tree import retire_area
from tests.factories.accounts import person
from tests.factories.grids import grid_profile
from tests.factories.orgs import small_city

pytestmark = pytest.mark.django_db
AT = "/api/v1"


@pytest.fixture
def place():
    return small_city()


@pytest.fixture
def worker(place):
    return person("community_worker", place.community)


@pytest.fixture
def record(place):
    return GridProfile.objects.get(area=place.grid)


@pytest.fixture
def post(place):
    return GridPost.objects.filter(area=place.grid).order_by("kind__order").first()


def send(user, method, path, body=None, **headers):
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    answer = getattr(client, method)(
        f"{AT}/{path}", body, content_type="application/json", headers=headers
    )
    return answer.status_code, answer.json()


def got(user, path):
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    answer = client.get(f"{AT}/{path}")
    return answer.status_code, answer.json(), answer.headers


def test_a_list_shows_what_is_in_sight_and_filters_as_the_page_does(place, worker, record):
    status, found, _ = got(worker, "grids/")
    assert (status, [row["id"] for row in found["results"]]) == (200, [record.pk])
    assert found["results"][0]["households"] is None
    assert found["results"][0]["area_code"] == place.grid.code
    city = person("org_department", place.city)
    grid_profile(place.grid, 299, 40)
    for query, number in (("unknown", 7), ("outside", 1), ("within", 0)):
        assert len(got(city, f"grids/?counts={query}")[1]["results"]) == number
    assert len(got(city, f"grids/?area={place.district.code}")[1]["results"]) == 4
    assert len(got(city, "grids/?posts=vacant")[1]["results"]) == 8
    retire_area(area=place.grid, by=None)
    assert len(got(city, "grids/?posts=vacant")[1]["results"]) == 7
    assert [r["id"] for r in got(city, "grids/?state=retired")[1]["results"]] == [record.pk]
    assert got(city, "grids/?count=within")[0] == 400


def test_counts_are_set_whole_and_only_on_what_was_read(worker, record):
    path = f"grids/{record.pk}/"
    etag = got(worker, path)[2]["ETag"]
    status, problem = send(worker, "patch", path, {"households": 410})
    assert (status, sorted(problem["errors"])) == (400, ["counted_on", "members"])
    count = {"households": 410, "members": 41, "counted_on": str(timezone.localdate())}
    status, changed = send(worker, "patch", path, count, **{"If-Match": etag})
    assert (status, changed["households"]) == (200, 410)
    status, problem = send(worker, "patch", path, {"households": 9}, **{"If-Match": etag})
    assert status == 409
    status, changed = send(worker, "patch", path, {"members": 42})
    assert (changed["households"], changed["members"]) == (410, 42)
    status, problem = send(worker, "patch", path, {"counted_on": "2999-01-01"})
    assert (status, problem["field"], "不能晚于今天" in problem["detail"]) == (
        400,
        "counted_on",
        True,
    )
    status, problem = send(worker, "patch", path, {"members": 100_000})
    assert (status, problem["field"]) == (400, "members")
    assert send(worker, "post", "grids/", count)[0] == 405


def test_a_post_is_filled_and_vacated(worker, post):
    path = f"grid-posts/{post.pk}/"
    assert len(got(worker, "grid-posts/?state=vacant")[1]["results"]) == 5
    holder = {"data": {"holder": "李玉兰", "since": str(timezone.localdate())}}
    status, held = send(worker, "post", f"{path}transitions/appoint/", holder)
    assert (status, held["state"], held["holder"], held["kind_name"]) == (
        200,
        "held",
        "李玉兰",
        "网格长",
    )
    assert [t["name"] for t in held["transitions"]] == ["vacate"]
    assert send(worker, "post", f"{path}transitions/appoint/", holder)[0] == 409
    status, problem = send(worker, "post", f"{path}transitions/vacate/", {})
    assert (status, problem["field"]) == (400, "reason")
    status, vacant = send(worker, "post", f"{path}transitions/vacate/", {"reason": "调离"})
    assert (status, vacant["state"], vacant["holder"]) == (200, "vacant", "")
    assert send(worker, "patch", path, {"holder": "张三"})[0] == 405


def test_out_of_reach_is_not_there_and_a_look_is_not_a_right(place, record, post):
    stranger = person("community_worker", place.other_community)
    looker = person("grid_worker", place.grid)
    holder = {"data": {"holder": "李玉兰", "since": str(timezone.localdate())}}
    for user, status in ((stranger, 404), (looker, 403)):
        assert send(user, "patch", f"grids/{record.pk}/", {"households": 1})[0] == status
        step = f"grid-posts/{post.pk}/transitions/appoint/"
        assert send(user, "post", step, holder)[0] == status
    assert got(looker, f"grids/{record.pk}/")[0] == 200
    assert got(stranger, f"grids/{record.pk}/")[0] == 404
