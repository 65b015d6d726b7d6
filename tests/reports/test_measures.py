"""What a review counts of its places, however many there are."""

from __future__ import annotations

import pytest

from reports import measures
from reports.actions.tallies import count, sources_of
from reports.catalogue import MEASURES
from reports.models import Run
from reports.queries import place_ids
from services.enums import ClaimState
from tests.factories import alliance, grids, members, reports, services
from tests.factories.orgs import small_city, unit

pytestmark = pytest.mark.django_db(transaction=True)


def test_many_places_are_counted_as_a_few_are(monkeypatch):
    """A few are found by their index, many by a look at each row; a unit that is registered with
    its street counts there."""
    made = small_city()
    for community in (made.community, made.other_community):
        firm = unit(community)
        services.claim(services.item(community), firm, state=ClaimState.RATED)
        sides = members.side(community)
        members.confirmed(sides, members.reported(sides), days_ago=0, hours="2.5")
        alliance.signed(alliance.pair(community))
    services.item(unit(made.street), kind="resource", capacity=3)
    grids.grid_profile(made.grid, households=400)
    reports.run(made.city)
    run, period = Run.objects.get(), reports.this_quarter()
    few = count(run, period)
    monkeypatch.setattr(measures, "FEW", 0)
    many = count(run, period)
    assert few == many
    counted = {source for source, numbers in many.items() if numbers}
    assert counted == {source.name for source in sources_of(run)} - {"clauses"}  # none is due yet
    assert many["items"][made.street.pk] == [0, 0, 1]  # needs, needs that were claimed, offers
    assert {area for numbers in many.values() for area in numbers} <= set(
        place_ids(made.city, period).values_list("area_id", flat=True)
    )


def test_places_that_are_not_asked_for_are_not_counted(monkeypatch):
    made = small_city()
    services.item(made.community)
    services.item(made.other_community)
    reports.run(made.city)
    source = next(s for s in sources_of(Run.objects.get()) if s.name == "items")
    for few in (0, measures.FEW):
        monkeypatch.setattr(measures, "FEW", few)
        found = source.count(reports.this_quarter(), [made.community.pk])
        assert set(found) == {made.community.pk}


def test_records_are_read_with_what_their_names_need_and_no_more():
    """Without names `select_related()` follows every relation there is."""
    made = small_city()
    for measure in MEASURES.values():
        joined = measure.records(made.city, reports.this_quarter()).query.select_related
        assert joined is not True, measure.key
