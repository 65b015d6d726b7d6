"""A grid is struck off while somebody fills one of its posts: whoever is second sees the first."""

import pytest
from django.db import transaction

from core.errors import Refused
from core.transitions import transit
from grids.models import GridPost
from orgs.actions.tree import retire_area
from tests.factories.accounts import person
from tests.factories.orgs import small_city
from tests.orgs.test_tree_parallel import Running, until_somebody_waits_for_a_lock

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def place():
    return small_city()


@pytest.fixture
def worker(place):
    return person("community_worker", place.community)


@pytest.fixture
def post(place):
    return GridPost.objects.filter(area=place.grid).first()


def test_who_appoints_to_a_grid_that_is_being_struck_off_is_refused(place, post, worker):
    with transaction.atomic():
        retire_area(area=place.grid, by=None)
        appointing = Running(lambda: transit(post, "appoint", by=worker, holder="李玉兰"))
        until_somebody_waits_for_a_lock()
    with pytest.raises(Refused, match="撤销"):
        appointing.result()
    assert GridPost.objects.get(pk=post.pk).state == "vacant"


def test_who_strikes_a_grid_off_ends_the_post_that_was_just_filled(place, post, worker):
    with transaction.atomic():
        transit(post, "appoint", by=worker, holder="李玉兰")
        retiring = Running(lambda: retire_area(area=place.grid, by=None))
        until_somebody_waits_for_a_lock()
    retiring.result()
    assert GridPost.objects.get(pk=post.pk).state == "vacant"
