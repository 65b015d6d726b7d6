"""What the log and the error pages give away: neither passwords nor tokens nor numbers of people."""

from __future__ import annotations

import json
import logging.config
from typing import Any

import pytest
import structlog
from django.db import connection
from django.test import Client
from django.urls import reverse
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.enums import Role
from accounts.models import User
from core.jobs import execute
from core.models import Job
from members.models import Member
from orgs.views import units
from tests.accounts.test_sign_in import attempt, change
from tests.factories.accounts import person

pytestmark = pytest.mark.django_db
PASSWORD, NEW = "qiu-tian-de-2026", "dong-tian-de-2026"
PHONE, SPACED = "13812345678", "138 1234 5678"
NAME = "李某某"
SECRETS = (PASSWORD, NEW, PHONE, SPACED, "1234 5678", "typed-as-a-name", "wrong-pass", "cha-xun-ma")


def clean(text: str, *more: str) -> bool:
    found = [secret for secret in (*SECRETS, *more) if secret in text]
    assert not found, f"{found} in:\n{text[:3000]}"
    return True


def test_signing_in_and_changing_the_password_leave_nothing(world, log):
    user = person(Role.STREET_OFFICER, world.place.street, username="leaky", password=PASSWORD)
    client = Client()
    attempt(client, username="typed-as-a-name", password="wrong-pass")
    attempt(client, username="leaky", password="wrong-pass")
    attempt(client, username="leaky", password=PASSWORD)
    key = client.session.session_key
    change(client, present="wrong-pass", password=NEW)
    change(client, present=PASSWORD, password=NEW)
    client.get("/console/account/second-factor/enrol/")
    device = TOTPDevice.objects.get(user=user)
    client.post("/console/account/second-factor/enrol/", {"token": "918273"})
    for _ in range(6):
        attempt(Client(), username="leaky", password="wrong-pass")
    assert log().count("request_finished") > 8
    user.refresh_from_db()
    assert clean(log(), key, client.session.session_key, device.key, "918273", user.password)


def test_numbers_in_addresses_and_forms_leave_nothing(world, log):
    client = Client(raise_request_exception=False)
    client.force_login(world.people[Role.UNIT_LIAISON])
    for number in (PHONE, SPACED, f"+86{PHONE}", f"86{PHONE}"):
        client.get(reverse("members:members"), {"phone": number, "q": number})
        client.post(reverse("members:member-add"), {"phone": number, "name": number})
        client.post(
            "/api/v1/members/", json.dumps({"phone": number}), content_type="application/json"
        )
        client.get(f"/console/nowhere/{number}/")
        client.get("/nowhere/", {"secret": "cha-xun-ma", "phone": number})
        Client().post(reverse("portal:track"), {"number": number, "secret": "cha-xun-ma"})
    assert "/console/nowhere/138****5678/" in log()
    assert clean(log())


def test_a_fault_of_the_server_shows_nothing_on_the_page_or_in_the_log(world, log, monkeypatch):
    def broken(self: Any, request: Any, *args: Any, **kwargs: Any) -> None:
        phone, held = request.GET["phone"], {"password": PASSWORD}
        raise RuntimeError(f"no {phone} for {held} or token={PASSWORD}")

    monkeypatch.setattr(units.UnitList, "get", broken)
    client = Client(raise_request_exception=False)
    client.force_login(world.people[Role.STREET_OFFICER])
    page = client.get(reverse("orgs:units"), {"phone": PHONE})
    assert page.status_code == 500
    body = page.content.decode()
    assert "系统出错" in body
    assert clean(body, "RuntimeError", "Traceback", "units.py")
    assert "RuntimeError" in log()
    assert clean(log())


def test_a_row_that_the_database_refuses_is_not_quoted(world, log, monkeypatch):
    """PostgreSQL prints all of it, names, ciphers and hashes included."""
    user = User.objects.get(pk=world.people[Role.STREET_OFFICER].pk)
    user.set_password(PASSWORD)
    user.save()

    def broken(self: Any, request: Any, *args: Any, **kwargs: Any) -> None:
        User.objects.create(username=user.username, name=NAME, password=user.password)

    monkeypatch.setattr(units.UnitList, "get", broken)
    client = Client(raise_request_exception=False)
    client.force_login(user)
    assert client.get(reverse("orgs:units")).status_code == 500
    assert "IntegrityError" in log()
    if connection.vendor == "postgresql":
        assert "DETAIL:  ***" in log()
    assert clean(log(), user.password, NAME, f"({user.username})")


def test_a_job_that_fails_says_nothing_of_people(world, log):
    job = world.make("core.job")
    Job.objects.filter(pk=job.pk).update(params={"phone": PHONE, "password": PASSWORD})
    execute(job.pk)
    job.refresh_from_db()
    assert job.state == "failed"
    assert "Traceback" in log()
    assert clean(log())
    assert clean(job.error)


def test_what_is_nested_is_cleaned_too(log):
    logger = structlog.get_logger("test.nested")
    logger.warning(
        "sent",
        data={"password": PASSWORD, "rows": [{"contact": PHONE, "otp": "918273"}]},
        number=int(PHONE),
        items=(SPACED,),
        pages=3,
    )
    logging.getLogger("test.plain").warning("body %s", {"password": PASSWORD, "phone": PHONE})
    logging.getLogger("test.url").warning("GET /x?token=%s&phone=%s", PASSWORD, SPACED)
    assert clean(log(), "918273")
    assert '"pages": 3' in log()


def test_a_number_is_masked_on_every_page_of_its_member(world):
    """Shown whole to whoever asks for it with a reason, and nowhere else."""
    member = Member.objects.get(pk=world.one("members.member").pk)
    member.phone = PHONE
    member.save()
    client = Client()
    for role in Role:
        client.force_login(world.people[role])
        for url in (member.get_absolute_url(), f"/api/v1/members/{member.pk}/"):
            assert PHONE not in client.get(url).content.decode()
