"""The figures of charts: what they count, for whom."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from django.utils import timezone

from core.periods import parse_period
from services import queries
from services.enums import ClaimState, ContactSpan, Grade
from services.models import Claim, Item, Rating
from tests.factories import services as make
from tests.factories.accounts import person
from tests.factories.orgs import unit

pytestmark = pytest.mark.django_db
Q3 = parse_period("2026Q3")
MONTHS = [date(2026, month, 1) for month in (7, 8, 9)]


def at(month: int, day: int, hour: int = 12) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=timezone.get_default_timezone())


def need(place, published: datetime, **values) -> Item:
    made = make.item(place, **values)
    Item.objects.filter(pk=made.pk).update(published_at=published)
    return Item.objects.get(pk=made.pk)


def claim(item: Item, claimant, claimed: datetime, *, state=ClaimState.CLAIMED, **moments) -> Claim:
    made = make.claim(item, claimant, state=state)
    moments = {f"{name}_at": moment for name, moment in moments.items()}
    reached = {
        f"{step}_at": claimed
        for step in ("contacted", "started", "submitted", "accepted", "closed")
        if getattr(made, f"{step}_at")
    }
    Claim.objects.filter(pk=made.pk).update(claimed_at=claimed, **reached | moments)
    return Claim.objects.get(pk=made.pk)


@pytest.fixture
def officer(place):
    return person("street_officer", place.street)


@pytest.fixture
def units(place):
    return [unit(place.community) for _ in range(3)]


def test_needs_count_in_the_month_of_the_citys_own_clock(place, officer):
    first = at(7, 1, 0)  # 30 June, 16:00 UTC
    for moment in (first, first - timedelta(microseconds=1), at(9, 30, 23), at(10, 1, 0)):
        need(place.community, moment)
    need(place.community, at(8, 3), kind="resource")
    need(place.other_community, at(8, 3))
    found = queries.needs_by_month(officer, None, MONTHS)
    assert found["published"] == {MONTHS[0]: 1, MONTHS[2]: 1}
    assert found["claimed"] == found["closed"] == {}


def test_a_need_counts_once_a_month_however_often_it_is_claimed(place, officer, units):
    item = need(place.community, at(7, 2), capacity=5)
    claim(item, units[0], at(7, 3))
    claim(item, units[1], at(7, 20))
    claim(item, units[2], at(8, 1))
    gone = need(place.community, at(7, 2))
    claim(gone, units[0], at(9, 1), state=ClaimState.WITHDRAWN)
    done = need(place.community, at(7, 2))
    claim(done, units[1], at(7, 5), state=ClaimState.CLOSED)
    Item.objects.filter(pk=done.pk).update(closed_at=at(9, 9))
    found = queries.needs_by_month(officer, None, MONTHS)
    assert found["published"] == {MONTHS[0]: 3}
    assert found["claimed"] == {MONTHS[0]: 2, MONTHS[1]: 1}
    assert found["closed"] == {MONTHS[2]: 1}


def test_needs_below_a_place_and_its_own(place, units):
    officer = person("org_department", place.city)
    item = need(place.community, at(7, 2), capacity=2)
    claim(item, units[0], at(7, 3))  # a place is still free
    need(place.community, at(8, 2))
    need(place.other_community, at(9, 2))
    need(place.other_community, at(6, 2))
    need(unit(place.street), at(9, 2))  # registered with the street itself
    by_district = queries.needs_below(officer, place.city, "district", Q3)
    assert by_district == {place.district.pk: (3, 1), place.other_district.pk: (1, 0)}
    by_community = queries.needs_below(officer, place.street, "community", Q3)
    assert by_community == {place.community.pk: (2, 1), None: (1, 0)}
    assert by_community[place.community.pk].rate == 50
    assert queries.Needs(0, 0).rate is None


@pytest.mark.parametrize(
    ("took", "span"),
    [
        (timedelta(0), "1"),
        (timedelta(days=1), "1"),
        (timedelta(days=1, microseconds=1), "2"),
        (timedelta(days=7), "7"),
        (timedelta(days=7, microseconds=1), "over"),
    ],
)
def test_days_to_contact_by_the_limit(place, officer, units, took, span):
    item = need(place.community, at(7, 2))
    made = at(7, 3)
    later = dict.fromkeys(("started", "submitted"), None)
    claim(item, units[0], made, state=ClaimState.CONTACTING, contacted=made + took, **later)
    found = queries.contact_spans(officer, None, Q3, at(12, 1))
    assert found == {ContactSpan(span): 1}


def test_no_contact_is_late_after_the_limit_and_nothing_when_withdrawn(place, officer, units):
    item = need(place.community, at(7, 2), capacity=5)
    claim(item, units[0], at(7, 3))
    claim(item, units[1], at(7, 4))
    claim(item, units[2], at(7, 4), state=ClaimState.WITHDRAWN)
    found = queries.contact_spans(officer, None, Q3, at(7, 10))
    assert found == {ContactSpan.LATE: 1, ContactSpan.WAITING: 1}


def test_both_sides_see_the_grades_and_others_do_not(place, officer, units):
    item = need(place.community, at(7, 2), capacity=2)
    for one, grade in zip(units, (Grade.EXCELLENT, Grade.BAD), strict=False):
        made = make.claim(item, one, state=ClaimState.RATED, grade=grade)
        Rating.objects.filter(claim=made).update(rated_on=date(2026, 9, 30))
    both = {Grade.EXCELLENT: 1, Grade.BAD: 1}
    assert queries.grades(officer, None, Q3) == both
    assert queries.grades(make.worker(place.community), place.community, Q3) == both
    assert queries.grades(make.liaison(units[1]), None, Q3) == {Grade.BAD: 1}
    assert queries.grades(person("street_officer", place.other_street), None, Q3) == {}
    assert queries.grades(officer, None, parse_period("2026Q4")) == {}


def test_claims_are_found_from_either_side_by_whoever_sees_them(place, units):
    """The indexes' short way finds what the scope admits, no more and no less."""
    offering, far = unit(place.community), unit(place.other_community)
    make.claim(need(place.community, at(7, 2)), far)
    make.claim(need(place.other_community, at(7, 2)), units[0])
    make.claim(need(offering, at(7, 2), kind="resource"), far)
    make.claim(need(place.sibling_community, at(7, 2)), place.other_community)
    people = [
        make.worker(place.community),
        make.worker(place.other_community),
        make.worker(place.sibling_community),
        make.liaison(offering),
        make.liaison(far),
        person("street_officer", place.street),
        person("org_department", place.city),
        person("system_admin"),
    ]
    counts = []
    for user in people:
        for where in (None, place.community, place.other_community, place.street, place.grid):
            rows = Claim.objects.visible_to(user, "services.view")
            rows = set(rows.at(where) if where else rows)
            assert set(queries.claims_of(user, where)) == rows
            counts.append(len(rows))
    assert counts[0::5] == [3, 4, 1, 1, 2, 4, 4, 0]


def test_what_others_published_is_not_ones_own(place, units):
    """A worker sees every published need of the city, and counts the community's own."""
    need(place.other_community, at(7, 2))
    worker = make.worker(place.community)
    assert Item.objects.visible_to(worker).count() == 1
    assert queries.needs_by_month(worker, None, MONTHS)["published"] == {}


def test_each_figure_is_one_query(place, officer, django_assert_num_queries):
    officer.reach("services.view")
    for ask in (
        lambda: queries.needs_by_month(officer, place.street, MONTHS),
        lambda: queries.needs_below(officer, place.street, "community", Q3),
        lambda: queries.contact_spans(officer, place.street, Q3, timezone.now()),
        lambda: queries.grades(officer, place.street, Q3),
    ):
        with django_assert_num_queries(1):
            ask()
