"""Reads on a real streaming standby of the suite's own server: where they go, and when not."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.conf import settings
from django.db import connection, connections, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.enums import Role
from core import replica
from core.models import Job
from portal import kept, places
from scripts.replicas import Standby, standby_of
from services.models import Item
from tests.core.browsing import signed_in
from tests.factories import services as make
from tests.factories.accounts import person
from tests.factories.orgs import small_city
from tests.fixtures_services import database_url

STANDBY = replica.STANDBY
pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True, databases=["default", STANDBY]),
]


@contextmanager
def attached() -> Iterator[Standby]:
    """A standby of the suite's server under its alias, which flushes and migrations pass over."""
    with standby_of(database_url()) as running:
        connections.settings[STANDBY] = {
            **connection.settings_dict,
            "PORT": running.port,
            "TEST": {**connection.settings_dict["TEST"], "MIRROR": "default"},
        }
        try:
            yield running
        finally:
            connections[STANDBY].close()
            del connections[STANDBY], connections.settings[STANDBY]


@pytest.fixture(scope="module")
def standby(django_db_setup) -> Iterator[Standby]:
    with attached() as running:
        yield running


@pytest.fixture(autouse=True)
def _routed(standby, settings, monkeypatch):
    settings.DATABASE_ROUTERS = ["core.replica.Router"]
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "core.replica.StandbyReads"]
    settings.REPLICA_MAX_LAG = 3600  # a slow machine is no lag; the test of lag sets its own
    look_anew(monkeypatch)


@pytest.fixture
def place(_routed):
    return small_city()


def look_anew(monkeypatch) -> None:
    """As a process that has just started."""
    monkeypatch.setattr(replica, "WATCH", replica.Watch())


def _one(alias: str, sql: str):
    with connections[alias].cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def catch_up() -> None:
    """Wait until the standby shows whatever was committed here."""
    with transaction.atomic():  # the suite's server commits lazily; this one takes all before along
        _one("default", "SELECT set_config('synchronous_commit', 'on', true)")
        _one("default", "SELECT pg_logical_emit_message(true, 'suite', '')")
    position = _one("default", "SELECT pg_current_wal_lsn() - '0/0'")
    wait_until(lambda: _one(STANDBY, "SELECT pg_last_wal_replay_lsn() - '0/0'") >= position)


def wait_until(true: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)


def read_there() -> None:
    """Wait until this process reads from the standby whatever was committed here.

    Its replaying is not enough: beside a suite that writes without end, the first look may find the
    primary a step ahead, and the standby is then held to be stale for a second.
    """
    catch_up()
    wait_until(replica.WATCH.fresh)


@contextmanager
def asked() -> Iterator[tuple[list, list]]:
    """The queries that the primary and the standby get, without the looks at their positions."""
    found: tuple[list, list] = ([], [])
    with (
        CaptureQueriesContext(connection) as ours,
        CaptureQueriesContext(connections[STANDBY]) as theirs,
    ):
        yield found
    for into, captured in zip(found, (ours, theirs), strict=True):
        into += [q["sql"] for q in captured.captured_queries if "wal" not in q["sql"]]


@contextmanager
def standing_still() -> Iterator[None]:
    """The standby replays nothing meanwhile."""
    _one(STANDBY, "SELECT pg_wal_replay_pause()")
    wait_until(lambda: _one(STANDBY, "SELECT pg_get_wal_replay_pause_state()") == "paused")
    try:
        yield
    finally:
        _one(STANDBY, "SELECT pg_wal_replay_resume()")


def title_shown(client: Client, item: Item, *titles: str) -> str:
    page = client.get(reverse("portal:item", args=[item.number])).content.decode()
    return next(title for title in titles if title in page)


def test_residents_and_reports_read_there_and_the_console_does_not(place):
    item = make.item(place.community)
    resident, staff = Client(), signed_in(person(Role.ORG_DEPARTMENT, place.city))
    read_there()
    with asked() as (primary, standby):
        assert resident.get(reverse("portal:item", args=[item.number])).status_code == 200
    assert (len(primary), len(standby) > 1) == (0, True), primary
    read_there()
    with asked() as (primary, standby):
        assert staff.get(reverse("reports:overview")).status_code == 200
    assert standby
    assert not [sql for sql in standby if 'FROM "accounts_' in sql or 'FROM "django_s' in sql]
    assert not [sql for sql in primary if 'FROM "services_' in sql]
    with asked() as (primary, standby):
        assert staff.get(reverse("services:items")).status_code == 200
    assert (len(primary) > 1, standby) == (True, [])


def test_who_wrote_sees_it_at_once_and_others_when_the_standby_does(place):
    item = make.item(place.community, title="旧的名称")
    read_there()
    resident, writer = Client(), signed_in(make.worker(place.community))
    with standing_still():
        Item.objects.filter(pk=item.pk).update(title="新的名称")
        wait_until(lambda: title_shown(resident, item, "旧的名称", "新的名称") == "旧的名称")
        assert replica.COOKIE not in resident.cookies
        assert writer.post(reverse("console:theme"), {"theme": "dark"}).status_code < 400
        assert writer.cookies[replica.COOKIE]["max-age"] >= settings.REPLICA_MAX_LAG + 2
        assert title_shown(writer, item, "旧的名称", "新的名称") == "新的名称"


