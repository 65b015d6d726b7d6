"""Coming in: who may, who may not, and that neither learns more than that."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from unittest import mock

import orjson
import pytest
from axes.models import AccessAttempt
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from core.models import AuditEvent
from tests.factories.accounts import person
from tests.factories.orgs import small_city

pytestmark = pytest.mark.django_db
PASSWORD = "kuai-le-2026-x"
SIGN_IN = "/console/sign-in/"
INSIDE = "/console/account/"


@pytest.fixture
def officer():
    return person("street_officer", small_city().street, username="officer", password=PASSWORD)


def attempt(client: Client, username="officer", password=PASSWORD, **more):
    return client.post(SIGN_IN, {"username": username, "password": password, **more})


def text(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def actions() -> list[str]:
    rows = AuditEvent.objects.filter(action__startswith="accounts.user.").order_by("id")
    return [
        action.removeprefix("accounts.user.") for action in rows.values_list("action", flat=True)
    ]


def test_signing_in_leads_on_and_is_recorded_with_the_address(officer):
    client = Client(REMOTE_ADDR="10.1.2.3")
    answer = attempt(client, next="/console/account/")
    assert (answer.status_code, answer["Location"]) == (302, "/console/account/")
    assert client.get(INSIDE).status_code == 200
    row = AuditEvent.objects.get(action="accounts.user.sign_in")
    assert row.actor_id == officer.pk
    assert orjson.loads(row.after) == {"address": "10.1.2.3"}
    assert client.get(SIGN_IN).status_code == 302, "who is in need not sign in"


def test_the_name_is_read_in_any_case_and_the_password_is_not(officer):
    assert attempt(Client(), username=" OFFICER ").status_code == 302
    assert attempt(Client(), password=PASSWORD.upper()).status_code == 422


@pytest.mark.parametrize(
    ("wanted", "leads"),
    [
        ("/console/account/?x=1", "/console/account/?x=1"),
        ("", "/console/"),
        ("https://elsewhere.example/", "/console/"),
        ("//elsewhere.example/", "/console/"),
        ("/\\elsewhere.example", "/console/"),
        ("javascript:alert(1)", "/console/"),
        ("console/account/", "/console/"),
    ],
)
def test_the_way_on_never_leaves_the_site(officer, wanted, leads):
    assert attempt(Client(), next=wanted)["Location"] == leads
    assert (
        f'name="next" value="{leads}"' in Client().get(SIGN_IN, {"next": wanted}).content.decode()
    )


def test_a_session_is_never_one_that_a_stranger_laid_out(officer):
    client = Client()
    client.get(SIGN_IN)
    client.session["bait"] = 1
    session = client.session
    session.save()
    client.cookies["sessionid"] = laid = session.session_key
    attempt(client)
    assert client.session.session_key != laid
    assert not Session.objects.filter(session_key=laid).exists()


@pytest.mark.parametrize(
    ("username", "password"),
    [("officer", "wrong"), ("nobody", PASSWORD), ("closed", PASSWORD), ("closed", "wrong")],
)
def test_every_failure_says_the_same(officer, username, password):
    person(
        "grid_worker",
        officer.grants.get().area,
        username="closed",
        password=PASSWORD,
        is_active=False,
    )
    answer = attempt(Client(), username=username, password=password)
    assert answer.status_code == 422
    assert "登录名或密码不正确，或账号已停用" in text(answer)
    blank = re.sub(r'value="[^"]*"', "", answer.content.decode())
    other = attempt(Client(), username="nobody-else", password="x")
    plain = re.sub(r'value="[^"]*"', "", other.content.decode())
    tokens = re.compile(r'nonce="[^"]*"')
    assert tokens.sub("", blank) == tokens.sub("", plain)
    assert password not in answer.content.decode()


def test_known_and_unknown_names_cost_the_same(officer, settings):
    """The password is hashed once either way, and the same queries are made."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    officer.set_password(PASSWORD)
    officer.save()
    hashed = []
    genuine = PBKDF2PasswordHasher.encode

    def counting(self, password, salt, iterations=None):
        hashed.append(password)
        return genuine(self, password, salt, iterations or self.iterations)

    attempt(Client(), username="warm-up", password="wrong")
    costs = []
    with mock.patch.object(PBKDF2PasswordHasher, "encode", counting):
        for name in ("officer", "nobody"):
            hashed.clear()
            with CaptureQueriesContext(
                connection,
            ) as captured:
                attempt(Client(), username=name, password="wrong")
            costs.append((len(hashed), len(captured)))
    assert costs[0] == costs[1]


