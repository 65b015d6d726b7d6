"""The pages of accounts, grants and the audit log."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.actions.users import update_user
from accounts.models import Grant, User
from accounts.tasks import VERIFY, verify_nightly
from core import jobs, triggers
from core.models import AuditEvent, Job, Notification
from tests.accounts.test_sign_in import attempt, text
from tests.factories.accounts import person
from tests.factories.orgs import small_city, unit

pytestmark = pytest.mark.django_db
USERS, GRANTS, AUDIT = "/console/users/", "/console/grants/", "/console/audit/"


def at(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def place():
    return small_city()


@pytest.fixture
def officer(place):
    return person("street_officer", place.street, name="王干部", username="wang")


@pytest.fixture
def admin():
    return at(person("system_admin"))


@pytest.fixture
def security():
    return at(person("security_admin"))


@pytest.fixture
def auditor():
    return at(person("security_auditor"))


def test_an_account_is_opened_and_its_password_shown_once(admin):
    answer = admin.post(f"{USERS}add/", {"username": "Li.Lei", "name": "李雷", "email": ""})
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    password = re.search(r"<code>([a-z2-9-]{19})</code>", answer.content.decode()).group(1)
    user = User.objects.get(username="li.lei")
    assert password not in admin.get(user.get_absolute_url()).content.decode()
    client = Client()
    assert attempt(client, username="li.lei", password=password).status_code == 302
    assert client.get("/console/account/")["Location"].startswith("/console/account/password/")


def test_what_is_wrong_with_a_new_account_stays_in_the_form(admin, officer):
    answer = admin.post(f"{USERS}add/", {"username": "wang", "name": "王五", "email": "x"})
    assert answer.status_code == 422
    answer = admin.post(f"{USERS}add/", {"username": "wang", "name": "王五"})
    assert answer.status_code == 422
    assert 'value="王五"' in answer.content.decode()
    assert 'href="#id_username"' in answer.content.decode()


def test_the_list_of_accounts_shows_roles_and_filters(admin, officer, place):
    person("grid_worker", place.grid, name="离岗者", is_active=False)
    shown = text(admin.get(USERS))
    assert "王干部" in shown
    assert "街道干部（11号街道）" in shown
    assert "离岗者" not in text(admin.get(f"{USERS}?is_active=true"))
    assert "王干部" not in text(admin.get(f"{USERS}?role=grid_worker"))
    assert "王干部" in text(admin.get(f"{USERS}?q=wang"))


def test_an_account_is_changed_reset_closed_and_opened(admin, officer):
    page = officer.get_absolute_url()
    form = admin.get(f"{page}edit/").content.decode()
    version = re.search(r'name="_version" value="([^"]*)"', form).group(1)
    changed = admin.post(f"{page}edit/", {"name": "王新", "email": "", "_version": version})
    assert changed["Location"] == page
    for step, data, seen in (
        ("password/", {}, "初始密码"),
        ("deactivate/", {"reason": "调离"}, "账号已停用"),
        ("activate/", {"reason": "返岗"}, "账号已启用"),
    ):
        form = admin.get(f"{page}{step}").content.decode()
        version = re.search(r'name="_version" value="([^"]*)"', form).group(1)
        answer = admin.post(f"{page}{step}", {**data, "_version": version}, follow=True)
        assert seen in text(answer), step
    assert "王新" in text(admin.get(page))


def test_each_duty_sees_its_own_buttons(admin, security, auditor, officer):
    page = officer.get_absolute_url()
    assert "重设密码" in text(admin.get(page))
    assert "解除动态口令" not in text(admin.get(page))
    assert "解除动态口令" in text(security.get(page))
    assert "重设密码" not in text(security.get(page))
    assert "授权" in text(auditor.get(page))
    assert "停用" not in text(auditor.get(page)).replace("停用 启用", "")
    assert at(officer).get(page).status_code == 200, "one's own"
    assert at(officer).get(f"{page}edit/").status_code == 403
    assert at(officer).get(USERS).status_code == 403


def test_a_grant_is_given_and_taken_back(security, place, officer):
    bank = unit(place.community, name="某银行")
    data = {"user": "WANG", "role": "community_worker", "starts_on": timezone.localdate()}
    answer = security.post(f"{GRANTS}add/", {**data, "area": place.community.code})
    grant = Grant.objects.get(role="community_worker")
    assert answer["Location"] == grant.get_absolute_url()
    assert "王干部" in text(security.get(GRANTS))
    form = security.get(f"{grant.get_absolute_url()}end/").content.decode()
    version = re.search(r'name="_version" value="([^"]*)"', form).group(1)
    ended = security.post(
        f"{grant.get_absolute_url()}end/", {"reason": "轮岗", "_version": version}, follow=True
    )
    assert "已收回" in text(ended)
    assert "王干部" in text(security.get(f"{GRANTS}?state=revoked"))
    liaison = {**data, "role": "unit_liaison", "unit": bank.credit_code}
    assert security.post(f"{GRANTS}add/", liaison).status_code == 302
    assert officer.grants.filter(unit=bank).exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"user": "nobody"}, "user"),
        ({"area": ""}, "area"),
        ({"area": "没有的地方"}, "area"),
        ({"unit": "没有的单位"}, "unit"),
        ({"role": "king"}, "role"),
        ({"role": "security_auditor", "area": ""}, "role"),
        ({"ends_on": "2020-01-01"}, "ends_on"),
        ({"starts_on": "2026-02-30"}, "starts_on"),
    ],
)
def test_what_is_wrong_with_a_grant_is_named_at_its_field(security, place, officer, change, field):
    data = {
        "user": "wang",
        "role": "grid_worker",
        "area": place.grid.code,
        "starts_on": timezone.localdate(),
    }
    answer = security.post(f"{GRANTS}add/", data | change)
    assert answer.status_code == 422
    assert f'href="#id_{field}"' in answer.content.decode()
    assert officer.grants.count() == 1


def test_the_page_of_an_account_leads_to_its_grant(security, officer):
    shown = security.get(f"{officer.get_absolute_url()}grant/").content.decode()
    assert 'value="wang"' in shown


def test_the_auditor_finds_what_was_done_by_whom_to_what_and_when(auditor, officer):
    by = person("system_admin", name="李管理")
    update_user(user=officer, by=by, name="王改名")
    event = AuditEvent.objects.get(action="accounts.user.update")
    for query in (
        "q=李管理",
        "q=王改名",
        f"object_type=accounts.user&object_id={officer.pk}",
        "action=accounts.user.update",
        f"actor_id={by.pk}",
        f"at_after={timezone.localdate()}&at_before={timezone.localdate()}",
    ):
        assert "accounts.user.update" in text(auditor.get(f"{AUDIT}?{query}")), query
    assert "accounts.user.update" not in text(auditor.get(f"{AUDIT}?at_before=2020-01-01"))
    shown = text(auditor.get(f"{AUDIT}{event.pk}/"))
    assert "王干部" in shown
    assert "王改名" in shown


@pytest.mark.parametrize("role", ["system_admin", "security_admin", "org_department"])
def test_the_log_is_the_auditors_alone(place, role):
    client = at(person(role, place.city if role == "org_department" else None))
    event = AuditEvent.objects.first()
    assert client.get(AUDIT).status_code == 403
    assert client.get(f"{AUDIT}{event.pk}/").status_code == 404
    assert client.post(f"{AUDIT}verify/").status_code == 403


def test_the_page_says_whether_the_log_is_whole(auditor, place):
    assert "还没有核对过" in text(auditor.get(AUDIT))
    assert "已开始核对" in text(auditor.post(f"{AUDIT}verify/", follow=True))
    assert "正在进行" in text(auditor.post(f"{AUDIT}verify/", follow=True))
    jobs.execute(Job.objects.get(kind=VERIFY).pk)
    assert f"日志完好。共核对 {AuditEvent.objects.count()} 条记录" in text(auditor.get(AUDIT))


def test_a_broken_log_is_told_to_the_auditors(auditor, place):
    verify_nightly()
    triggers.drop(connection)
    AuditEvent.objects.filter(pk=AuditEvent.objects.first().pk).update(reason="x")
    triggers.create(connection)
    jobs.execute(Job.objects.get(kind=VERIFY).pk)
    assert "内容被改动" in text(auditor.get(AUDIT))
    told = Notification.objects.get(kind="audit.broken")
    assert told.user.grants.get().role == "security_auditor"
