"""Many items and claims at once, through the pages of the lists."""

from __future__ import annotations

import re
from datetime import timedelta

import openpyxl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core import bulk
from core.jobs import execute, result_of
from core.models import AuditEvent, Job, Notification
from services.enums import ClaimState, Grade, ItemState
from services.models import Claim, Item
from tests.core.browsing import signed_in, text
from tests.factories import services
from tests.factories.accounts import person

pytestmark = pytest.mark.django_db
ITEMS = "/console/lists/services:items/do/"
CLAIMS = "/console/lists/services:claims/do/"


@pytest.fixture
def client(place):
    return signed_in(person("community_worker", place.community))


def keys(response) -> str:
    return re.search(r'name="rows" value="([^"]*)"', response.content.decode())[1]


def test_pending_items_are_published_and_the_others_say_why_not(client, place, unit):
    good = [services.item(place.community, state=ItemState.PENDING) for _ in range(2)]
    of_unit = services.item(unit, state=ItemState.PENDING)
    late = services.item(place.community, state=ItemState.PENDING)
    Item.objects.filter(pk=late.pk).update(due_on=timezone.localdate() - timedelta(days=1))
    services.item(place.community, state=ItemState.DRAFT)
    look = client.get(f"{ITEMS}publish/?all=1")
    said = text(look)
    assert "将发布 3 条 ，2 条不变" in said
    assert "已过，请先退回，改期后再发布" in said
    assert "当前状态是“草稿”，不能发布" in said
    client.post(f"{ITEMS}publish/", {"rows": keys(look)})
    published = Item.objects.filter(state=ItemState.PUBLISHED)
    assert {item.pk for item in published} == {item.pk for item in [*good, of_unit]}
    assert all(item.published_at and item.round for item in published)
    assert AuditEvent.objects.filter(action="services.item.publish").count() == 3


def test_rows_of_one_name_are_told_apart_by_publisher_and_number(client, place, unit):
    ours = services.item(place.community, state=ItemState.PENDING, title="周末义诊")
    theirs = services.item(unit, state=ItemState.PENDING, title="周末义诊")
    draft = services.item(unit, state=ItemState.DRAFT, title="周末义诊")
    look = client.get(f"{ITEMS}publish/?all=1")
    done = client.post(f"{ITEMS}publish/", {"rows": f"{keys(look)},{draft.pk}"})
    for item in (ours, theirs, draft):
        named = f"需求“周末义诊” {item.publisher} · {item.number}"
        assert named in text(look)
        assert named in text(done)
    claim = services.claim(Item.objects.get(pk=ours.pk), unit)
    assert f"{claim} {ours.publisher} · {ours.number}" in text(client.get(f"{CLAIMS}accept/?all=1"))


@pytest.mark.django_db(transaction=True)  # a job beats over a connection of its own
def test_the_report_of_a_job_tells_rows_of_one_name_apart(client, place, unit, monkeypatch):
    monkeypatch.setattr(bulk, "AT_ONCE", 1)
    side = place.community, unit
    items = [services.item(of, state=ItemState.PENDING, title="周末义诊") for of in side]
    client.post(f"{ITEMS}publish/", {"rows": ",".join(str(item.pk) for item in items)})
    job = Job.objects.get(kind="core.bulk")
    execute(job.pk)
    job.refresh_from_db()
    path, _ = result_of(job, job.owner)
    sheet = openpyxl.load_workbook(path).worksheets[0]
    lines = [tuple(row) for row in sheet.iter_rows(values_only=True)]
    assert ("名称", "提出单位", "编号", "结果", "原因") in lines
    for item in items:
        named = ("需求“周末义诊”", item.publisher, item.number)
        assert named in [line[:3] for line in lines]


def test_items_are_returned_with_one_reason_that_each_drafter_hears(client, place):
    items = [services.item(place.community, state=ItemState.PENDING) for _ in range(3)]
    rows = ",".join(str(item.pk) for item in items)
    client.post(f"{ITEMS}return/", {"rows": rows, "reason": "请补充联系时段"})
    assert set(Item.objects.values_list("state", "return_reason")) == {
        (ItemState.RETURNED, "请补充联系时段")
    }
    assert Notification.objects.filter(body="请补充联系时段").count() == 3


def test_who_only_looks_at_items_has_no_boxes(unit):
    services.item(unit, state=ItemState.PENDING)
    liaison = signed_in(services.liaison(unit))
    page = liaison.get("/console/services/items/").content.decode()
    assert '<tr id="row-' in page
    assert 'name="row"' not in page
    assert liaison.get(f"{ITEMS}publish/?all=1").status_code == 403


def test_results_are_accepted_by_the_side_that_received_them(client, place, unit):
    need = services.item(place.community)
    mine = services.claim(need, unit, state=ClaimState.SUBMITTED)
    offer = services.item(unit, kind="resource")
    theirs = services.claim(offer, place.community, state=ClaimState.SUBMITTED)
    other = services.claim(services.item(place.community), unit)
    look = client.get(f"{CLAIMS}accept/?all=1")
    said = text(look)
    assert "将验收通过 2 条 ，1 条不变" in said  # the community receives both
    assert "当前状态是“已认领”" in said
    client.post(f"{CLAIMS}accept/", {"rows": keys(look)})
    states = dict(Claim.objects.values_list("pk", "state"))
    assert states == {
        mine.pk: ClaimState.ACCEPTED,
        theirs.pk: ClaimState.ACCEPTED,
        other.pk: ClaimState.CLAIMED,
    }
    liaison = signed_in(services.liaison(unit))
    third = services.claim(services.item(place.community), unit, state=ClaimState.SUBMITTED)
    refused = text(liaison.get(f"{CLAIMS}accept/?row={third.pk}"))
    assert "您没有对这条记录办理的权限" in refused


@pytest.mark.parametrize(
    "address", [f"{ITEMS}publish/?all=1", f"{CLAIMS}accept/?all=1", f"{CLAIMS}close/?all=1"]
)
def test_a_look_asks_as_often_for_many_rows_as_for_one(client, place, unit, address):
    counts = set()
    for _ in range(3):
        services.item(place.community, state=ItemState.PENDING)
        services.claim(services.item(place.community), unit, state=ClaimState.SUBMITTED)
        for grade in (Grade.GOOD, Grade.BAD):
            rated = services.item(place.community)
            services.claim(rated, unit, state=ClaimState.RATED, grade=grade)
        with CaptureQueriesContext(connection) as captured:
            client.get(address)
        counts.add(len(captured))
    assert len(counts) == 1


def test_conditions_of_the_filters_are_counted(client, place, unit):
    services.item(place.community)
    services.item(unit, kind="resource", state=ItemState.PENDING)
    page = client.get("/console/services/items/").content.decode()
    for choice in ("驻区单位（1）", "社区街道（1）", "还可认领（1）", "待审（1）", "资源（1）"):
        assert choice in page
    claims = services.claim(services.item(place.community), unit)
    Claim.objects.filter(pk=claims.pk).update(claimed_at=timezone.now() - timedelta(days=9))
    page = client.get("/console/services/claims/").content.decode()
    assert "认领后 7 日未对接（1）" in page
    assert "时限已过未完成（0）" in page
