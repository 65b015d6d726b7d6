"""Whom to tell: those who hold the right there, and above only when nobody does."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from accounts.queries import people_with
from tests.factories.accounts import person
from tests.factories.orgs import small_city, unit

pytestmark = pytest.mark.django_db
PERM = "services.review"


@pytest.fixture
def place():
    return small_city()


def test_those_on_the_place_itself_are_told_and_not_those_above(place):
    worker = person("community_worker", place.community)
    other = person("community_worker", place.community)
    person("street_officer", place.street)
    person("community_worker", place.sibling_community)
    assert people_with(PERM, area=place.community) == {worker.pk, other.pk}


def test_where_nobody_holds_it_the_nearest_above_are_told(place):
    officer = person("street_officer", place.street)
    person("grid_worker", place.community)  # there, but without the right
    assert people_with(PERM, area=place.grid) == {officer.pk}
    assert people_with(PERM, area=place.other_community) == set()


def test_only_grants_in_force_of_open_accounts_count(place):
    today = timezone.localdate()
    closed = person("community_worker", place.community, is_active=False)
    over, ahead, back = (person("community_worker", place.community) for _ in range(3))
    over.grants.update(ends_on=today - timedelta(1))
    ahead.grants.update(starts_on=today + timedelta(1))
    back.grants.update(revoked_at=timezone.now())
    assert User.objects.filter(pk=closed.pk).exists()
    assert people_with(PERM, area=place.community) == set()


def test_a_unit_has_its_own_liaisons(place):
    bank = unit(place.community)
    liaison = person("unit_liaison", bank)
    person("unit_liaison", unit(place.community))
    person("community_worker", place.community)
    assert people_with("services.claim", unit=bank) == {liaison.pk}
    assert people_with(PERM, unit=bank) == set()


def test_it_is_one_query_whatever_the_number(place, django_assert_num_queries):
    for _ in range(5):
        person("community_worker", place.community)
    with django_assert_num_queries(1):
        assert len(people_with(PERM, area=place.community)) == 5
