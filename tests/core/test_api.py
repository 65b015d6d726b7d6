"""The API's one viewset: what the pages show, take and refuse, in JSON."""

from __future__ import annotations

import importlib
import json
import time
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import clear_url_caches, include, path
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from rest_framework.test import APIRequestFactory, force_authenticate

from accounts.models import Grant
from core.models import AuditEvent
from core.transitions import MACHINES
from core.views import errors
from orgs.models import Unit
from tests.factories.accounts import person
from tests.factories.orgs import small_city, unit

UNITS = "/api/v1/units/"


@pytest.fixture
def api(settings, db):
    """The tests' own room, with a table for units for as long as the test takes."""
    from tests.core import api_urls

    kept = dict(MACHINES)
    MACHINES.pop("orgs.unit", None)
    api_urls.machine()
    importlib.reload(api_urls)
    settings.ROOT_URLCONF = "tests.core.api_urls"
    clear_url_caches()
    yield api_urls
    MACHINES.clear()
    MACHINES.update(kept)
    clear_url_caches()


@pytest.fixture
def place(api):
    return small_city()


@pytest.fixture
def worker(place):
    return person("community_worker", place.community)


@pytest.fixture
def bank(place) -> Unit:
    return unit(place.community, name="某银行", kind="bank")


def at(user, **kwargs) -> Client:
    client = Client(**kwargs)
    if user:
        client.force_login(user)
    return client


def send(client: Client, method: str, address: str, body) -> tuple[int, dict]:
    answer = getattr(client, method)(address, body, content_type="application/json")
    return answer.status_code, answer.json()


@pytest.fixture
def client(worker) -> Client:
    return at(worker)


@pytest.fixture
def new(place):
    return {"name": "新单位", "kind": "school", "area": place.community.pk}


# Reading


def test_a_list_shows_the_declared_columns_of_what_is_in_sight(client, bank, place):
    unit(place.other_community)
    answer = client.get(UNITS)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    assert answer.json() == {
        "results": [
            {
                "id": bank.pk,
                "name": "某银行",
                "kind": "bank",
                "state": "active",
                "area_id": place.community.pk,
                "area_name": place.community.name,
            }
        ],
        "next": None,
    }


def test_a_list_costs_the_same_however_long(client, place, django_assert_max_num_queries):
    unit(place.community)
    with django_assert_max_num_queries(4):  # session (unless Redis has it), user, grants, rows
        client.get(UNITS)
    for _ in range(50):
        unit(place.community)
    with django_assert_max_num_queries(4):
        assert len(client.get(UNITS).json()["results"]) == 50


def test_the_words_of_a_list_are_kept_for_one_reach_alone(place, bank):
    """Asked in turns, so that whoever comes finds the words of those before them."""
    other = unit(place.other_community)
    people = {
        at(person("community_worker", place.community)): [bank],
        at(person("community_worker", place.other_community)): [other],
        at(person("street_officer", place.street)): [bank],
        at(person("org_department", place.city)): [other, bank],
        at(person("unit_liaison", bank)): [bank],
        at(moved := person("community_worker", place.community)): [bank],
    }
    for _ in range(2):
        for client, seen in people.items():
            found = client.get(UNITS).json()["results"]
            assert [row["id"] for row in found] == [u.pk for u in seen]
            found = client.get(f"{UNITS}?after={other.pk}").json()["results"]
            assert [row["id"] for row in found] == [u.pk for u in seen if u.pk < other.pk]
    moved.grants.update(ends_on=timezone.localdate() - timedelta(days=1))
    client = next(client for client in reversed(people))
    assert client.get(UNITS).status_code == 403
    Grant.objects.create(
        user=moved, role="unit_liaison", unit=other, starts_on=timezone.localdate()
    )
    assert [row["id"] for row in client.get(UNITS).json()["results"]] == [other.pk]


def test_rows_that_follow_from_the_request_are_asked_for_anew(api, place, bank, worker):
    class OfAKind(api.UnitApi):
        def get_queryset(self):
            return super().get_queryset().filter(kind=self.request.headers["X-Kind"])

    school = unit(place.community, kind="school")
    for kind, seen in (("bank", bank), ("school", school)):
        request = APIRequestFactory().get(UNITS, headers={"X-Kind": kind})
        force_authenticate(request, worker)
        found = OfAKind.as_view({"get": "list"})(request).data["results"]
        assert [row["id"] for row in found] == [seen.pk]