def test_failures_are_recorded_and_unknown_names_are_not_written_down(officer):
    attempt(Client(REMOTE_ADDR="10.1.2.3"), password="wrong")
    attempt(Client(), username="my-secret-password", password="x")
    known, unknown = AuditEvent.objects.filter(action="accounts.user.sign_in_failed").order_by("id")
    assert (known.object_id, known.actor_id) == (str(officer.pk), None)
    assert orjson.loads(known.after)["address"] == "10.1.2.3"
    assert unknown.object_label == "未知登录名"
    assert "my-secret-password" not in unknown.after + unknown.object_id


@pytest.mark.parametrize("username", ["officer", "nobody"])
def test_too_many_attempts_lock_the_name_out_from_that_address(officer, username):
    client = Client(REMOTE_ADDR="10.1.2.3")
    for _ in range(4):
        assert attempt(client, username=username, password="wrong").status_code == 422
    locked = attempt(client, username=username, password="wrong")
    assert locked.status_code == 429
    assert "请在 15 分钟后再试" in text(locked)
    assert int(locked["Retry-After"]) == 15 * 60
    assert attempt(client, username=username, password=PASSWORD).status_code == 429
    assert attempt(Client(REMOTE_ADDR="10.9.9.9"), password=PASSWORD).status_code == 302
    assert actions() == [*["sign_in_failed"] * 5, "lock_out", "sign_in"], "one row says it"


def test_the_time_told_is_the_time(officer):
    client = Client()
    for _ in range(5):
        attempt(client, password="wrong")
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=10))
    for _ in range(3):
        assert "请在 5 分钟后再试" in text(attempt(client)), "asking again does not put it off"
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=15, seconds=1))
    assert attempt(client).status_code == 302


def test_success_forgets_the_failures_before_it(officer):
    client = Client()
    for _ in range(4):
        attempt(client, password="wrong")
    attempt(client)
    client.post("/console/sign-out/")
    for _ in range(4):
        assert attempt(client, password="wrong").status_code == 422


def test_signing_out_is_a_post_and_ends_the_session(officer):
    client = Client()
    attempt(client)
    assert client.get("/console/sign-out/").status_code == 405
    key = client.session.session_key
    assert client.post("/console/sign-out/")["Location"] == SIGN_IN
    assert not Session.objects.filter(session_key=key).exists()
    assert client.get(INSIDE).status_code == 302
    assert actions() == ["sign_in", "sign_out"]


def test_a_sign_in_needs_its_csrf_token(officer):
    assert attempt(Client(enforce_csrf_checks=True)).status_code == 403


@pytest.mark.parametrize("missing", ["username", "password"])
def test_an_empty_box_is_named(officer, missing):
    answer = attempt(Client(), **{missing: ""})
    assert answer.status_code == 422
    assert f"#id_{missing}" in answer.content.decode()
    assert not AuditEvent.objects.filter(action__contains="sign_in").exists()


@pytest.mark.parametrize("username", ["a\0b", "長" * 64, "x" * 5000, "'; DROP TABLE"])
def test_strange_names_are_only_wrong(officer, username):
    assert attempt(Client(), username=username).status_code == 422


# The clock


def wind(monkeypatch, seconds: int) -> None:
    real = time.time
    monkeypatch.setattr("accounts.middleware.time.time", lambda: real() + seconds)


def test_an_idle_session_ends_and_says_why(officer, settings, monkeypatch):
    client = Client()
    attempt(client)
    wind(monkeypatch, settings.SESSION_IDLE_SECONDS - 5)
    assert client.get(INSIDE).status_code == 200
    monkeypatch.undo()
    wind(monkeypatch, 2 * settings.SESSION_IDLE_SECONDS)
    answer = client.get(INSIDE)
    assert (answer.status_code, answer["Location"]) == (302, f"{SIGN_IN}?next={INSIDE}")
    assert "您已超过 30 分钟没有操作" in text(client.get(answer["Location"]))
    row = AuditEvent.objects.get(action="accounts.user.sign_out")
    assert row.reason == "您已超过 30 分钟没有操作"


