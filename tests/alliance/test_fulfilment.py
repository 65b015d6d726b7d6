"""What counts towards a clause, and the figures made of it."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from accounts.enums import Role
from alliance.actions.clause import record_fulfilment, withdraw_fulfilment
from alliance.models import Agreement, Clause, Fulfilment
from alliance.queries import clauses_to_deliver
from core.errors import Refused
from core.transitions import transit
from tests.factories import alliance as make
from tests.factories.accounts import person
from tests.factories.orgs import small_city, unit

pytestmark = pytest.mark.django_db


@pytest.fixture
def place():
    return small_city()


@pytest.fixture
def sides(place):
    return make.pair(place.community, count=2)


def test_deeds_add_up_and_too_many_of_one_do_not_cover_another(place, sides):
    agreement = make.draft(sides)  # clause 1: four times
    make.clause(agreement, by=sides.worker, unit=sides.units[1], quantity=Decimal(2))
    agreement = transit(agreement, "submit", by=sides.worker)
    first, second = agreement.clauses.all()
    with pytest.raises(Refused, match="不在有效期内"):
        record_fulfilment(
            clause=first, quantity=1, on=timezone.localdate(), source=place.grid, by=None
        )
    agreement = Agreement.objects.get(pk=agreement.pk)
    agreement = _sign(agreement, sides)
    first, second = agreement.clauses.all()
    today = timezone.localdate()
    # Any record may be the source; here two units stand in for claims.
    for deed, quantity in ((unit(place.community), 3), (unit(place.community), 3)):
        record_fulfilment(
            clause=first, quantity=Decimal(quantity), on=today, source=deed, by=sides.worker
        )
    progress = {c.number: (c.fulfilled, c.rate) for c in Clause.objects.with_progress()}
    assert progress == {1: (6, 1.0), 2: (0, 0.0)}
    record_fulfilment(clause=second, quantity=1, on=today, source=place.grid, by=sides.worker)
    (seen,) = Agreement.objects.with_progress(today, today)
    assert (seen.clause_count, seen.deeds, seen.rate) == (2, 3, 0.75)
    (before,) = Agreement.objects.with_progress(None, today - timedelta(days=1))
    assert (before.deeds, before.rate) == (0, 0.0)


def _sign(agreement, sides):
    from alliance.actions.agreement import confirm_agreement

    for who in (sides.worker, *sides.liaisons):
        agreement = confirm_agreement(agreement=agreement, version=agreement.version, by=who)
    return agreement


def test_one_deed_counts_once_and_its_last_quantity_stands(place, sides):
    clause = make.signed(sides).clauses.get()
    today = timezone.localdate()
    for quantity in (1, 2):
        record_fulfilment(
            clause=clause, quantity=quantity, on=today, source=place.grid, by=sides.worker
        )
    assert Fulfilment.objects.get().quantity == 2
    withdraw_fulfilment(source=place.grid, by=sides.worker)
    withdraw_fulfilment(source=place.grid, by=sides.worker)
    assert not Fulfilment.objects.exists()


def test_outside_its_dates_or_ones_own_sight_nothing_counts(place, sides):
    agreement = make.signed(sides)
    clause = agreement.clauses.get()
    deed = {"clause": clause, "quantity": 1, "source": place.grid}
    for day in (agreement.starts_on - timedelta(days=1), agreement.ends_on + timedelta(days=1)):
        with pytest.raises(Refused, match="不在有效期内"):
            record_fulfilment(on=day, by=sides.worker, **deed)
    stranger = person(Role.UNIT_LIAISON, unit(place.community))
    with pytest.raises(PermissionDenied):
        record_fulfilment(on=agreement.starts_on, by=stranger, **deed)


def test_after_an_early_end_nothing_more_counts(place, sides):
    agreement = make.signed(sides)
    street = person(Role.STREET_OFFICER, place.street)
    agreement = transit(agreement, "terminate", by=street, reason="单位改制")
    with pytest.raises(Refused, match="不在有效期内"):
        record_fulfilment(
            clause=agreement.clauses.get(),
            quantity=1,
            on=timezone.localdate() + timedelta(days=1),
            source=place.grid,
            by=None,
        )


def test_what_a_side_has_to_deliver(place, sides):
    agreement = make.signed(sides)
    assert clauses_to_deliver(unit_id=sides.unit.pk).get().agreement == agreement
    assert not clauses_to_deliver(unit_id=sides.units[1].pk).exists()
    assert not clauses_to_deliver(community_id=place.community.pk).exists()


def test_valid_during_and_the_names_of_the_parties(place, sides):
    today = timezone.localdate()
    agreement = make.signed(sides, starts_on=today - timedelta(days=10))
    make.draft(sides)
    for first, last, count in (
        (today, today, 1),
        (today - timedelta(days=30), today - timedelta(days=11), 0),
        (agreement.ends_on + timedelta(days=1), agreement.ends_on + timedelta(days=9), 0),
    ):
        assert Agreement.objects.valid_during(first, last).count() == count
    (seen,) = Agreement.objects.valid_during(today, today).with_parties()
    assert seen.unit_names == "、".join(u.name for u in sides.units)
    assert seen.liaisons == "李社区、王联络、王联络"


def test_called_off_before_its_first_day_it_never_was_in_force(place, sides):
    today = timezone.localdate()
    agreement = make.signed(sides, starts_on=today + timedelta(days=5))
    transit(agreement, "terminate", by=person(Role.STREET_OFFICER, place.street), reason="取消")
    assert not Agreement.objects.valid_during(today, today + timedelta(days=30)).exists()
