"""The second factor: demanded where the role demands it, shown once a code, never gone round."""

from __future__ import annotations

import re
import time
from types import SimpleNamespace

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django_otp.oath import TOTP, totp
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.actions.second_factor import reset_second_factor
from accounts.models import User
from core.errors import Refused
from core.models import AuditEvent
from tests.accounts.test_sign_in import PASSWORD, attempt, text
from tests.factories.accounts import person
from tests.factories.orgs import small_city
from tests.processes import parallel

pytestmark = pytest.mark.django_db
VERIFY, ENROL = "/console/account/second-factor/", "/console/account/second-factor/enrol/"
INSIDE = "/console/account/"


NOW = time.time()  # of the device and of the server: no code runs out in mid-test


@pytest.fixture(autouse=True)
def _required(settings, monkeypatch):
    settings.SECOND_FACTOR_REQUIRED = True
    clock = SimpleNamespace(time=lambda: NOW)
    monkeypatch.setattr("django_otp.plugins.otp_totp.models.time", clock)


@pytest.fixture
def head():
    """Of an organisation department: a role that must have a second factor."""
    return person("org_department", small_city().city, username="head", password=PASSWORD)


def code_of(user: User, *, steps: int = 0) -> str:
    device = TOTPDevice.objects.filter(user=user).latest("pk")
    generator = TOTP(device.bin_key)
    generator.time = NOW + 30 * steps
    return f"{generator.token():06d}"


def signed_in(user: User) -> Client:
    client = Client()
    assert attempt(client, username=user.username).status_code == 302
    return client


def enrolled(user: User) -> tuple[Client, list[str]]:
    """A session that has enrolled, and the recovery codes it was shown."""
    client = signed_in(user)
    client.get(ENROL)
    answer = client.post(ENROL, {"token": code_of(user, steps=-1)})
    assert answer.status_code == 200, text(answer)
    return client, re.findall(r"<code>([a-z2-7]{8})</code>", answer.content.decode())


def test_a_role_that_needs_one_does_nothing_before_it_has_enrolled(head):
    client = signed_in(head)
    for address in (INSIDE, "/console/orgs/units/", "/console/"):
        answer = client.get(address)
        assert answer.status_code == 302
        assert answer["Location"].startswith(ENROL), address
    assert client.post("/console/account/recovery-codes/")["Location"].startswith(ENROL)
    api = client.get("/api/v1/units/")
    assert (api.status_code, "绑定" in api.json()["detail"]) == (403, True)
    assert client.get(VERIFY).status_code == 200
    assert client.post("/console/sign-out/").status_code == 302


def test_a_first_password_is_changed_before_a_device_is_bound(head):
    User.objects.filter(pk=head.pk).update(must_change_password=True)
    assert signed_in(head).get(INSIDE)["Location"].startswith("/console/account/password/")


def test_other_roles_may_do_without_and_may_enrol(head):
    worker = person("street_officer", head.grants.get().area, username="w", password=PASSWORD)
    assert signed_in(worker).get(INSIDE).status_code == 200
    enrolled(worker)
    assert signed_in(worker).get(INSIDE)["Location"].startswith(VERIFY), "what is bound is asked"


def test_where_it_is_not_required_it_is_not_asked(head, settings):
    settings.SECOND_FACTOR_REQUIRED = False
    assert signed_in(head).get(INSIDE).status_code == 200


def test_enrolling_shows_a_picture_and_its_secret_and_gives_ten_codes(head):
    client = signed_in(head)
    page = client.get(ENROL)
    shown = page.content.decode()
    device = TOTPDevice.objects.get(user=head)
    assert not device.confirmed
    assert "<svg" in shown
    assert "style=" not in shown, "the content policy lets no inline style through"
    secret = re.search(r"密钥：<code>([A-Z2-7 ]+)</code>", shown).group(1).replace(" ", "")
    assert f"secret={secret}" in device.config_url
    assert "no-store" in page["Cache-Control"]
    assert client.get(ENROL).content.decode().count(secret[:4]), "the same until it is confirmed"
    assert TOTPDevice.objects.count() == 1
    key = client.session.session_key
    answer = client.post(ENROL, {"token": code_of(head)})
    assert len(set(re.findall(r"<code>([a-z2-7]{8})</code>", answer.content.decode()))) == 10
    assert client.session.session_key != key, "the session goes on under a new key"
    assert client.get(INSIDE).status_code == 200
    assert AuditEvent.objects.filter(action="accounts.user.enrol_second_factor").count() == 1


@pytest.mark.parametrize("token", ["000000", "12345", "abcdef", "", "１２３４５６", "9" * 400])
def test_a_wrong_code_enrols_nothing(head, token):
    client = signed_in(head)
    client.get(ENROL)
    assert client.post(ENROL, {"token": token}).status_code == 422
    assert not TOTPDevice.objects.get(user=head).confirmed
    assert client.get(INSIDE).status_code == 302


