import pytest
from django.core.cache import cache

from tests.factories.orgs import small_city
from tests.factories.orgs import unit as make_unit


@pytest.fixture
def place(db):
    return small_city()


@pytest.fixture
def unit(place):
    """A unit in the first community."""
    return make_unit(place.community, "测试医院")


@pytest.fixture(autouse=True)
def _no_tries_left_over():
    cache.clear()
