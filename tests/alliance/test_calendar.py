"""What the calendar does, on the day and never twice."""

from datetime import timedelta

import pytest
from django.utils import timezone

from alliance.actions.agreement import confirm_agreement, renew_agreement
from alliance.models import Agreement
from alliance.tasks import turn_the_day
from core.models import AuditEvent, Notification
from core.transitions import transit
from tests.factories import alliance as make
from tests.factories.orgs import small_city

pytestmark = pytest.mark.django_db


@pytest.fixture
def sides():
    return make.pair(small_city().community)


def run(day):
    return turn_the_day(day=day.isoformat())


def test_signed_ahead_it_starts_on_its_first_day(sides):
    starts_on = timezone.localdate() + timedelta(days=5)
    agreement = make.signed(sides, starts_on=starts_on)
    assert run(starts_on - timedelta(days=1))["started"] == 0
    assert run(starts_on)["started"] == 1
    agreement.refresh_from_db()
    assert agreement.state == "active"
    assert run(starts_on)["started"] == 0


def test_it_ends_after_its_last_day_and_once(sides):
    agreement = make.signed(sides, ends_on=timezone.localdate() + timedelta(days=40))
    assert run(agreement.ends_on)["ended"] == 0
    assert run(agreement.ends_on + timedelta(days=1))["ended"] == 1
    agreement.refresh_from_db()
    assert (agreement.state, agreement.ended_on) == ("expired", agreement.ends_on)
    assert run(agreement.ends_on + timedelta(days=2))["ended"] == 0
    assert AuditEvent.objects.filter(action="alliance.agreement.expire").count() == 1


def test_what_ends_within_thirty_days_is_told_once(sides):
    agreement = make.signed(sides, ends_on=timezone.localdate() + timedelta(days=60))
    assert run(agreement.ends_on - timedelta(days=31))["reminded"] == 0
    assert run(agreement.ends_on - timedelta(days=30))["reminded"] == 1
    assert run(agreement.ends_on - timedelta(days=30))["reminded"] == 0
    told = Notification.objects.filter(title__contains="到期")
    assert {message.user for message in told} == {sides.worker, sides.liaison}
    assert told.count() == 2


def test_what_is_renewed_already_is_not_nagged_about(sides):
    agreement = make.signed(sides, ends_on=timezone.localdate() + timedelta(days=20))
    renew_agreement(
        agreement=agreement, ends_on=agreement.ends_on + timedelta(days=90), by=sides.worker
    )
    assert run(timezone.localdate())["reminded"] == 0


def test_the_old_one_gives_way_on_the_day_the_renewal_begins(sides):
    today = timezone.localdate()
    old = make.signed(sides, ends_on=today + timedelta(days=9))
    new = renew_agreement(agreement=old, ends_on=today + timedelta(days=300), by=sides.worker)
    new = transit(new, "submit", by=sides.worker)
    for who in (sides.worker, sides.liaison):
        new = confirm_agreement(agreement=new, version=new.version, by=who)
    assert new.state == "pending"
    assert run(new.starts_on) == {"started": 1, "ended": 0, "reminded": 0}
    old.refresh_from_db()
    assert old.state == "renewed"


def test_signed_late_a_renewal_still_follows_the_expired_one(sides):
    today = timezone.localdate()
    old = make.signed(
        sides, starts_on=today - timedelta(days=90), ends_on=today - timedelta(days=0)
    )
    run(today + timedelta(days=1))
    Agreement.objects.filter(pk=old.pk).update(
        ends_on=today - timedelta(days=1), ended_on=today - timedelta(days=1)
    )
    old.refresh_from_db()
    new = renew_agreement(agreement=old, ends_on=today + timedelta(days=90), by=sides.worker)
    new = transit(new, "submit", by=sides.worker)
    for who in (sides.worker, sides.liaison):
        new = confirm_agreement(agreement=new, version=new.version, by=who)
    old.refresh_from_db()
    assert (new.state, old.state, old.ended_on) == ("active", "renewed", old.ends_on)
