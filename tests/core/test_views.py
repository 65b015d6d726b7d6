"""The base views, proved on member units: the lists, details and forms of every app stand on them."""

import re

import pytest
from django.test import Client

from tests.factories.accounts import person
from tests.factories.orgs import small_city, unit

pytestmark = pytest.mark.django_db
UNITS = "/console/orgs/units/"


@pytest.fixture
def place():
    return small_city()


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def officer(place):
    return person("street_officer", place.street)


@pytest.fixture
def client(officer):
    return signed_in(officer)


def text(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def test_a_page_without_sign_in_leads_there_and_back(place):
    response = Client().get(f"{UNITS}?kind=school")
    assert response.status_code == 302
    assert response["Location"].startswith("/console/sign-in/?next=/console/orgs/units/%3Fkind")


def test_the_list_shows_what_lies_in_reach_and_nothing_else(client, place):
    unit(place.community, "本街道中学")
    unit(place.other_community, "外区医院")
    shown = text(client.get(UNITS))
    assert "本街道中学" in shown
    assert "外区医院" not in shown
    assert "共 1 条" in shown


def test_an_object_out_of_reach_and_one_that_is_not_there_answer_alike(client, place):
    foreign = unit(place.other_community)
    answers = [client.get(f"{UNITS}{pk}/") for pk in (foreign.pk, 10**9)]
    assert [a.status_code for a in answers] == [404, 404]
    assert "没有找到" in text(answers[0])


def test_the_detail_shows_the_facts(client, place):
    response = client.get(f"{UNITS}{unit(place.community, '本街道中学').pk}/")
    assert response.status_code == 200
    assert "本街道中学" in text(response)