def test_pages_go_on_from_an_id_and_miss_nothing(client, place):
    ids = [unit(place.community).pk for _ in range(7)]
    seen, address = [], f"{UNITS}?limit=3"
    while address:
        page = client.get(address).json()
        seen += [row["id"] for row in page["results"]]
        assert len(page["results"]) <= 3
        address = page["next"]
        if len(seen) == 3:
            unit(place.community)  # newer than all that follows
    assert seen == ids[::-1]


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "after=x", "after=-1", "after=1e3"])
def test_a_page_that_cannot_be_is_refused(client, query):
    name = query.partition("=")[0]
    answer = client.get(f"{UNITS}?{query}")
    assert answer.status_code == 400
    assert answer.json()["field"] == name


def test_the_pages_own_filters_apply(client, bank, place):
    unit(place.community, name="某小学", kind="school", state="left")
    assert [r["name"] for r in client.get(f"{UNITS}?kind=school").json()["results"]] == ["某小学"]
    assert [r["name"] for r in client.get(f"{UNITS}?q=银行").json()["results"]] == ["某银行"]
    assert client.get(f"{UNITS}?state=active&kind=school").json()["results"] == []


def test_a_wrong_or_unknown_filter_is_refused_not_ignored(client, bank):
    for query, field in (("kind=castle", "kind"), ("knid=bank", "knid")):
        answer = client.get(f"{UNITS}?{query}")
        assert answer.status_code == 400
        assert answer.json()["field"] == field


def test_a_list_follows_the_place(client, bank, place, worker):
    worker.grants.update(area=place.street)
    beside = unit(place.sibling_community)
    for key in (place.community.pk, place.community.code):
        found = client.get(f"{UNITS}?area={key}").json()["results"]
        assert [row["id"] for row in found] == [bank.pk]
    found = client.get(f"{UNITS}?area={place.street.pk}").json()["results"]
    assert [row["id"] for row in found] == [beside.pk, bank.pk]
    codes = [
        row["code"] for row in client.get(f"/api/v1/areas/?area={place.grid.pk}").json()["results"]
    ]
    assert codes == [place.grid.code]
    for key in (place.other_community.pk, 10**9, "x"):
        assert client.get(f"{UNITS}?area={key}").status_code == 404


def test_one_object_shows_more_and_what_can_be_done(client, bank):
    shown = client.get(f"{UNITS}{bank.pk}/").json()
    assert shown["contact_name"] == bank.contact_name
    assert shown["area_name"] == bank.area.name
    assert shown["transitions"] == [
        {"name": "leave", "label": "迁出", "why_not": None, "reason_required": True}
    ]
    Unit.objects.update(contact_name="未了")
    assert (
        client.get(f"{UNITS}{bank.pk}/").json()["transitions"][0]["why_not"] == "尚有未办结事项。"
    )


# Who may


def test_without_a_sign_in_it_is_401(place, bank):
    for method, address in (
        ("get", UNITS),
        ("get", f"{UNITS}{bank.pk}/"),
        ("post", UNITS),
        ("patch", f"{UNITS}{bank.pk}/"),
        ("post", f"{UNITS}{bank.pk}/transitions/leave/"),
    ):
        answer = getattr(at(None), method)(address)
        assert answer.status_code == 401, (method, address)
        assert set(answer.json()) == {"detail", "field"}


def test_unknown_and_foreign_answer_alike(client, place, new):
    foreign = unit(place.other_community).pk
    for suffix, method, body in (
        ("", "get", None),
        ("", "patch", new),
        ("transitions/leave/", "post", {"reason": "x"}),
    ):
        answers = [
            send(client, method, f"{UNITS}{pk}/{suffix}", body) for pk in (foreign, 10**9, 10**30)
        ]
        assert answers[0][0] == 404
        assert answers[0] == answers[1] == answers[2]


def test_inside_without_the_right_it_is_403(place, bank, new):
    liaison = at(person("unit_liaison", bank))
    assert send(liaison, "get", f"{UNITS}{bank.pk}/", None)[0] == 200
    for method, address, body in (
        ("post", UNITS, new),
        ("patch", f"{UNITS}{bank.pk}/", {"name": "x"}),
        ("post", f"{UNITS}{bank.pk}/transitions/leave/", {"reason": "x"}),
    ):
        code, said = send(liaison, method, address, body)
        assert code == 403
        assert "没有办理这项操作的权限" in said["detail"]
    nobody = person("grid_worker", place.community)
    assert send(at(nobody), "get", UNITS, None)[0] == 403
    assert send(at(person("security_auditor")), "get", UNITS, None)[0] == 403


def test_writing_needs_the_csrf_token(worker, bank, new):
    client = at(worker, enforce_csrf_checks=True)
    assert send(client, "post", UNITS, new)[0] == 403
    assert send(client, "get", UNITS, None)[0] == 200


def test_what_is_not_declared_is_405(client, bank, place):
    assert client.delete(f"{UNITS}{bank.pk}/").status_code == 405
    assert client.put(f"{UNITS}{bank.pk}/").status_code == 405
    assert client.post("/api/v1/areas/").status_code == 405
    assert client.get(f"{UNITS}{bank.pk}/transitions/leave/").status_code == 405


