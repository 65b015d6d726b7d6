"""Who can take the next step where the reader cannot: from the table, the scope and the grants."""

from __future__ import annotations

import pytest

from accounts.enums import Role
from core import people
from core.transitions import machine_of, transit
from services.enums import ClaimState, Grade, ItemState
from services.models import Claim
from tests.core.browsing import signed_in, text
from tests.factories import members, reports, services
from tests.factories.accounts import person
from tests.factories.orgs import small_city, unit

pytestmark = pytest.mark.django_db


@pytest.fixture
def place():
    return small_city()


def waited_for(obj, user) -> list[tuple[list[str], str, str]]:
    return [
        (steps, *(holders or ("", "")))
        for steps, holders in people.waited_for(machine_of(obj), obj, user)
    ]


def test_a_unit_sees_that_its_item_waits_for_the_communitys_review(place):
    firm = unit(place.community)
    liaison = person(Role.UNIT_LIAISON, firm)
    worker = person(Role.COMMUNITY_WORKER, place.community, name="张三")
    item = services.item(firm, state=ItemState.PENDING, by=liaison)
    worker_of_factory = services.worker(place.community)
    type(worker).objects.exclude(pk__in=[worker.pk, liaison.pk]).update(is_active=False)
    assert waited_for(item, liaison) == [(["发布"], "111社区", "社区工作者 张三")]
    page = text(signed_in(liaison).get(item.get_absolute_url()))
    assert "待111社区发布 社区工作者 张三" in page
    assert worker_of_factory.name not in page
    assert waited_for(item, worker) == [], "what one can do oneself stands on the buttons"


def test_where_the_community_has_nobody_the_street_is_named(place):
    firm = unit(place.community)
    liaison = person(Role.UNIT_LIAISON, firm)
    item = services.item(firm, state=ItemState.PENDING, by=liaison)
    type(liaison).objects.exclude(pk=liaison.pk).update(is_active=False)
    assert waited_for(item, liaison) == [(["发布"], "", "")]
    page = text(signed_in(liaison).get(item.get_absolute_url()))
    assert "待发布 还没有人持有这项权限，请联系安全管理员授权。" in page
    person(Role.STREET_OFFICER, place.street, name="李四")
    assert waited_for(item, liaison) == [(["发布"], "11号街道", "街道干部 李四")]


def test_many_are_counted_and_not_listed(place):
    firm = unit(place.community)
    liaison = person(Role.UNIT_LIAISON, firm)
    item = services.item(firm, state=ItemState.PENDING, by=liaison)
    type(liaison).objects.exclude(pk=liaison.pk).update(is_active=False)
    for _ in range(4):
        person(Role.COMMUNITY_WORKER, place.community)
    assert waited_for(item, liaison) == [(["发布"], "111社区", "社区工作者 4 人")]


@pytest.mark.parametrize(
    ("kind", "state", "steps", "holder"),
    [
        ("need", ClaimState.CONTACTING, ["开始实施"], "青岛银行"),
        ("need", ClaimState.WORKING, ["提请验收"], "青岛银行"),
        ("need", ClaimState.SUBMITTED, ["验收通过"], "111社区"),
        ("service", ClaimState.WORKING, ["提请验收"], "111社区"),
        ("service", ClaimState.SUBMITTED, ["验收通过"], "青岛银行"),
    ],
)
def test_a_claim_waits_for_the_side_whose_step_it_is(place, kind, state, steps, holder):
    claim = services.claim(
        services.item(place.community, kind=kind), unit(place.community, "青岛银行"), state=state
    )
    watcher = person(Role.ORG_DEPARTMENT, place.city)
    [(labels, where, _)] = waited_for(claim, watcher)
    assert (labels, where) == (steps, holder)


def test_a_badly_rated_claim_is_closed_by_nobody_before_it_is_put_right(place):
    firm = unit(place.community, "青岛银行")
    claim = services.claim(
        services.item(place.community), firm, state=ClaimState.RATED, grade=Grade.BAD
    )
    watcher = person(Role.ORG_DEPARTMENT, place.city)
    matter = claim.rating.rectification

    def now() -> tuple[list, list]:
        read = Claim.objects.get(pk=claim.pk)  # as a page reads it
        found = waited_for(read, watcher), waited_for(matter, watcher)
        return tuple([(steps, where) for steps, where, _ in one] for one in found)

    assert now() == ([], [(["报告整改"], "青岛银行")])
    matter = transit(matter, "report", by=services.liaison(firm), measure="已补做")
    assert now() == ([], [(["登记回访"], "111社区")])
    office = services.worker(place.community)
    matter = transit(matter, "call_back", by=office, callback="居民满意")
    assert now() == ([(["销号"], "111社区")], [])


def test_a_review_waits_for_the_street_and_then_for_the_department(place):
    review = reports.review(place.community)
    worker = person(Role.COMMUNITY_WORKER, place.community)
    assert waited_for(review, worker) == [(["上报"], "", "")]
    person(Role.STREET_OFFICER, place.street, name="李四")
    assert waited_for(review, worker) == [(["上报"], "11号街道", "街道干部 李四")]


def test_a_report_waits_for_the_community(place):
    sides = members.side(place.community)
    reporting = members.member(sides).reportings.get()
    [(labels, where, _)] = waited_for(reporting, sides.liaison)
    assert (labels, where) == (["确认报到"], "111社区")


def test_it_asks_once_for_each_right_and_place(place, django_assert_max_num_queries):
    firm = unit(place.community)
    liaison = person(Role.UNIT_LIAISON, firm)
    item = services.item(firm, state=ItemState.PENDING, by=liaison)
    fresh = type(item).objects.select_related("area", "unit").get(pk=item.pk)
    who = type(liaison).objects.get(pk=liaison.pk)
    with django_assert_max_num_queries(3):  # the reader's grants; the place's, the unit's
        assert people.waited_for(machine_of(fresh), fresh, who)