def test_use_keeps_a_session_alive_but_not_for_ever(officer, settings, monkeypatch):
    client = Client()
    attempt(client)
    step = settings.SESSION_IDLE_SECONDS - 60
    for turn in range(1, settings.SESSION_MAX_SECONDS // step + 1):
        monkeypatch.undo()
        wind(monkeypatch, turn * step)
        assert client.get(INSIDE).status_code == 200
    monkeypatch.undo()
    wind(monkeypatch, settings.SESSION_MAX_SECONDS + 1)
    answer = client.get(INSIDE)
    assert answer.status_code == 302
    assert "本次登录已满 8 小时" in text(client.get(answer["Location"]))


def test_a_page_that_asks_by_itself_keeps_nobody_signed_in(officer, settings, monkeypatch):
    client = Client()
    attempt(client)
    wind(monkeypatch, settings.SESSION_IDLE_SECONDS - 60)
    assert client.get(INSIDE, headers={"X-Poll": "1"}).status_code == 200
    monkeypatch.undo()
    wind(monkeypatch, settings.SESSION_IDLE_SECONDS + 1)
    assert client.get(INSIDE).status_code == 302


def test_a_session_that_does_not_know_its_age_is_over(officer):
    client = Client()
    attempt(client)
    session = client.session
    del session["signed_in_at"]
    session.save()
    assert client.get(INSIDE).status_code == 302


def test_the_api_answers_an_ended_session_with_401(officer, settings, monkeypatch):
    client = Client()
    attempt(client)
    wind(monkeypatch, settings.SESSION_MAX_SECONDS + 1)
    assert client.get("/api/v1/areas/").status_code == 401


# The password


def change(client: Client, present=PASSWORD, password="xin-mi-ma-2026", again=None):
    data = {"present": present, "password": password, "again": again or password}
    return client.post("/console/account/password/", data)


def test_a_new_password_ends_the_other_sessions_and_renews_this_one(officer):
    here, there = Client(), Client()
    attempt(here)
    attempt(there)
    key = here.session.session_key
    assert change(here).status_code == 302
    assert here.session.session_key != key
    assert here.get(INSIDE).status_code == 200
    assert there.get(INSIDE).status_code == 302
    assert attempt(Client()).status_code == 422
    assert attempt(Client(), password="xin-mi-ma-2026").status_code == 302
    assert "change_password" in actions()


@pytest.mark.parametrize(
    ("change_of", "field"),
    [
        ({"present": "wrong"}, "present"),
        ({"password": PASSWORD}, "password"),
        ({"password": "short-1"}, "password"),
        ({"password": "officer-1234"}, "password"),
        ({"again": "something-else-1"}, "again"),
    ],
)
def test_a_password_that_cannot_be_is_named_at_its_field(officer, change_of, field):
    client = Client()
    attempt(client)
    answer = change(client, **change_of)
    assert answer.status_code == 422
    assert f'href="#id_{field}"' in answer.content.decode()
    assert User.objects.get(pk=officer.pk).check_password(PASSWORD)


def test_a_first_password_opens_nothing_but_its_own_change(officer):
    User.objects.filter(pk=officer.pk).update(must_change_password=True)
    client = Client()
    attempt(client)
    answer = client.get("/console/orgs/units/?kind=bank")
    assert answer["Location"].startswith(
        "/console/account/password/?next=%2Fconsole%2Forgs%2Funits"
    )
    assert client.get(INSIDE).status_code == 302
    api = client.get("/api/v1/units/")
    assert (api.status_code, api.json()["detail"]) == (403, "请先修改初始密码。")
    htmx = client.get("/console/orgs/units/", headers={"HX-Request": "true"})
    assert htmx["HX-Redirect"].startswith("/console/account/password/")
    assert client.post("/console/sign-out/").status_code == 302
    attempt(client)
    assert change(client).status_code == 302
    assert client.get("/console/orgs/units/").status_code == 200