# Writing


def test_create_goes_through_the_form_and_the_action(client, worker, new):
    code, made = send(client, "post", UNITS, new)
    assert code == 201
    assert (made["name"], made["kind"], made["contact_name"]) == ("新单位", "school", "")
    row = AuditEvent.objects.get(action="orgs.unit.create")
    assert (row.actor_id, row.object_id) == (worker.pk, str(made["id"]))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "长" * 21}, "name"),
        ({"name": None}, "name"),
        ({"name": ["a"]}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"kind": "castle"}, "kind"),
        ({"kind": 7}, "kind"),
        ({"area": 10**30}, "area"),
        ({"area": "x"}, "area"),
        ({"area": True}, "area"),
        ({"state": "left"}, "state"),
    ],
)
def test_bad_input_is_named_at_its_field_and_nothing_is_written(client, new, change, field):
    code, said = send(client, "post", UNITS, new | change)
    assert code == 400
    assert said["field"] == field
    assert said["errors"][field]
    assert not Unit.objects.exists()


@pytest.mark.parametrize("body", ["[]", "7", '"x"', "{", "", "\xff"])
def test_what_is_no_json_object_is_refused(client, body):
    answer = client.post(UNITS, body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["detail"]


def test_other_than_json_is_refused(client, new):
    assert client.post(UNITS, new).status_code == 415


def test_what_the_action_refuses_is_told_at_its_field(client, new):
    code, said = send(client, "post", UNITS, new | {"name": "重名"})
    assert (code, said["field"]) == (400, "name")
    assert said["detail"] == "本社区已有同名单位，请核对后再登记。"


def test_nobody_creates_out_of_their_reach(client, place, new):
    code, said = send(client, "post", UNITS, new | {"area": place.other_community.pk})
    assert code == 403
    assert "不在您的管理范围内" in said["detail"]
    assert not Unit.objects.exists()


def test_a_change_leaves_the_rest_as_it_is(client, bank):
    code, changed = send(client, "patch", f"{UNITS}{bank.pk}/", {"name": "改名银行"})
    assert code == 200
    assert (changed["name"], changed["kind"]) == ("改名银行", "bank")
    bank.refresh_from_db()
    assert (bank.name, bank.contact_name) == ("改名银行", "王联络")
    code, said = send(client, "patch", f"{UNITS}{bank.pk}/", {"area": "没有这个地方"})
    assert (code, said["field"]) == (400, "area")


def test_a_change_out_of_reach_is_not_saved(client, bank, place):
    code, _ = send(client, "patch", f"{UNITS}{bank.pk}/", {"area": place.other_community.code})
    assert code == 403
    bank.refresh_from_db()
    assert bank.area == place.community


def test_a_change_can_be_bound_to_the_version_that_was_read(client, bank):
    address = f"{UNITS}{bank.pk}/"
    version = client.get(address)["ETag"]

    def rename(name):
        return client.patch(
            address, {"name": name}, content_type="application/json", headers={"If-Match": version}
        )

    assert rename("第一次").status_code == 200
    late = rename("第二次")
    assert late.status_code == 409
    assert "已被他人修改" in late.json()["detail"]
    bank.refresh_from_db()
    assert bank.name == "第一次"


def test_who_comes_second_is_told_with_409(client, bank):
    code, said = send(client, "patch", f"{UNITS}{bank.pk}/", {"name": "已被占用"})
    assert (code, said["field"]) == (409, None)
    assert "刚刚被占用" in said["detail"]


# Transitions


def leave(client, bank, body):
    return send(client, "post", f"{UNITS}{bank.pk}/transitions/leave/", body)


def test_a_transition_takes_its_reason_and_its_data(client, bank, worker):
    code, left = leave(client, bank, {"reason": "搬迁", "data": {"contact": "李接手"}})
    assert code == 200
    assert (left["state"], left["contact_name"], left["transitions"]) == ("left", "李接手", [])
    row = AuditEvent.objects.get(action="orgs.unit.leave")
    assert (row.actor_id, row.reason) == (worker.pk, "搬迁")
    code, said = leave(client, bank, {"reason": "搬迁", "data": {"contact": "李接手"}})
    assert code == 409
    assert "当前状态是“已迁出”" in said["detail"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"data": {"contact": "李"}}, "reason"),
        ({"reason": " ", "data": {"contact": "李"}}, "reason"),
        ({"reason": 7, "data": {"contact": "李"}}, "reason"),
        ({"reason": "长" * 501, "data": {"contact": "李"}}, "reason"),
        ({"reason": "x"}, "contact"),
        ({"reason": "x", "data": []}, "data"),
        ({"reason": "x", "data": {"contact": "李", "state": "y"}}, "state"),
        ({"reason": "x", "data": {"contact": "李"}, "by": 1}, "by"),
    ],
)
def test_a_transition_refuses_what_it_cannot_take(client, bank, body, field):
    code, said = leave(client, bank, body)
    assert (code, said["field"]) == (400, field)
    bank.refresh_from_db()
    assert bank.state == "active"


