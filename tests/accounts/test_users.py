"""Accounts: opened, changed, closed, and never one's own."""

from __future__ import annotations

import orjson
import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client

from accounts.actions.users import (
    activate,
    create_user,
    deactivate,
    reset_password,
    update_user,
)
from accounts.models import User
from core.errors import Conflict, Refused
from core.models import AuditEvent
from tests.factories.accounts import person
from tests.factories.orgs import small_city

pytestmark = pytest.mark.django_db
GOOD = "kuai-le-2026-x"


@pytest.fixture
def admin():
    return person("system_admin")


@pytest.fixture
def officer():
    return person("street_officer", small_city().street, password=GOOD)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"username": "李雷"}, "username"),
        ({"username": "a"}, "username"),
        ({"username": "-ab"}, "username"),
        ({"username": "taken"}, "username"),
        ({"username": "TAKEN"}, "username"),
        ({"name": " "}, "name"),
        ({"email": "nowhere"}, "email"),
        ({"password": "short-1"}, "password"),
        ({"password": "1234567890123"}, "password"),
        ({"password": "password123"}, "password"),
        ({"username": "lilei-zhang", "password": "lilei-zhang1"}, "password"),
    ],
)
def test_what_does_not_fit_is_named_at_its_field(admin, change, field):
    User.objects.create_user("taken", name="先到")
    given = {"username": "lilei", "name": "李雷", "password": GOOD} | change
    with pytest.raises(Refused) as refused:
        create_user(by=admin, **given)
    assert refused.value.field == field
    assert not User.objects.filter(username="lilei").exists()


def test_the_log_knows_of_the_account_but_not_of_its_password(admin):
    user = create_user(by=admin, username="lilei", name="李雷", password=GOOD)
    row = AuditEvent.objects.get(action="accounts.user.create")
    assert (row.actor_id, row.object_id) == (admin.pk, str(user.pk))
    assert orjson.loads(row.after)["password"] == "已填"
    assert GOOD not in row.after


def test_a_reset_ends_every_session_and_asks_for_a_new_password(admin, officer):
    client = Client()
    client.force_login(officer)
    assert client.get("/console/account/").status_code == 200
    reset_password(user=officer, by=admin, password="xin-mi-ma-2026")
    assert client.get("/console/account/").status_code == 302
    officer.refresh_from_db()
    assert officer.must_change_password
    assert officer.check_password("xin-mi-ma-2026")
    with pytest.raises(Refused, match="密码太短，至少要 10 位"):
        reset_password(user=officer, by=admin, password="short")


def test_a_closed_account_is_out_at_once_and_may_come_back(admin, officer):
    client = Client()
    client.force_login(officer)
    deactivate(user=officer, by=admin, reason="调离")
    assert client.get("/console/account/").status_code == 302
    with pytest.raises(Conflict, match="已经停用"):
        deactivate(user=officer, by=admin, reason="调离")
    assert activate(user=officer, by=admin, reason="返岗").is_active
    reasons = AuditEvent.objects.filter(object_type="accounts.user", reason__gt="")
    assert list(reasons.order_by("id").values_list("action", "reason")) == [
        ("accounts.user.deactivate", "调离"),
        ("accounts.user.activate", "返岗"),
    ]
    with pytest.raises(Refused, match="须填写理由"):
        deactivate(user=officer, by=admin, reason="")


def test_nobody_administers_themselves(admin):
    for deed in (
        lambda: reset_password(user=admin, by=admin, password=GOOD),
        lambda: deactivate(user=admin, by=admin, reason="x"),
        lambda: update_user(user=admin, by=admin, name="x"),
    ):
        with pytest.raises(Refused, match="自己的账号"):
            deed()


@pytest.mark.parametrize("role", ["security_admin", "security_auditor", "org_department"])
def test_only_the_system_administrator_manages_accounts(officer, role):
    other = person(role, small_city("3798").city if role == "org_department" else None)
    for deed in (
        lambda: create_user(by=other, username="x1", name="x", password=GOOD),
        lambda: reset_password(user=officer, by=other, password=GOOD),
        lambda: deactivate(user=officer, by=other, reason="x"),
        lambda: update_user(user=officer, by=other, name="x"),
        lambda: update_user(user=officer, by=officer, name="x"),
    ):
        with pytest.raises(PermissionDenied):
            deed()


def test_the_account_of_an_id_is_as_the_database_has_it(admin, officer, django_assert_num_queries):
    """It is asked for with each request, in words that are ready, and never remembered."""
    for one in (officer, admin, officer):
        with django_assert_num_queries(1):
            found = User.objects.get(pk=one.pk)
        assert (found, found.username, found.password) == (one, one.username, one.password)
    User.objects.filter(pk=officer.pk).update(name="改名", is_active=False)
    assert (User.objects.get(pk=officer.pk).name, found.name) == ("改名", officer.name)
    with pytest.raises(User.DoesNotExist):
        User.objects.get(pk=987_654_321)
    with pytest.raises(User.DoesNotExist):
        User.objects.get(pk=officer.pk, is_active=True)
    assert User.objects.get(username=admin.username) == admin