def test_the_code_opens_the_next_session_and_only_once(head):
    enrolled(head)
    client = signed_in(head)
    answer = client.get("/console/orgs/units/?kind=bank")
    assert answer["Location"].startswith(f"{VERIFY}?next=%2Fconsole%2Forgs%2Funits")
    code = code_of(head)
    key = client.session.session_key
    passed = client.post(VERIFY, {"token": code, "next": "/console/orgs/units/"})
    assert passed["Location"] == "/console/orgs/units/"
    assert client.session.session_key != key
    assert client.get(INSIDE).status_code == 200
    thief = signed_in(head)
    refused = thief.post(VERIFY, {"token": code})
    assert refused.status_code == 422
    assert "验证码不正确或已经用过" in text(refused)
    assert thief.get(INSIDE).status_code == 302


def test_guessing_is_slowed_down(head):
    enrolled(head)
    client = signed_in(head)
    client.post(VERIFY, {"token": "000000"})
    client.post(VERIFY, {"token": "000000"})
    TOTPDevice.objects.update(throttling_failure_count=6)
    answer = client.post(VERIFY, {"token": code_of(head)})
    assert answer.status_code == 422
    assert re.search(r"请等待 (2\d|3[0-2]) 秒后再试", text(answer))
    assert AuditEvent.objects.filter(action="accounts.user.second_factor_failed").count() == 3


def test_a_recovery_code_works_once_in_place_of_the_device(head):
    _, codes = enrolled(head)
    client = signed_in(head)
    assert client.post(VERIFY, {"token": f" {codes[0].upper()} "}).status_code == 302
    assert client.get(INSIDE).status_code == 200
    assert "恢复码还剩 9 个" in text(client.get(INSIDE))
    assert signed_in(head).post(VERIFY, {"token": codes[0]}).status_code == 422


def test_the_last_codes_are_a_warning(head):
    _, codes = enrolled(head)
    StaticToken.objects.exclude(token__in=codes[:3]).delete()
    client = signed_in(head)
    client.post(VERIFY, {"token": codes[0]})
    assert "恢复码只剩 2 个" in text(client.get(INSIDE))


def test_new_recovery_codes_void_the_old_and_need_the_second_factor(head):
    client, old = enrolled(head)
    answer = client.post("/console/account/recovery-codes/")
    new = re.findall(r"<code>([a-z2-7]{8})</code>", answer.content.decode())
    assert len(new) == 10
    assert not set(new) & set(old)
    stranger = signed_in(head)
    assert stranger.post("/console/account/recovery-codes/")["Location"].startswith(VERIFY)
    assert stranger.post(VERIFY, {"token": old[0]}).status_code == 422


def test_a_password_alone_cannot_bind_another_device(head):
    enrolled(head)
    thief = signed_in(head)
    assert thief.get(ENROL)["Location"] == VERIFY
    assert thief.post(ENROL, {"token": "000000"})["Location"] == VERIFY
    assert TOTPDevice.objects.filter(user=head).count() == 1


def test_a_device_is_replaced_by_whoever_has_shown_it(head):
    client, _ = enrolled(head)
    first = TOTPDevice.objects.get(user=head)
    client.get(ENROL)
    assert client.post(ENROL, {"token": code_of(head)}).status_code == 200
    assert TOTPDevice.objects.get(user=head).pk != first.pk
    assert client.get(INSIDE).status_code == 200


def test_a_session_older_than_the_device_must_show_it(head):
    early = signed_in(head)
    enrolled(head)
    assert early.get(INSIDE)["Location"].startswith(VERIFY)


def test_the_second_factor_stays_through_a_password_change(head):
    client, _ = enrolled(head)
    data = {"present": PASSWORD, "password": "xin-mi-ma-2026", "again": "xin-mi-ma-2026"}
    assert client.post("/console/account/password/", data).status_code == 302
    assert client.get(INSIDE).status_code == 200


def test_a_lost_device_is_taken_off_by_the_security_administrator(head):
    client, codes = enrolled(head)
    for role in ("system_admin", "security_auditor"):
        with pytest.raises(PermissionDenied):
            reset_second_factor(user=head, by=person(role), reason="手机遗失")
    security = person("security_admin")
    with pytest.raises(Refused, match="须填写理由"):
        reset_second_factor(user=head, by=security, reason="")
    reset_second_factor(user=head, by=security, reason="手机遗失")
    assert client.get(INSIDE).status_code == 302, "its session has shown nothing that counts"
    again = signed_in(head)
    assert again.get(INSIDE)["Location"].startswith(ENROL)
    assert again.post(VERIFY, {"token": codes[0]}).status_code == 422
    with pytest.raises(Refused, match="没有绑定"):
        reset_second_factor(user=head, by=security, reason="手机遗失")
    with pytest.raises(Refused, match="自己的动态口令"):
        reset_second_factor(user=security, by=security, reason="x")


def verify_at_once(user_id: int, code: str) -> int:
    """In a process of its own: show the same code."""
    from django.conf import settings

    settings.SECOND_FACTOR_REQUIRED = True
    return signed_in(User.objects.get(pk=user_id)).post(VERIFY, {"token": code}).status_code


@pytest.mark.django_db(transaction=True)
def test_of_two_that_show_one_code_at_once_one_passes(head):
    enrolled(head)
    TOTPDevice.objects.update(last_t=-1, drift=0)
    # The next code: it lasts until both processes have started.
    code = f"{totp(TOTPDevice.objects.get().bin_key, t0=-30):06d}"
    futures = parallel(verify_at_once, [(head.pk, code)] * 2)
    assert sorted(future.result() for future in futures) == [302, 422]
