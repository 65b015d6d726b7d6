"""Several writers at once, on PostgreSQL: the lock, the held places, and who gives way."""

from __future__ import annotations

import random
import threading
import time
from contextlib import suppress

import pytest
from django.db import connection, transaction

from core import audit_check
from core.errors import Conflict, Refused
from orgs.actions.tree import create_area, lock, move_area, rename_area, retire_area
from orgs.actions.tree.checks import faults
from orgs.models import Area, Unit
from tests.factories.orgs import credit_code, small_city, unit
from tests.processes import parallel

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def change_at_random(seed: int, steps: int) -> None:
    """Random changes and facts, from instances read at the start and never again. Refusals are
    part of life; anything else is an error."""
    dice = random.Random(seed)
    stale = {kind: list(Area.objects.filter(kind=kind)) for kind in ("street", "community", "grid")}

    def create():
        parent = dice.choice(stale["community"])
        code = f"{parent.code}{dice.randint(2, 60):03d}"
        create_area(kind="grid", code=code, name="新网格", parent=parent, by=None)

    def move():
        kind, above = dice.choice([("community", "street"), ("grid", "community")])
        move_area(area=dice.choice(stale[kind]), parent=dice.choice(stale[above]), by=None)

    def rename():
        rename_area(area=dice.choice(stale["community"]), name=f"社区{dice.random()}", by=None)

    def retire():
        area, heir = dice.sample(stale["grid"], 2)
        retire_area(area=area, successor=heir, by=None)

    def record():
        code = credit_code(seed * 1000 + dice.randint(0, 999))
        where = {"area": dice.choice(stale["grid"]), "name": f"单位{code}", "kind": "other"}
        Unit.objects.get_or_create(credit_code=code, defaults=where)

    for _ in range(steps):
        deed = dice.choices([create, move, rename, retire, record], [3, 6, 1, 1, 6])[0]
        with suppress(Refused):
            deed()


class Running(threading.Thread):
    """A thread with a connection of its own; `result()` raises what it raised."""

    def __init__(self, function) -> None:
        super().__init__(daemon=True)
        self.function, self.error = function, None
        self.start()

    def run(self) -> None:
        try:
            self.function()
        except BaseException as error:  # noqa: BLE001 - handed to the test's own thread
            self.error = error
        finally:
            connection.close()

    def result(self) -> None:
        self.join(60)
        assert not self.is_alive(), "still waiting after a minute"
        if self.error:
            raise self.error


def until_somebody_waits_for_a_lock() -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")  # kept for the transaction else
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity "
                "WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0]:
                return
    raise AssertionError("nobody came to wait")


def test_processes_that_change_the_tree_at_once_leave_it_whole():
    place = small_city()
    for area in Area.objects.filter(kind="grid"):
        unit(area)
    for done in parallel(change_at_random, [(seed, 40) for seed in (1, 2, 3)]):
        done.result()
    assert Area.objects.under(place.city).count() > 23
    assert Unit.objects.count() > 40
    assert list(faults()) == []
    assert list(audit_check.verify()) == []


def test_a_fact_recorded_during_a_move_gets_the_new_stamps():
    place = small_city()
    recorded = []

    def record():
        recorded.append(unit(place.community))

    with transaction.atomic():
        move_area(area=place.community, parent=place.other_street, by=None)
        writer = Running(record)
        until_somebody_waits_for_a_lock()
    writer.result()
    assert recorded[0].street_id == place.other_street.pk
    assert list(faults()) == []


def test_a_move_during_the_recording_of_a_fact_waits_and_restamps_it():
    place = small_city()
    with transaction.atomic():
        fact = unit(place.community)
        mover = Running(lambda: move_area(area=place.community, parent=place.other_street, by=None))
        until_somebody_waits_for_a_lock()
    mover.result()
    fact.refresh_from_db()
    assert fact.street_id == place.other_street.pk
    assert list(faults()) == []


def test_where_a_move_and_a_fact_cross_the_move_gives_way():
    """The writer has locked a fact and then wants the place; the move has the place and then
    wants the fact."""
    place = small_city()
    first = unit(place.community)
    with transaction.atomic():
        Unit.objects.select_for_update().get(pk=first.pk)
        mover = Running(lambda: move_area(area=place.community, parent=place.other_street, by=None))
        until_somebody_waits_for_a_lock()
        second = unit(place.community)
    mover.result()
    for fact in (first, second):
        fact.refresh_from_db()
        assert fact.street_id == place.other_street.pk
    assert list(faults()) == []


def test_a_move_that_never_gets_through_says_so(monkeypatch):
    monkeypatch.setattr(lock, "_PATIENCE_MS", 20)
    place = small_city()
    with transaction.atomic():
        unit(place.community)
        mover = Running(lambda: move_area(area=place.community, parent=place.other_street, by=None))
        with pytest.raises(Conflict, match="请过几分钟再试"):
            mover.result()
    assert Area.objects.get(pk=place.community.pk).street_id == place.street.pk


def test_the_patience_of_a_tree_write_ends_with_it():
    place = small_city()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '7s'")
        create_area(kind="community", code="379901001003", name="甲", parent=place.street, by=None)
        cursor.execute("SELECT current_setting('lock_timeout')")
        assert cursor.fetchone()[0] == "7s"
