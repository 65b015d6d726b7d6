"""Whoever writes must mean it, and whoever lost a right has lost it with the next request."""

from __future__ import annotations

import re
from http.cookies import SimpleCookie

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.actions.grants import end_grant
from accounts.enums import Role
from config.settings import base
from core.enums import JobState
from core.exports import order_export
from core.jobs import execute
from core.models import Job
from orgs.models import Unit
from orgs.sheets import UnitRegister
from tests.factories.accounts import person
from tests.factories.rows import World
from tests.guards.asking import Visitor
from tests.guards.declared import LET_IN, Address, addresses
from tests.guards.project import routes
from tests.guards.test_addresses import open_addresses, requests
from tests.ops.settings_process import GOOD, manage

pytestmark = pytest.mark.django_db
UNSAFE = ("post", "delete")
# Addresses that take a write without the token of the session, and what permits it instead.
NO_TOKEN = {"console:draft-save": "the form's own signed token, which outlasts the session"}


@pytest.fixture(scope="module")
def walked(world: World) -> list[Address]:
    return addresses(world)


def test_nothing_is_written_without_the_token_of_the_session(world, walked):
    """By nobody, whatever their role: another site's page cannot have somebody's browser do it."""
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(world.people[Role.COMMUNITY_WORKER])
    cookies = {name: morsel.value for name, morsel in client.cookies.items()}
    urls = {address.route.name: address.url for address in walked}
    urls |= dict(open_addresses(world))
    wrong = []
    with CaptureQueriesContext(connection) as captured:
        for name, url in urls.items():
            for method in UNSAFE:
                if name in NO_TOKEN:
                    continue
                client.cookies = SimpleCookie(cookies)
                answer = getattr(client, method)(url, data={}, content_type="application/json")
                if answer.status_code not in (403, 405):
                    wrong.append(f"{name}: {method} answers {answer.status_code}")
    assert not wrong, "\n".join(wrong)
    written = [q["sql"] for q in captured if _writes(q["sql"])]
    assert not written, written
    assert set(NO_TOKEN) <= {route.name for route in routes()}


def _writes(sql: str) -> bool:
    return bool(re.match(r"(INSERT|UPDATE|DELETE)", sql.lstrip()))


# What looking writes, and why that is no deed.
LOOKS_WRITE = {
    "accounts:enrol": "the authenticator that is being bound, the asker's own",
    "core:message": "that it was read",
}


def test_looking_changes_nothing(world, walked):
    """A GET needs no token, so it must do nothing: a link in a mail is enough to have it made."""
    visitors = {role: Visitor(user) for role, user in world.people.items()}
    wrote = {}
    for address, method in requests(walked):
        role = next(
            (r for r, u in world.people.items() if address.promised(u, "get") == LET_IN), None
        )
        if method != "get" or role is None:
            continue
        with CaptureQueriesContext(connection) as captured:
            visitors[role].ask("get", address.url)
        if found := [q["sql"] for q in captured if _writes(q["sql"])]:
            wrote[address.route.name] = found[0][:200]
    assert set(wrote) - set(LOOKS_WRITE) == set(), wrote
    assert set(LOOKS_WRITE) - set(wrote) == set(), "writes nothing: take the reason away"


# A right that ends


def test_a_grant_that_ends_is_gone_from_page_api_job_and_file_at_once(world, settings):
    settings.JOB_HEARTBEAT_SECONDS = 600  # another connection does not see the row of this test
    place = world.place
    officer, security = person(Role.STREET_OFFICER, place.street), person(Role.SECURITY_ADMIN)
    client = Client()
    client.force_login(officer)
    unit = Unit.objects.filter(area=place.community).first()
    what = UnitRegister()
    done = order_export(what, by=officer, asked=what.read({}, officer))
    execute(done.pk)
    file = reverse("core:job-result", args=[done.pk])
    assert Job.objects.get(pk=done.pk).state == JobState.DONE
    answer = client.get(file)
    assert (answer.status_code, len(answer.getvalue()) > 1000) == (200, True)
    waiting = order_export(what, by=officer, asked=what.read({}, officer), suffix="csv")
    key = client.session.session_key
    end_grant(grant=officer.grants.get(), by=security, reason="调离")
    assert client.get(unit.get_absolute_url()).status_code == 404
    assert client.get(reverse("orgs:units")).status_code == 403
    assert client.get(f"/api/v1/units/{unit.pk}/").status_code == 404
    assert client.get("/api/v1/units/").status_code == 403
    assert client.post(reverse("orgs:unit-add"), {"name": "x"}).status_code == 403
    assert client.get(file).status_code == 403, "a file that was made before is kept back too"
    execute(waiting.pk)
    waiting = Job.objects.get(pk=waiting.pk)
    assert (waiting.state, waiting.result_path) == (JobState.FAILED, ""), "a job asks again"
    assert client.session.session_key == key, "the session stands; it reaches nothing"


def test_a_closed_account_is_out_with_its_next_request(world):
    officer = person(Role.STREET_OFFICER, world.place.street)
    client = Client()
    client.force_login(officer)
    assert client.get(reverse("orgs:units")).status_code == 200
    officer.is_active = False
    officer.save()
    assert client.get(reverse("orgs:units")).status_code == 302
    assert client.get("/api/v1/units/").status_code == 401


# Cookies


def test_cookies_are_kept_from_scripts_other_sites_and_plain_http(tmp_path):
    """As production sends them, asked of a process of its own."""
    names = ("SESSION_COOKIE", "CSRF_COOKIE")
    flags = ("SECURE", "HTTPONLY", "SAMESITE")
    wanted = ", ".join(f"'{n}_{f}'" for n in names for f in flags)
    code = f"from django.conf import settings as s; print([getattr(s, n) for n in ({wanted})])"
    done = manage("shell", "--no-imports", "-c", code, **GOOD, ALLIANCE_VAR=str(tmp_path))
    assert done.stdout.strip() == str([True, True, "Lax"] * 2), done.stderr
    assert base.SESSION_EXPIRE_AT_BROWSER_CLOSE
    assert base.SESSION_IDLE_SECONDS < base.SESSION_MAX_SECONDS <= 8 * 3600


def test_every_cookie_that_is_set_is_kept_so(world, settings):
    """Also those that hold no secret: the theme, the keys, a resident's community and version."""
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    client = Client()
    client.force_login(world.people[Role.COMMUNITY_WORKER])
    code = world.place.community.code
    client.post(reverse("console:theme"), {"theme": "dark"}, secure=True)
    client.post(reverse("console:keys"), {"keys": "off"}, secure=True)
    client.get(reverse("portal:community", args=[code]), secure=True)
    client.get(reverse("portal:elder"), {"on": "1"}, secure=True)
    client.get(reverse("accounts:sign-in"), secure=True)
    cookies = {n: c for n, c in client.cookies.items() if c.value and n != "sessionid"}
    assert {"theme", "keys", "community", "elder"} <= set(cookies)
    open_ones = [n for n, c in cookies.items() if not (c["secure"] and c["httponly"])]
    assert not open_ones