def test_a_question_in_ready_words_is_asked_wherever_is_read_now(place, monkeypatch):
    """Its words were made in a process's first request, which the standby answered."""
    for prepared in (places._standing, places._coded):
        monkeypatch.setattr(prepared, "_plans", {})
    address = reverse("portal:community", args=[place.community.code])
    named = 'FROM "orgs_area"'
    read_there()
    with asked() as (primary, standby):
        assert Client().get(address).status_code == 200
    assert [any(named in sql for sql in own) for own in (primary, standby)] == [False, True]
    with asked() as (primary, standby):
        assert Client(headers={"Cookie": f"{replica.COOKIE}=1"}).get(address).status_code == 200
    assert [any(named in sql for sql in own) for own in (primary, standby)] == [True, False]


def test_a_page_that_is_kept_for_all_is_read_from_the_primary(place, settings):
    settings.PORTAL_PAGES_KEPT_SECONDS = 60
    item = make.item(place.community, title="旧的名称")
    read_there()
    with standing_still():
        Item.objects.filter(pk=item.pk).update(title="新的名称")
        assert title_shown(Client(), item, "旧的名称", "新的名称") == "新的名称"
    kept.PAGES.clear()


def test_a_standby_that_lags_is_not_read(place, settings, monkeypatch):
    item = make.item(place.community, title="旧的名称")
    read_there()
    with standing_still():
        Item.objects.filter(pk=item.pk).update(title="新的名称")
        wait_until(lambda: title_shown(Client(), item, "旧的名称", "新的名称") == "旧的名称")
        settings.REPLICA_MAX_LAG = 0.5
        wait_until(lambda: title_shown(Client(), item, "旧的名称", "新的名称") == "新的名称")
    settings.REPLICA_MAX_LAG = 3600
    look_anew(monkeypatch)
    read_there()
    with asked() as (primary, _standby):
        title_shown(Client(), item, "新的名称")
    assert not primary


def test_a_standby_lost_under_a_request_costs_nobody_an_answer(place, standby, monkeypatch):
    item = make.item(place.community, title="照常显示")
    read_there()
    known = replica.WATCH
    standby.stop()
    try:
        known._due = float("inf")  # whatever the machine's pace: the request meets the loss itself
        known._asked = time.monotonic()
        assert title_shown(Client(), item, "照常显示")
        assert known._fresh is False
        look_anew(monkeypatch)
        assert title_shown(Client(), item, "照常显示")
        assert not replica.WATCH._fresh
    finally:
        standby.start()
    look_anew(monkeypatch)
    read_there()  # it answers before it has replayed what was written meanwhile
    with asked() as (primary, _standby):
        assert title_shown(Client(), item, "照常显示")
    assert not primary


def test_transactions_locks_and_who_one_is_stay_with_the_primary(place):
    user = person(Role.ORG_DEPARTMENT, place.city)
    turn = replica._Turn(standby=True)
    token = replica._turn.set(turn)
    try:
        assert Item.objects.all().db == STANDBY
        assert type(user).objects.all().db == "default"
        assert Item.objects.select_for_update().db == "default"
        assert (turn.wrote, Item.objects.all().db) == (True, "default")
        turn.standby = True
        with transaction.atomic():
            assert Item.objects.all().db == "default"
        assert Item.objects.all().db == "default", "it may rest on what was read in there"
    finally:
        replica._turn.reset(token)
    assert Item.objects.all().db == "default", "a job, a command"


def test_who_sees_a_job_end_sees_its_work(place):
    admin = person(Role.SYSTEM_ADMIN)
    client = signed_in(admin)
    job = Job.objects.create(kind="x", title="x", queue="sheets", owner=admin)
    client.get(reverse("core:job", args=[job.pk]))
    assert replica.COOKIE not in client.cookies
    Job.objects.filter(pk=job.pk).update(state="done", finished_at=timezone.now())
    client.get(reverse("core:job", args=[job.pk]))
    assert replica.COOKIE in client.cookies


def test_a_promoted_standby_is_left_alone(place, standby, monkeypatch):
    item = make.item(place.community, title="只在主库")
    connections[STANDBY].close()
    kept = connections.settings[STANDBY]
    with standby_of(database_url()) as other:
        connections[STANDBY].settings_dict["PORT"] = other.port
        try:
            read_there()
            other.promote()
            look_anew(monkeypatch)
            with asked() as (_primary, there):
                assert title_shown(Client(), item, "只在主库")
            assert not there
        finally:
            connections[STANDBY].close()
            connections[STANDBY].settings_dict["PORT"] = standby.port
    assert connections.settings[STANDBY] is kept