def test_what_the_guard_forbids_is_told(client, bank):
    Unit.objects.update(contact_name="未了")
    code, said = leave(client, bank, {"reason": "x", "data": {"contact": "李"}})
    assert (code, said["detail"]) == (400, "尚有未办结事项。")


def test_the_systems_own_and_unknown_steps_are_404(client, bank):
    for name in ("expire", "fly"):
        answer = client.post(f"{UNITS}{bank.pk}/transitions/{name}/")
        assert answer.status_code == 404
        assert answer.json() == {
            "detail": "没有找到：它不存在，或不在您的管理范围内。",
            "field": None,
        }


# The whole of it


def test_what_nobody_expected_is_told_in_the_same_shape_with_the_requests_id(
    client, bank, api, monkeypatch, settings
):
    settings.DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID = True  # as nginx gives it in production

    def fail(self):
        raise RuntimeError("a fault nobody thought of")

    monkeypatch.setattr(api.UnitApi, "get_queryset", fail)
    client.raise_request_exception = False
    answer = client.get(UNITS, headers={"X-Request-Id": "0f0f-77"})
    assert (answer.status_code, answer["Content-Type"]) == (500, "application/json")
    body = answer.json()
    assert set(body) == {"detail", "field", "request_id"}
    assert (body["field"], body["request_id"]) == (None, "0f0f-77")
    assert "没有保存" in body["detail"]


@pytest.mark.parametrize(
    ("handler", "code"),
    [("bad_request", 400), ("forbidden", 403), ("not_found", 404), ("failed", 500)],
)
def test_what_django_answers_by_itself_is_json_too(rf, handler, code):
    answer = getattr(errors, handler)(rf.get(UNITS))  # the database is out of bounds here
    assert (answer.status_code, answer["Content-Type"]) == (code, "application/json")
    assert {"detail", "field"} <= set(json.loads(answer.content))


def test_too_many_requests_are_told_to_wait(client, bank, monkeypatch):
    from django.core.cache import cache
    from rest_framework.throttling import UserRateThrottle

    cache.clear()
    monkeypatch.setattr(UserRateThrottle, "rate", "2/min", raising=False)
    codes = [client.get(UNITS).status_code for _ in range(3)]
    assert codes == [200, 200, 429]
    answer = client.get(UNITS)
    assert int(answer["Retry-After"]) > 0
    assert set(answer.json()) == {"detail", "field"}
    hour_ago = staticmethod(lambda: time.time() - 3600)  # the clock is set back
    monkeypatch.setattr(UserRateThrottle, "timer", hour_ago)
    assert 0 < int(client.get(UNITS)["Retry-After"]) <= 60
    cache.clear()


@pytest.fixture(scope="module")
def document() -> dict:
    answer = Client().get("/api/v1/schema/")
    assert answer.status_code == 200
    return answer.json()


def test_the_schema_is_valid_openapi_3(document):
    assert document["openapi"].startswith("3.0")
    validate_schema(document)


def test_the_schema_names_every_route(document):
    assert {"/api/v1/areas/", "/api/v1/areas/{id}/", "/api/v1/units/"} <= set(document["paths"])
    units = document["paths"]["/api/v1/units/"]["get"]
    assert {"area", "after", "limit", "kind", "q"} <= {p["name"] for p in units["parameters"]}


def test_the_schema_describes_forms_and_transitions(api):
    patterns = [path("api/v1/", include((api.router.urls, "api")))]
    found = SchemaGenerator(patterns=patterns).get_schema(request=None, public=True)
    validate_schema(found)
    body = found["paths"]["/api/v1/units/{id}/transitions/leave/"]["post"]["requestBody"]
    name = body["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    shape = found["components"]["schemas"][name]
    assert shape["required"] == ["data", "reason"]
    made = found["components"]["schemas"]["UnitTestInput"]
    assert made["required"] == ["area", "kind", "name"]
    assert "/api/v1/units/{id}/transitions/expire/" not in found["paths"]
    assert set(found["paths"]["/api/v1/areas/"]) == {"get"}


def test_the_real_rooms_answer(db):
    place = small_city()
    bank = unit(place.community)
    client = at(person("street_officer", place.street))
    assert [r["id"] for r in client.get("/api/v1/units/").json()["results"]] == [bank.pk]
    assert client.get(f"/api/v1/areas/{place.community.pk}/").json()["street_id"] == place.street.pk
    answer = client.get("/api/v1/castles/")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/json")
