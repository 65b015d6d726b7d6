"""The scanner's way in: a scan that was shown nothing must not pass for one that found nothing."""

from __future__ import annotations

import io
import logging.config

import pytest
from django.conf import settings
from django.test import Client

from accounts.enums import Role
from core import logs
from scripts import wapiti
from tests.factories.accounts import person
from tests.factories.orgs import small_city

PASSWORD = "Hai-Bian-2026"
pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def place():
    return small_city()


@pytest.fixture
def worker(place) -> dict[str, str]:
    user = person(Role.COMMUNITY_WORKER, place.community, password=PASSWORD)
    return {"username": user.username, "password": PASSWORD, "where": place.community.name}


@pytest.fixture
def log():
    """The trial's log, as the server writes it."""
    stream = io.StringIO()
    config = logs.logging_config(as_json=False)
    config["handlers"]["line"]["stream"] = stream
    logging.config.dictConfig(config)
    yield lambda: stream.getvalue().splitlines()
    logging.config.dictConfig(settings.LOGGING)


def test_who_signs_in_is_seen_to_be_signed_in(live_server, worker):
    cookies = wapiti.sign_in(live_server.url, worker)
    answer = Client(headers={"Cookie": cookies}).get("/console/account/")
    assert worker["username"] in answer.content.decode()


def test_a_wrong_password_ends_the_scan_and_says_why(live_server, worker):
    with pytest.raises(SystemExit) as ended:
        wapiti.sign_in(live_server.url, {**worker, "password": "wrong"})
    assert f"{worker['username']} is not signed in" in str(ended.value)
    assert "422 at /console/sign-in/" in str(ended.value)
    assert "登录名或密码不正确" in str(ended.value)


def test_a_password_that_has_to_be_changed_ends_the_scan(live_server, place):
    user = person(Role.COMMUNITY_WORKER, place.community, password=PASSWORD)
    user.must_change_password = True
    user.save()
    with pytest.raises(SystemExit, match="led to /console/account/password/"):
        wapiti.sign_in(live_server.url, {"username": user.username, "password": PASSWORD})


def test_a_resident_is_seen_to_have_settled(live_server, worker):
    assert "community=" in wapiti.settle(live_server.url, worker["where"])
    with pytest.raises(SystemExit, match="with 0 communities"):
        wapiti.settle(live_server.url, "没有这个社区")


def test_a_scan_that_stays_at_the_sign_in_page_was_shown_too_little(client, place, log):
    pages = ["/console/", "/console/services/items/", "/console/account/"]
    for path in [*pages, "/", "/track/"]:
        client.get(path, follow=True)
    seen = wapiti.shown(log())
    assert {name: len(paths) for name, paths in seen.items()} == {"residents": 2, "console": 0}
    assert "console: only 0 pages were shown" in "\n".join(wapiti.too_few(seen))
    client.force_login(person(Role.COMMUNITY_WORKER, place.community))
    for path in [*pages, *pages]:
        client.get(path)
    assert wapiti.shown(log())["console"] == set(pages)


def test_what_is_no_fault_is_told_with_where_it_was_found():
    found = [
        "residents: LDAP Injection: GET /search/ q: …",
        "residents: LDAP Injection: GET /search/ q: …",
        "console: LDAP Injection: POST /console/areas/ name: …",
        "console: SQL Injection: GET /console/ q: …",
    ]
    heading, *lines = wapiti.no_fault(found)
    assert heading.startswith("LDAP Injection, 3 times")
    assert lines == ["  GET /search/ q: 2", "  POST /console/areas/ name: 1"]
