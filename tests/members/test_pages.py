"""The pages, as a unit's liaison and a community worker go through them."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.enums import Role
from core.briefly import forget_all
from core.models import AuditEvent
from core.views.forms import VERSION, print_of
from members.actions.post import claim_post
from members.models import Member, Post, PostClaim, Reporting, ServiceRecord
from tests.factories import members as make
from tests.factories.accounts import person
from tests.factories.orgs import small_city

pytestmark = pytest.mark.django_db

PHONE = "10087654321"


@pytest.fixture
def place():
    return small_city()


@pytest.fixture
def sides(place):
    return make.side(place.community)


def text(response) -> str:
    return response.content.decode()


def post(client, name, obj, **data):
    address = reverse(name, args=[obj.pk])
    return client.post(address, {VERSION: print_of(type(obj).objects.get(pk=obj.pk)), **data})


def step(client, obj, name, **data):
    noun = obj._meta.model_name
    return client.post(reverse(f"members:{noun}-transit", args=[obj.pk, name]), data)


def test_from_the_register_to_a_confirmed_service(client, place, sides):
    client.force_login(sides.liaison)
    page = text(client.get(reverse("members:member-add")))
    assert sides.unit.name in page
    done = client.post(
        reverse("members:member-add"),
        {
            "unit": sides.unit.name,
            "name": "周同志",
            "area": place.community.code,
            "phone": PHONE,
            "speciality": "摄影",
            "party_org": "",
        },
    )
    member = Member.objects.get()
    assert done.headers["Location"] == member.get_absolute_url()
    assert (member.community, member.party_org) == (place.community, sides.unit.party_org)
    row = member.reportings.get()

    client.force_login(sides.worker)
    assert "周同志" in text(client.get(reverse("console:home")))
    dialog = text(client.get(reverse("members:reporting-transit", args=[row.pk, "receive"])))
    assert f'value="{place.grid.pk}"' in dialog
    today = timezone.localdate()
    data = {"reported_on": today.isoformat(), "grid": place.grid.pk}
    assert step(client, row, "receive", **data).status_code == 302
    assert (
        client.post(
            reverse("members:post-add"),
            {
                "area": place.community.code,
                "title": "摄影岗",
                "category": "culture",
                "headcount": "2",
                "skills": "",
                "description": "",
            },
        ).status_code
        == 302
    )

    client.force_login(sides.liaison)
    page = text(client.get(reverse("members:reporting-claim", args=[row.pk])))
    assert "摄影岗（还差 2 人）" in page
    position = Post.objects.get()
    assert post(client, "members:reporting-claim", row, post=position.pk).status_code == 302
    assert PostClaim.objects.get().post == position

    client.force_login(sides.worker)
    record = {"served_on": today.isoformat(), "hours": "1.5", "content": "活动摄影"}
    assert (
        post(client, "members:reporting-record", row, post=position.pk, **record).status_code == 302
    )
    service = ServiceRecord.objects.get()
    assert "1.5 小时" in text(client.get(service.get_absolute_url()))
    assert step(client, service, "confirm").status_code == 302
    page = text(client.get(row.get_absolute_url()))
    assert "服务中" in page
    assert "1.5 小时" in page


def test_returned_moved_and_left_by_the_liaison(client, place, sides):
    row = make.member(sides).reportings.get()
    client.force_login(sides.worker)
    assert "须填写理由" in text(step(client, row, "return"))
    step(client, row, "return", reason="不在本社区居住")
    client.force_login(sides.liaison)
    assert row.member.name in text(client.get(reverse("console:home")))
    assert "不在本社区居住" in text(client.get(row.get_absolute_url()))
    move = {"area": place.other_community.code, "reason": "地址更正"}
    assert client.get(reverse("members:member-move", args=[row.member.pk])).status_code == 200
    assert post(client, "members:member-move", row.member, **move).status_code == 302
    page = text(client.get(row.member.get_absolute_url()))
    assert page.index(place.other_community.name) < page.index("地址更正")
    new = Reporting.objects.open().get()
    assert step(client, new, "cancel", reason="退休").status_code == 302
    assert "已于" in text(client.get(row.member.get_absolute_url()))


def test_a_phone_is_masked_on_every_page_and_in_the_api(client, place, sides):
    row = make.reported(sides, phone=PHONE)
    for user in (sides.liaison, sides.worker, person(Role.ORG_DEPARTMENT, place.city)):
        client.force_login(user)
        for address in (
            reverse("members:members"),
            row.member.get_absolute_url(),
            reverse("members:reportings"),
            row.get_absolute_url(),
            f"/api/v1/members/{row.member.pk}/",
            "/api/v1/members/",
        ):
            assert PHONE not in text(client.get(address)), address
    assert "100****4321" in text(client.get(f"/api/v1/members/{row.member.pk}/"))
    client.force_login(sides.liaison)
    edit = text(client.get(reverse("members:member-edit", args=[row.member.pk])))
    assert PHONE not in edit
    assert "100****4321" in edit


def test_the_whole_phone_shows_once_after_a_reason(client, place, sides):
    row = make.reported(sides, phone=PHONE)
    client.force_login(sides.worker)
    assert client.get(reverse("members:member-phone", args=[row.member.pk])).status_code == 403
    client.force_login(person(Role.ORG_DEPARTMENT, place.city))
    assert "查看" in text(client.get(row.member.get_absolute_url()))
    response = post(client, "members:member-phone", row.member, reason="")
    assert response.status_code == 422
    assert PHONE not in text(response)
    response = post(client, "members:member-phone", row.member, reason="表彰前核实")
    assert PHONE in text(response)
    assert response.headers["Cache-Control"] == "no-store"
    assert AuditEvent.objects.filter(action="members.member.unmask").count() == 1
    assert PHONE not in text(client.get(row.member.get_absolute_url()))
    assert "表彰前核实" in text(client.get(row.member.get_absolute_url()))


def test_an_activity_is_written_down_once_and_confirmed_at_once(client, sides):
    rows = [make.reported(sides) for _ in range(3)]
    waiting = make.member(sides).reportings.get()
    client.force_login(sides.worker)
    page = text(client.get(reverse("members:servicerecord-add")))
    assert rows[0].member.name in page
    assert waiting.member.name not in page
    data = {
        "served_on": timezone.localdate().isoformat(),
        "hours": "2",
        "content": "清扫楼道",
        "reportings": [row.pk for row in rows],
    }
    bad = client.post(reverse("members:servicerecord-add"), {**data, "hours": "0.7"})
    assert bad.status_code == 422
    assert "0.5 小时为单位" in text(bad)
    assert 'id="id_hours_error"' in text(bad)
    assert "清扫楼道" in text(bad)
    assert client.post(reverse("members:servicerecord-add"), data).status_code == 302
    again = client.post(reverse("members:servicerecord-add"), {**data, "hours": "11"})
    assert f"{rows[0].member.name}：" in text(again)

    make.service(sides, rows[0], days_ago=60)  # one's own late entry is not offered
    page = text(client.get(reverse("members:servicerecords-confirm")))
    assert page.count("清扫楼道") == 3
    records = [r.pk for r in ServiceRecord.objects.filter(late_reason="")][:2]
    done = client.post(reverse("members:servicerecords-confirm"), {"records": records})
    assert done.status_code == 302
    assert ServiceRecord.objects.filter(state="confirmed").count() == 2


def test_leaving_a_post_revising_it_and_a_late_entry_have_their_pages(client, place, sides):
    row, position = make.reported(sides), make.post(sides)
    claim = claim_post(post=position, member=row.member, by=sides.liaison)
    client.force_login(sides.worker)
    assert row.member.name in text(client.get(position.get_absolute_url()))
    fields = {"title": "新岗", "category": "law", "headcount": "1", "skills": "", "description": ""}
    assert client.get(reverse("members:post-edit", args=[position.pk])).status_code == 200
    assert post(client, "members:post-edit", position, **fields).status_code == 302
    assert client.get(reverse("members:claim-leave", args=[claim.pk])).status_code == 200
    assert post(client, "members:claim-leave", claim, reason="轮换").status_code == 302
    assert "已离岗" in text(post(client, "members:claim-leave", claim, reason="轮换"))
    day = (timezone.localdate() - timedelta(days=60)).isoformat()
    late = {"served_on": day, "hours": "1", "content": "清雪", "reason": "漏记"}
    assert client.get(reverse("members:reporting-late", args=[row.pk])).status_code == 200
    wrong = post(client, "members:reporting-late", row, **{**late, "hours": "0.7"})
    assert 'id="id_hours_error"' in text(wrong)
    assert post(client, "members:reporting-late", row, **late).status_code == 302
    assert ServiceRecord.objects.get().is_late


def test_the_yearly_feedback_reaches_the_unit(client, sides):
    row = make.reported(sides)
    client.force_login(sides.worker)
    form = text(client.get(reverse("members:reporting-transit", args=[row.pk, "feed_back"])))
    assert "社区评价" in form
    year = str(timezone.localdate().year)
    assert step(client, row, "feed_back", year=year, opinion="good", comment="").status_code == 302
    client.force_login(sides.liaison)
    assert f"{year} 年度：好" in text(client.get(row.get_absolute_url()))


def test_lists_find_by_name_and_by_the_whole_number_alone(client, place, sides):
    member = make.member(sides, phone=PHONE, name="钱同志")
    make.member(sides)
    client.force_login(sides.liaison)
    for query, seen in (
        ("?q=钱同", True),
        ("?q=没有", False),
        (f"?phone={PHONE}", True),
        (f"?phone={PHONE[:8]}", False),
        ("?left=yes", False),
    ):
        page = text(client.get(reverse("members:members") + query))
        assert (member.get_absolute_url() in page) is seen, query


def test_foreign_members_and_records_are_not_there(client, place, sides):
    row = make.reported(sides)
    record = make.service(sides, row)
    client.force_login(make.side(place.other_community).worker)
    for thing in (row, row.member, record):
        assert client.get(thing.get_absolute_url()).status_code == 404


@pytest.mark.parametrize("noun", ["members", "reportings", "posts", "servicerecords"])
def test_a_list_costs_the_same_for_one_and_for_many(client, sides, noun):
    client.force_login(sides.worker)
    costs = []
    for count in (1, 2):
        for _ in range(count):
            make.service(sides, make.reported(sides))
            make.post(sides)
        forget_all()  # what the first look found out would spare the second a question
        with CaptureQueriesContext(connection) as queries:
            assert client.get(reverse(f"members:{noun}")).status_code == 200
        costs.append(len(queries))
    assert costs[0] == costs[1]
