"""The lists over the API: the same forms, rights and transitions as the pages."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from services.enums import ItemState
from services.models import Claim, Item, Rating
from tests.factories import services as make
from tests.factories.orgs import unit as make_unit

pytestmark = pytest.mark.django_db
AT = "/api/v1"
NEED = {"kind": "need", "title": "周末义诊", "content": "量血压", "capacity": 1}
NEED |= {"topic": "health", "beneficiary": "residents"}


def send(user, method: str, path: str, body=None) -> tuple[int, dict]:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    answer = getattr(client, method)(f"{AT}/{path}", body, content_type="application/json")
    return answer.status_code, answer.json()


def test_an_item_is_written_changed_and_published(place):
    worker = make.worker(place.community)
    status, made = send(worker, "post", "items/", {**NEED, "then": "draft", "weekdays": ["1"]})
    assert (status, made["state"], made["weekdays"]) == (201, "draft", "1")
    path = f"items/{made['id']}/"
    status, changed = send(worker, "patch", path, {"title": "社区义诊", "unions": ["teams"]})
    assert (status, changed["title"], changed["weekdays"]) == (200, "社区义诊", "1")
    assert [t["name"] for t in changed["transitions"]] == ["submit"]
    assert send(worker, "post", f"{path}transitions/submit/", {})[1]["state"] == "pending"
    status, problem = send(worker, "post", f"{path}transitions/return/", {})
    assert (status, problem["field"]) == (400, "reason")
    assert send(worker, "post", f"{path}transitions/publish/", {})[1]["state"] == "published"
    status, problem = send(worker, "patch", path, {"title": "再改"})
    assert status == 409


@pytest.mark.parametrize("then", ["draft", "submit", "publish"])
def test_a_date_that_has_passed_is_refused_at_its_field(place, then):
    worker = make.worker(place.community)
    passed = {"due_on": str(timezone.localdate() - timedelta(days=1))}
    status, problem = send(worker, "post", "items/", {**NEED, **passed, "then": then})
    assert (status, problem["field"]) == (400, "due_on")
    draft = make.item(place.community, state=ItemState.DRAFT)
    status, problem = send(worker, "patch", f"items/{draft.pk}/", passed)
    assert (status, problem["field"]) == (400, "due_on")
    assert Item.objects.get().due_on is None


@pytest.mark.parametrize(
    ("values", "field"),
    [({"capacity": 0}, "capacity"), ({"opens_at": "17:00", "closes_at": "09:00"}, "closes_at")],
)
def test_what_the_database_would_refuse_is_said_at_its_field(place, values, field):
    worker = make.worker(place.community)
    status, problem = send(worker, "post", "items/", {**NEED, **values})
    assert (status, list(problem["errors"])) == (400, [field])


@pytest.mark.parametrize("capacity", [0, -1])
def test_too_few_places_are_told_the_lowest_number_at_once(place, capacity):
    worker = make.worker(place.community)
    _, problem = send(worker, "post", "items/", {**NEED, "capacity": capacity})
    assert problem["errors"] == {"capacity": ["名额至少为 1。"]}


def test_steps_that_follow_the_claims_have_no_address(place):
    item = make.item(place.community)
    worker = make.worker(place.community)
    assert send(worker, "post", f"items/{item.pk}/transitions/close/", {})[0] == 404


def test_a_claim_takes_a_place_and_the_next_one_is_told(place, unit):
    item = make.item(place.community)
    liaison = make.liaison(unit)
    status, claim = send(liaison, "post", "claims/", {"item": item.pk})
    assert (status, claim["direction"], claim["responsible"]) == (201, "unit_need", liaison.name)
    late = make.liaison(make_unit(place.community))
    status, problem = send(late, "post", "claims/", {"item": item.pk})
    assert (status, "名额已满" in problem["detail"]) == (409, True)
    status, problem = send(late, "post", "claims/", {"item": 10**9})
    assert (status, problem["field"]) == (400, "item")
    assert Claim.objects.count() == 1


def test_a_draft_of_others_cannot_be_claimed_or_seen(place, unit):
    draft = make.item(place.community, state="draft")
    liaison = make.liaison(unit)
    assert send(liaison, "get", f"items/{draft.pk}/")[0] == 404
    assert send(liaison, "post", "claims/", {"item": draft.pk})[0] == 400
    assert send(liaison, "get", "tickets/")[0] == 403


def test_a_rating_goes_in_with_its_form(place, unit):
    item = make.item(place.community)
    people = make.sides(item, unit)
    claim = make.claim(item, unit, state="accepted")
    path = f"claims/{claim.pk}/transitions/rate/"
    assert send(people["office"], "post", path, {"data": {"grade": "9"}})[0] == 400
    status, rated = send(people["office"], "post", path, {"data": {"grade": "2"}})
    assert (status, rated["state"]) == (200, "rated")
    assert Rating.objects.get().grade == "2"
    status, listed = send(people["provider"], "get", "rectifications/")
    assert listed["results"][0]["rating_grade"] == "2"
    item.refresh_from_db()
    assert item.state == ItemState.RATED


def test_lists_filter_by_what_the_pages_filter_by(place, unit):
    full, free = make.item(place.community), make.item(place.community)
    make.claim(full, unit)
    liaison = make.liaison(unit)
    listed = send(liaison, "get", "items/?claimable=1")[1]["results"]
    assert [row["id"] for row in listed] == [free.pk]
    assert send(liaison, "get", "items/?state=nonsense")[0] == 400
    assert Item.objects.count() == 2


def test_a_ticket_shows_its_phone_masked(place):
    ticket, _ = make.ticket(place.community, phone="13812341234")
    status, shown = send(make.worker(place.community), "get", f"tickets/{ticket.pk}/")
    assert (status, shown["phone"]) == (200, "138****1234")
