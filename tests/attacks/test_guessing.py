"""Passwords tried for one name, for many, from one place and from many: slowed down every way, and no
way to shut an office out (docs/adr/0017-accounts-lock-outs.md)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.core import signing
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts import lockout
from accounts.actions.users import reset_password
from tests.accounts.test_sign_in import PASSWORD, attempt, change, text
from tests.factories.accounts import person
from tests.factories.orgs import small_city

pytestmark = pytest.mark.django_db
OFFICE, HOME = "10.1.2.3", "10.9.9.9"


@pytest.fixture(autouse=True)
def _few(settings):
    """The same rules with smaller figures."""
    settings.AXES_FAILURE_LIMIT = 3
    settings.SIGN_IN_FAILURES_NAME = 6
    settings.SIGN_IN_FAILURES_KNOWN = 3
    settings.SIGN_IN_FAILURES_PLACE = 8


@pytest.fixture
def officer():
    return person("street_officer", small_city().street, username="officer", password=PASSWORD)


def known_browser(address: str = HOME) -> Client:
    """One that the officer has signed in from, and out again."""
    client = Client(REMOTE_ADDR=address)
    assert attempt(client).status_code == 302
    client.post("/console/sign-out/")
    return client


def spray(address: str, times: int) -> list[int]:
    """Answers to one try each of as many names."""
    client = Client(REMOTE_ADDR=address)
    return [
        attempt(client, username=f"name{n}", password="wrong").status_code for n in range(times)
    ]


def from_everywhere(username: str, times: int, client: Client | None = None) -> list[int]:
    """Answers to tries of one name, from an address each."""
    client = client or Client()
    return [
        client.post(
            "/console/sign-in/",
            {"username": username, "password": "wrong"},
            REMOTE_ADDR=f"203.0.113.{n}",
        ).status_code
        for n in range(1, times + 1)
    ]


def test_one_place_that_tries_many_names_is_shut(officer):
    assert spray(OFFICE, 8) == [*[422] * 7, 429]
    locked = attempt(Client(REMOTE_ADDR=OFFICE))
    assert locked.status_code == 429
    assert "此网络近来登录失败次数过多" in text(locked)
    assert attempt(Client(REMOTE_ADDR=HOME)).status_code == 302, "other places are not"


@pytest.mark.parametrize("username", ["officer", "nobody"])
def test_one_name_tried_from_many_places_is_shut(officer, username):
    assert from_everywhere(username, 6) == [*[422] * 5, 429]
    locked = attempt(Client(REMOTE_ADDR=HOME), username=username)
    assert locked.status_code == 429
    assert "这个账号近来登录失败次数过多" in text(locked)


def test_whoever_has_signed_in_from_a_browser_is_let_in_past_strangers(officer):
    mine = known_browser(OFFICE)
    spray(OFFICE, 8)
    from_everywhere("officer", 6)
    assert attempt(Client(REMOTE_ADDR=OFFICE)).status_code == 429
    assert attempt(mine).status_code == 302


def test_a_known_browser_is_known_to_its_own_accounts_alone(officer):
    person("street_officer", officer.grants.get().area, username="other", password=PASSWORD)
    mine = known_browser(OFFICE)
    spray(OFFICE, 8)
    assert attempt(mine, username="other").status_code == 429
    attempt(Client(REMOTE_ADDR=HOME), username="other")
    assert attempt(mine).status_code == 302


def test_a_stolen_mark_of_a_known_browser_opens_a_few_more_tries_and_no_more(officer):
    thief = known_browser()
    answers = from_everywhere("officer", 12, thief)
    assert answers == [*[422] * 8, *[429] * 4]


@pytest.mark.parametrize(
    "forged",
    [
        "x",
        signing.dumps([lockout.name_of(None, {"username": "officer"})]),
        signing.dumps([lockout.name_of(None, {"username": "officer"})], salt="else"),
    ],
)
def test_a_forged_mark_is_none(officer, forged):
    client = Client(REMOTE_ADDR=OFFICE)
    client.cookies[lockout.KNOWN_COOKIE] = forged
    spray(OFFICE, 8)
    assert attempt(client).status_code == 429


def test_the_mark_is_sent_to_the_sign_in_alone_and_read_by_no_script(officer, settings):
    settings.SESSION_COOKIE_SECURE = True
    client = Client(REMOTE_ADDR=HOME)
    cookie = attempt(client).cookies[lockout.KNOWN_COOKIE]
    assert (cookie["path"], cookie["samesite"]) == ("/console/sign-in/", "Strict")
    assert cookie["httponly"]
    assert cookie["secure"]
    assert "officer" not in cookie.value


def test_knocking_at_a_closed_door_does_not_keep_it_closed(officer):
    """What is refused unread is not counted: strangers cannot fill what is left for others."""
    spray(OFFICE, 30)
    from_everywhere("officer", 30)
    assert sum(AccessAttempt.objects.values_list("failures_since_start", flat=True)) == 14
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=10))
    assert "5 分钟后再试" in text(attempt(Client(REMOTE_ADDR=OFFICE)))
    spray(OFFICE, 5)
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=15, seconds=1))
    assert attempt(Client(REMOTE_ADDR=OFFICE)).status_code == 302


def test_the_door_opens_as_the_first_failures_grow_old(officer):
    spray(OFFICE, 8)
    oldest = AccessAttempt.objects.order_by("attempt_time").first()
    oldest.attempt_time = timezone.now() - timedelta(minutes=12)
    oldest.save()
    assert "3 分钟后再试" in text(attempt(Client(REMOTE_ADDR=OFFICE))), "with the first of them"


def test_an_own_account_wipes_out_no_traces_of_others(officer):
    """Who has one account cannot spray in between signing in to it."""
    client = Client(REMOTE_ADDR=OFFICE)
    for n in range(7):
        attempt(client, username=f"name{n}", password="wrong")
        attempt(client)
        client.post("/console/sign-out/")
    assert attempt(client, username="name9", password="wrong").status_code == 429


def test_an_administrator_opens_the_way_with_a_new_password(officer):
    from_everywhere("officer", 6)
    reset_password(user=officer, by=person("system_admin"), password="xin-mi-ma-2026")
    assert attempt(Client(REMOTE_ADDR=HOME), password="xin-mi-ma-2026").status_code == 302


def test_what_was_typed_as_a_name_is_kept_nowhere(officer):
    attempt(Client(REMOTE_ADDR=OFFICE), username="my-secret-password", password="other-secret")
    row = AccessAttempt.objects.get()
    kept = " ".join(str(value) for value in vars(row).values())
    assert "secret" not in kept
    assert row.ip_address == OFFICE


def test_a_session_that_was_left_open_is_no_place_to_try_passwords(officer):
    client = Client()
    attempt(client)
    for _ in range(5):
        assert "现密码不正确" in text(change(client, present="wrong"))
    answer = change(client)
    assert answer.status_code == 422
    assert "15 分钟后再试" in text(answer)
    assert attempt(Client()).status_code == 302, "the password is as it was"


@pytest.mark.parametrize(
    ("raw", "address", "place"),
    [
        ("10.1.2.3", "10.1.2.3", "10.1.2.3"),
        ("::ffff:10.1.2.3", "10.1.2.3", "10.1.2.3"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("", "", None),
        ("1.2.3.4, 10.1.2.3", "", None),
        ("unknown", "", None),
    ],
)
def test_where_a_request_comes_from(settings, raw, address, place):
    settings.CLIENT_ADDRESS_HEADER = "HTTP_X_FORWARDED_FOR"
    request = RequestFactory().get("/", headers={"X-Forwarded-For": raw})
    assert (lockout.address_of(request), lockout.place_of(request)) == (address, place)


def test_what_a_visitor_says_of_his_address_counts_for_nothing(officer):
    client = Client(REMOTE_ADDR=OFFICE)
    for n in range(3):
        attempt_from = {"X-Forwarded-For": f"198.51.100.{n}"}
        client.post(
            "/console/sign-in/", {"username": "officer", "password": "w"}, headers=attempt_from
        )
    assert attempt(client, password="wrong").status_code == 429


def test_the_figures_in_force_are_in_order():
    """A pair closes before a name, a name before a place: otherwise one hides the other."""
    from config.settings import base

    known = base.SIGN_IN_FAILURES_NAME + base.SIGN_IN_FAILURES_KNOWN
    assert base.AXES_FAILURE_LIMIT < base.SIGN_IN_FAILURES_NAME < known
    assert base.SIGN_IN_FAILURES_NAME < base.SIGN_IN_FAILURES_PLACE
    assert base.AXES_RESET_ON_SUCCESS
