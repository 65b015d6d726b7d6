"""Many reports and service records at once; and what a kept view of the members leaves out."""

from __future__ import annotations

import re

import pytest

from core.models import Job, SavedView
from members.enums import ReportingState, ServiceState
from members.models import Reporting, ServiceRecord
from orgs.models import Area
from tests.core.browsing import signed_in, text
from tests.factories import members as make
from tests.factories.orgs import small_city

pytestmark = pytest.mark.django_db
SERVICES = "/console/lists/members:servicerecords/do/"
REPORTS = "/console/lists/members:reportings/do/"


@pytest.fixture
def sides():
    return make.side(small_city().community)


@pytest.fixture
def client(sides):
    return signed_in(sides.worker)


def keys(response) -> str:
    return re.search(r'name="rows" value="([^"]*)"', response.content.decode())[1]


def test_service_records_are_confirmed_but_not_ones_own_late_entries(client, sides):
    reporting = make.reported(sides)
    records = [make.service(sides, reporting, days_ago=n) for n in (1, 2)]
    make.service(sides, reporting, days_ago=60)
    look = client.get(f"{SERVICES}confirm/?all=1")
    said = text(look)
    assert "将确认 2 条 ，1 条不变" in said
    assert "补录" in said
    client.post(f"{SERVICES}confirm/", {"rows": keys(look)})
    confirmed = ServiceRecord.objects.filter(state=ServiceState.CONFIRMED)
    assert {record.pk for record in confirmed} == {record.pk for record in records}
    reporting.refresh_from_db()
    assert reporting.state == ReportingState.SERVING  # what follows a confirmation follows here


def test_service_records_are_returned_with_a_reason(client, sides):
    record = make.service(sides, make.reported(sides))
    client.post(f"{SERVICES}return/", {"rows": str(record.pk), "reason": "时长有误"})
    record.refresh_from_db()
    assert (record.state, record.return_reason) == (ServiceState.RETURNED, "时长有误")


def test_reports_are_received_today(client, sides):
    rows = [make.member(sides).reportings.get() for _ in range(2)]
    make.reported(sides)
    look = client.get(f"{REPORTS}receive/?all=1")
    assert "将确认报到 2 条 ，1 条不变" in text(look)
    client.post(f"{REPORTS}receive/", {"rows": keys(look)})
    found = Reporting.objects.filter(pk__in=[row.pk for row in rows])
    assert {row.state for row in found} == {ReportingState.REPORTED}
    assert all(row.reported_on for row in found)


@pytest.mark.parametrize("listed", ["reportings", "members"])
def test_who_lives_in_a_grid_stands_under_the_community(client, sides, listed):
    grid = Area.objects.get(parent=sides.community, kind="grid")
    make.member(sides, area=grid)
    shown = text(client.get(f"/console/members/{listed}/"))
    assert "111社区居委会" in shown
    assert grid.name not in shown


def test_a_phone_number_is_kept_in_no_view(client, sides):
    make.member(sides, phone="10087654321")
    shown = "/console/lists/members:members/views/?phone=10087654321&left=no"
    client.post(shown, {"name": "在册"})
    assert SavedView.objects.get().query == "left=no"


def test_a_phone_number_goes_into_no_order_of_a_file(client, sides):
    make.member(sides, phone="10087654321")
    shown = "/console/members/members/?phone=10087654321"
    assert "导出本列表" not in text(client.get(shown))
    export = "/console/lists/members:members/export/?phone=10087654321"
    assert client.get(export).status_code == 422
    assert client.post(export).status_code == 422
    assert not Job.objects.exists()
    assert "导出本列表" in text(client.get("/console/members/members/"))
