from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from alliance.models import Fulfilment
from core.errors import Refused
from core.transitions import transit
from services.actions.clauses import clauses_for
from services.enums import ClaimState
from tests.factories import alliance
from tests.factories import services as make
from tests.factories.accounts import person


@pytest.fixture
def sides(place):
    return alliance.pair(place.community, 2)


@pytest.fixture
def clause(sides):
    """What the first unit promised the community, in force."""
    return alliance.signed(sides).clauses.get()


def test_an_accepted_claim_counts_to_its_clause(place, sides, clause):
    item = make.item(place.community)
    assert list(clauses_for(item, unit=sides.unit)) == [clause]
    people = make.sides(item, sides.unit)
    claim = make.claim(item, sides.unit, state=ClaimState.WORKING, clause=clause)
    claim = transit(claim, "deliver", by=people["provider"], delivered=Decimal("2.5"))
    assert not Fulfilment.objects.exists()
    transit(claim, "accept", by=people["receiver"])
    counted = Fulfilment.objects.get()
    assert (counted.clause, counted.quantity) == (clause, Decimal("2.5"))
    assert (counted.source_type, counted.source_id) == ("services.claim", claim.pk)


def test_what_a_unit_offers_counts_when_the_community_has_claimed_it(place, sides, clause):
    item = make.item(sides.unit, kind="service")
    assert list(clauses_for(item, area=place.community)) == [clause]
    make.claim(item, place.community, state=ClaimState.ACCEPTED, clause=clause)
    assert Fulfilment.objects.get().quantity == 1


def test_a_claim_returned_and_delivered_again_counts_once(place, sides, clause):
    item = make.item(place.community)
    people = make.sides(item, sides.unit)
    claim = make.claim(item, sides.unit, state=ClaimState.SUBMITTED, clause=clause)
    transit(claim, "rework", by=people["receiver"], reason="还差一次")
    transit(claim, "deliver", by=people["provider"], delivered=Decimal(3))
    transit(claim, "accept", by=people["receiver"])
    assert [f.quantity for f in Fulfilment.objects.all()] == [Decimal(3)]


def test_a_clause_of_others_or_the_wrong_way_round_is_refused(place, sides, clause):
    need, offer = make.item(place.community), make.item(place.community, kind="resource")
    elsewhere = make.item(place.other_community)
    for item, unit in [(need, sides.units[1]), (offer, sides.unit), (elsewhere, sides.unit)]:
        assert clause not in clauses_for(item, unit=unit)
        with pytest.raises(Refused) as refused:
            make.claim(item, unit, clause=clause)
        assert refused.value.field == "clause"


def test_a_clause_not_in_force_is_refused(place, sides):
    agreement = alliance.pending(sides)
    with pytest.raises(Refused, match="未生效"):
        make.claim(make.item(place.community), sides.unit, clause=agreement.clauses.get())


def test_an_agreement_that_ended_meanwhile_takes_nothing_and_stops_nothing(place, sides, clause):
    item = make.item(place.community)
    people = make.sides(item, sides.unit)
    claim = make.claim(item, sides.unit, state=ClaimState.SUBMITTED, clause=clause)
    officer = person("street_officer", place.street)
    agreement = transit(clause.agreement, "terminate", by=officer, reason="单位搬迁")
    type(agreement).objects.filter(pk=agreement.pk).update(
        starts_on=timezone.localdate() - timedelta(days=30),
        ended_on=timezone.localdate() - timedelta(days=1),
    )
    claim.refresh_from_db()
    transit(claim, "accept", by=people["receiver"])
    assert not Fulfilment.objects.exists()
