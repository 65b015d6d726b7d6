import pytest
from django.urls import reverse

from tests.factories.orgs import small_city


@pytest.fixture
def place():
    return small_city()


@pytest.fixture
def at_home(client, place):
    """A browser that chose its community."""
    client.get(reverse("portal:choose-community", args=[place.community.code]))
    return client
