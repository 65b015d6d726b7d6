"""A member's way from the unit's register to the community and on; nothing is overwritten."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.enums import Role
from core.errors import Conflict, Refused
from core.models import Notification
from core.transitions import transit
from members.actions.member import move_member, register_member, revise_member
from members.actions.post import claim_post
from members.models import Feedback, Member, Reporting
from tests.factories import members as make
from tests.factories.accounts import person
from tests.factories.orgs import small_city, unit

pytestmark = pytest.mark.django_db


@pytest.fixture
def place():
    return small_city()


@pytest.fixture
def sides(place):
    return make.side(place.community)


def test_registering_sends_the_report_to_the_community(sides):
    row = make.member(sides).reportings.get()
    assert (row.state, row.opened_on, row.unit) == ("pending", timezone.localdate(), sides.unit)
    assert row.community == sides.community
    assert Notification.objects.filter(user=sides.worker, title__contains="待报到").count() == 1


def test_the_community_receives_into_a_grid_of_its_own(place, sides):
    row = make.member(sides).reportings.get()
    foreign = place.all[f"{place.other_community.code}001"]
    with pytest.raises(Refused, match="不在报到社区"):
        transit(row, "receive", by=sides.worker, grid=foreign)
    row = transit(row, "receive", by=sides.worker, grid=place.grid)
    row.refresh_from_db()
    assert (row.state, row.grid, row.community) == ("reported", place.grid, place.community)
    assert row.reported_on == timezone.localdate()


def test_nobody_reports_in_the_future(sides):
    row = make.member(sides).reportings.get()
    with pytest.raises(Refused, match="不能晚于今天"):
        transit(
            row, "receive", by=sides.worker, reported_on=timezone.localdate() + timedelta(days=1)
        )
    row.refresh_from_db()
    assert row.state == "pending"


def test_returned_with_a_reason_and_sent_again(sides):
    row = make.member(sides).reportings.get()
    with pytest.raises(Refused, match="理由"):
        transit(row, "return", by=sides.worker)
    row = transit(row, "return", by=sides.worker, reason="不在本社区居住")
    assert (row.state, row.reason) == ("returned", "不在本社区居住")
    assert Notification.objects.filter(user=sides.liaison, body="不在本社区居住").exists()
    row = transit(row, "resubmit", by=sides.liaison)
    assert (row.state, row.reason) == ("pending", "")


def test_a_move_closes_the_old_row_and_opens_a_new_one(place, sides):
    old = make.reported(sides)
    post = make.post(sides)
    claim_post(post=post, member=old.member, by=sides.liaison)
    new = move_member(
        member=old.member, area=place.other_community, reason="搬家", by=sides.liaison
    )
    old.refresh_from_db()
    assert (old.state, old.closed_on, old.reason) == ("moved", timezone.localdate(), "搬家")
    assert old.community == place.community
    assert old.reported_on is not None
    assert (new.state, new.community) == ("pending", place.other_community)
    assert Member.objects.get(pk=old.member_id).community == place.other_community
    post.refresh_from_db()
    assert post.claimed == 0
    assert old.claims.get().ended_on == timezone.localdate()


def test_the_old_community_keeps_its_row_and_loses_sight_of_the_member(place, sides):
    old = make.reported(sides)
    new = move_member(
        member=old.member, area=place.other_community, reason="搬家", by=sides.liaison
    )
    mine = Reporting.objects.visible_to(sides.worker)
    assert old in mine
    assert new not in mine
    assert old.member not in Member.objects.visible_to(sides.worker)


def test_a_move_within_the_community_or_without_reason_is_none(place, sides):
    row = make.reported(sides)
    with pytest.raises(Refused, match="与原社区相同"):
        move_member(member=row.member, area=place.grid, reason="搬家", by=sides.liaison)
    with pytest.raises(Refused, match="理由"):
        move_member(member=row.member, area=place.other_community, reason=" ", by=sides.liaison)
    with pytest.raises(Refused, match="须选到社区"):
        move_member(member=row.member, area=place.street, reason="搬家", by=sides.liaison)
    assert Reporting.objects.count() == 1


def test_one_open_row_a_member_by_constraint(sides):
    row = make.reported(sides)
    with pytest.raises(IntegrityError), transaction.atomic():
        Reporting.objects.create(
            member=row.member, unit=row.unit, area=row.area, opened_on=timezone.localdate()
        )


def test_one_who_leaves_is_closed_and_may_be_registered_elsewhere(place, sides):
    row = make.reported(sides, phone="10012345678")
    transit(row, "cancel", by=sides.liaison, reason="调离")
    row.refresh_from_db()
    assert (row.state, row.closed_on) == ("cancelled", timezone.localdate())
    with pytest.raises(Conflict, match="已注销"):
        move_member(member=row.member, area=place.other_community, reason="搬家", by=sides.liaison)
    other = make.side(place.community)
    assert make.member(other, phone="10012345678").reportings.get().state == "pending"


def test_exempt_and_back(sides):
    row = make.member(sides).reportings.get()
    row = transit(row, "exempt", by=sides.worker, reason="长期驻外")
    assert (row.state, row.is_open) == ("exempt", True)
    assert transit(row, "resume", by=sides.worker).state == "pending"


def test_one_feedback_a_year_and_the_next_year_keeps_it(sides):
    row = make.reported(sides)
    year = timezone.localdate().year
    row = transit(row, "feed_back", by=sides.worker, opinion="good", year=year - 1)
    assert row.state == "reviewed"
    make.confirmed(sides, row)  # a service of this year begins it anew
    row.refresh_from_db()
    assert row.state == "serving"
    with pytest.raises(Refused, match="已经反馈过"):
        transit(row, "feed_back", by=sides.worker, opinion="poor", year=year - 1)
    transit(row, "feed_back", by=sides.worker, opinion="fair", year=year)
    assert list(Feedback.objects.values_list("year", "opinion")) == [
        (year, "fair"),
        (year - 1, "good"),
    ]


def test_feedback_is_for_years_that_the_member_was_there(sides):
    row = make.reported(sides)
    for year in (row.reported_on.year - 1, timezone.localdate().year + 1):
        with pytest.raises(Refused, match="反馈年度"):
            transit(row, "feed_back", by=sides.worker, opinion="good", year=year)


def test_each_does_only_what_is_theirs(place, sides):
    row = make.member(sides).reportings.get()
    for name, by in (
        ("receive", sides.liaison),
        ("receive", person(Role.COMMUNITY_WORKER, place.sibling_community)),
        ("cancel", sides.worker),
        ("move", sides.worker),
    ):
        with pytest.raises(PermissionDenied):
            transit(row, name, by=by, reason="理由")
    stranger = person(Role.UNIT_LIAISON, unit(place.community))
    with pytest.raises(PermissionDenied):
        register_member(unit=sides.unit, name="某人", area=place.community, by=stranger)
    with pytest.raises(PermissionDenied):
        revise_member(member=row.member, name="改名", speciality="", party_org="", by=sides.worker)
    assert not Member.objects.visible_to(stranger).exists()
    assert not Member.objects.visible_to(person(Role.GRID_WORKER, place.grid)).exists()


def test_a_street_registers_those_who_live_in_it(place, sides):
    officer = person(Role.STREET_OFFICER, place.street)
    fields = {"unit": sides.unit, "name": "赵同志", "by": officer}
    assert register_member(area=place.community, **fields).pk
    with pytest.raises(PermissionDenied):
        register_member(area=place.other_community, **{**fields, "name": "钱同志"})
    assert Member.objects.count() == 1
