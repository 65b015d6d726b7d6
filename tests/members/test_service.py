"""Hours in half steps, no earlier than the report, no later than today; late ones with two people."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.enums import Role
from core.errors import Refused
from core.models import AuditEvent
from core.transitions import transit
from members.actions.member import move_member
from members.actions.post import claim_post
from members.actions.service import confirm_services, record_late_service, record_service
from members.models import ServiceRecord
from tests.factories import members as make
from tests.factories.accounts import person
from tests.factories.orgs import small_city

pytestmark = pytest.mark.django_db


@pytest.fixture
def place():
    return small_city()


@pytest.fixture
def sides(place):
    return make.side(place.community)


@pytest.mark.parametrize("hours", ["0", "-1", "0.3", "1.25", "12.5"])
def test_hours_come_in_half_steps_up_to_twelve(sides, hours):
    row = make.reported(sides)
    with pytest.raises(Refused) as told:
        make.service(sides, row, hours=hours)
    assert told.value.field == "hours"
    good = make.service(sides, row, hours="0.5")
    with pytest.raises(IntegrityError), transaction.atomic():
        # 1.25 is 1.2 or 1.3 to a column of one decimal: neither is a half step.
        ServiceRecord.objects.filter(pk=good.pk).update(hours=Decimal(hours))


@pytest.mark.parametrize("hours", ["0.5", "1", "1.5", "11.5", "12"])
def test_every_half_step_is_kept_as_it_was_said(sides, hours):
    record = make.service(sides, make.reported(sides), hours=hours)
    record.refresh_from_db()
    assert record.hours == Decimal(hours)


def test_a_day_has_twelve_hours_whoever_writes_them_down(sides):
    row = make.reported(sides)
    first = make.service(sides, row, hours="8")
    with pytest.raises(Refused, match=r"当天已登记 8.* 小时"):
        make.service(sides, row, hours="4.5")
    transit(first, "return", by=sides.worker, reason="重复")
    make.service(sides, row, hours="4.5")


def test_no_service_in_the_future_or_before_the_report(sides):
    today = timezone.localdate()
    row = make.reported(sides, reported_on=today - timedelta(days=3))
    for days_ago, message in ((-1, "不能晚于今天"), (4, "不能早于报到日期")):
        with pytest.raises(Refused, match=message):
            make.service(sides, row, days_ago=days_ago)
    waiting = make.member(sides).reportings.get()
    with pytest.raises(Refused, match="尚未确认报到"):
        make.service(sides, waiting)
    assert make.service(sides, row, days_ago=3).state == "recorded"


def test_an_old_service_goes_the_late_way_and_a_new_one_does_not(sides):
    row = make.reported(sides)
    day = {"reporting": row, "hours": Decimal(1), "content": "清扫", "by": sides.worker}
    old, new = (timezone.localdate() - timedelta(days=n) for n in (31, 30))
    with pytest.raises(Refused, match="补录"):
        record_service(served_on=old, **day)
    with pytest.raises(Refused, match="理由"):
        record_late_service(served_on=old, reason=" ", **day)
    with pytest.raises(Refused, match="不需要补录"):
        record_late_service(served_on=new, reason="漏记", **day)
    record = record_late_service(served_on=old, reason="台风期间漏记", **day)
    assert (record.is_late, record.late_reason) == (True, "台风期间漏记")
    assert AuditEvent.objects.filter(action="members.service.late", reason="台风期间漏记").exists()


def test_a_late_entry_takes_a_second_pair_of_eyes(place, sides):
    record = make.service(sides, make.reported(sides), days_ago=60)
    with pytest.raises(Refused, match="登记人以外"):
        transit(record, "confirm", by=sides.worker)
    officer = person(Role.STREET_OFFICER, place.street)
    assert transit(record, "confirm", by=officer).state == "confirmed"


def test_confirming_begins_the_service_and_counts(sides):
    row = make.reported(sides)
    records = [make.service(sides, row, days_ago=n) for n in (1, 2)]
    make.service(sides, row, days_ago=3)
    assert confirm_services(records=records, by=sides.worker) == 2
    (seen,) = type(row).objects.with_service()
    assert (seen.state, seen.service_count, seen.service_hours) == ("serving", 2, Decimal(4))
    with pytest.raises(PermissionDenied):
        transit(make.service(sides, row, days_ago=4), "confirm", by=sides.liaison)


def test_confirming_many_is_all_or_none(sides):
    row = make.reported(sides)
    good, late = make.service(sides, row), make.service(sides, row, days_ago=60)
    with pytest.raises(Refused):
        confirm_services(records=[good, late], by=sides.worker)
    good.refresh_from_db()
    assert good.state == "recorded"


def test_after_a_move_the_old_community_still_records_what_was_before(place, sides):
    row = make.reported(sides)
    move_member(member=row.member, area=place.other_community, reason="搬家", by=sides.liaison)
    row.refresh_from_db()
    record = make.service(sides, row, days_ago=2)
    assert record.community == place.community
    transit(record, "confirm", by=sides.worker)
    row.refresh_from_db()
    assert row.state == "moved"


def test_a_service_on_a_post_needs_the_post(sides):
    row, post = make.reported(sides), make.post(sides)
    with pytest.raises(Refused, match="没有认领"):
        make.service(sides, row, post=post)
    claim_post(post=post, member=row.member, by=sides.liaison)
    assert make.service(sides, row, days_ago=0, post=post).post == post


def test_only_the_community_records(place, sides):
    row = make.reported(sides)
    other = make.side(place.sibling_community)
    for by in (sides.liaison, other.worker):
        with pytest.raises(PermissionDenied):
            make.service(sides, row, by=by)
    record = make.service(sides, row)
    seen = {
        sides.worker: True,
        sides.liaison: True,
        other.worker: False,
        other.liaison: False,
    }
    for user, sees in seen.items():
        assert ServiceRecord.objects.visible_to(user).exists() is sees
        assert ServiceRecord.scope.holds(record, user) is sees
