"""One transition, all of it or nothing: state, right, reason, guard, row, message."""

from __future__ import annotations

import orjson
import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, transaction

from core import audit
from core.errors import Conflict, Refused
from core.models import AuditEvent
from core.transitions import MACHINES, Machine, Transition, transit
from orgs.enums import UnitState
from orgs.models import Unit
from tests.factories.accounts import person
from tests.factories.orgs import dated, small_city, unit
from tests.processes import parallel

S = UnitState


def still_owes(obj: Unit, by) -> str | None:
    return "该单位尚有未了结的需求，请先办结。" if obj.contact_name == "未了" else None


def hand_over(obj: Unit, by, *, contact: str = "") -> None:
    dated(obj, by)
    obj.contact_name = contact
    # A column that another part of the deed moves by a query of its own.
    Unit.objects.filter(pk=obj.pk).update(party_org="已移交")


def fail_late(obj: Unit, by) -> None:
    obj.contact_name = "写了一半"
    Unit.objects.filter(pk=obj.pk).update(party_org="写了一半")
    raise DatabaseError("the disk is full")


def install() -> Machine:
    """A table for this file alone, in whatever process it runs."""
    MACHINES.pop("orgs.unit", None)
    return Machine(
        "orgs.Unit",
        states=S,
        transitions=[
            Transition(
                "leave",
                "迁出",
                [S.ACTIVE],
                S.LEFT,
                perm="units.edit",
                reason=True,
                guard=still_owes,
                apply=hand_over,
            ),
            Transition(
                "back", "迁回", [S.LEFT], S.ACTIVE, perm="units.edit", system=True, apply=dated
            ),
            Transition("expire", "过期", [S.ACTIVE], S.LEFT, apply=dated),
            Transition("break", "出错", [S.ACTIVE], S.LEFT, perm="units.edit", apply=fail_late),
        ],
    )


@pytest.fixture
def machine():
    kept = dict(MACHINES)
    yield install()
    MACHINES.clear()
    MACHINES.update(kept)


@pytest.fixture
def place(db):
    return small_city()


@pytest.fixture
def bank(place, machine) -> Unit:
    return unit(place.community)


@pytest.fixture
def officer(place):
    return person("street_officer", place.street)


def test_a_transition_saves_the_state_and_writes_its_row(bank, officer):
    moved = transit(bank, "leave", by=officer, reason=" 整体搬迁 ", contact="李接手")
    assert (moved.state, moved.contact_name) == (S.LEFT, "李接手")
    stored = Unit.objects.get(pk=bank.pk)
    assert (stored.state, stored.contact_name, stored.party_org) == (S.LEFT, "李接手", "已移交")
    assert stored.updated_at > bank.updated_at
    row = audit.timeline(bank).get(action="orgs.unit.leave")
    assert (row.actor_id, row.reason) == (officer.pk, "整体搬迁")
    assert orjson.loads(row.before)["state"] == "active"
    assert orjson.loads(row.after)["state"] == "left"


def test_a_state_that_has_moved_on_is_a_conflict_that_names_it(bank, officer):
    stale = Unit.objects.get(pk=bank.pk)
    transit(bank, "leave", by=officer, reason="搬迁")
    with pytest.raises(Conflict, match=r"当前状态是“已迁出”，不能迁出.*请刷新"):
        transit(stale, "leave", by=officer, reason="搬迁")


def test_a_row_that_is_gone_is_a_conflict(bank, officer):
    stale = Unit.objects.get(pk=bank.pk)
    Unit.objects.filter(pk=bank.pk).delete()
    with pytest.raises(Conflict, match="已被删除"):
        transit(stale, "leave", by=officer, reason="搬迁")


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_a_required_reason_is_asked_for_at_its_field(bank, officer, reason):
    with pytest.raises(Refused, match="迁出须填写理由") as refused:
        transit(bank, "leave", by=officer, reason=reason)
    assert refused.value.field == "reason"
    assert untouched(bank)


def test_the_guard_says_why_and_is_asked_of_the_stored_row(bank, officer):
    Unit.objects.filter(pk=bank.pk).update(contact_name="未了")
    with pytest.raises(Refused, match="尚有未了结的需求"):
        transit(bank, "leave", by=officer, reason="搬迁")
    assert untouched(bank)


def test_neither_a_stranger_nor_a_lesser_role_may(bank, place):
    for who in (
        person("street_officer", place.other_street),
        person("grid_worker", place.community),
        person("unit_liaison", bank),
        person("system_admin"),
    ):
        with pytest.raises(PermissionDenied):
            transit(bank, "leave", by=who, reason="搬迁")
    assert untouched(bank)


def test_the_system_may_what_the_table_says_and_no_more(bank, officer):
    with pytest.raises(PermissionDenied):
        transit(bank, "leave", by=None, reason="搬迁")
    with pytest.raises(PermissionDenied):
        transit(bank, "expire", by=officer)
    assert transit(bank, "expire", by=None).state == S.LEFT
    assert transit(bank, "back", by=None).state == S.ACTIVE
    assert audit.timeline(bank).get(action="orgs.unit.back").actor_name == "系统"


def test_nothing_is_written_when_a_part_fails(bank, officer):
    with pytest.raises(DatabaseError), transaction.atomic():
        transit(bank, "break", by=officer)
    assert untouched(bank)


def test_nothing_is_written_when_telling_fails(bank, officer, monkeypatch):
    def nobody(obj, by):
        raise LookupError("no such list of people")

    told = Transition(
        "leave", "迁出", [S.ACTIVE], S.LEFT, perm="units.edit", apply=dated, tell=nobody
    )
    monkeypatch.setitem(MACHINES["orgs.unit"].transitions, "leave", told)
    with pytest.raises(LookupError):
        transit(bank, "leave", by=officer)
    assert untouched(bank)


def untouched(bank: Unit) -> bool:
    stored = Unit.objects.get(pk=bank.pk)
    return (
        (stored.state, stored.party_org) == (S.ACTIVE, bank.party_org)
        and stored.contact_name in (bank.contact_name, "未了")
        and not AuditEvent.objects.filter(action__in=["orgs.unit.leave", "orgs.unit.break"])
    )


def test_an_unknown_transition_is_a_programming_error(bank, officer, place):
    with pytest.raises(LookupError):
        transit(bank, "fly", by=officer)
    with pytest.raises(LookupError):
        transit(place.city, "leave", by=officer)


def test_offers_leave_out_what_one_may_not_and_explain_what_one_cannot(
    bank, officer, place, machine
):
    names = [offer.transition.name for offer in machine.offers(bank, officer)]
    assert names == ["leave", "break"], "neither other states' nor the system's"
    bank.contact_name = "未了"
    leave = machine.offers(bank, officer)[0]
    assert not leave.allowed
    assert "请先办结" in leave.why_not
    assert machine.offers(bank, person("grid_worker", place.community)) == []


def test_a_table_that_cannot_be_right_is_refused_at_start_up(machine):
    with pytest.raises(ValueError, match="second table"):
        Machine("orgs.Unit", states=S, transitions=[])
    with pytest.raises(ValueError, match="no such state"):
        Machine("orgs.Area", states=S, transitions=[Transition("go", "走", ["gone"], S.LEFT)])
    twice = [Transition("go", "走", [S.ACTIVE], S.LEFT)] * 2
    with pytest.raises(ValueError, match="one name"):
        Machine("orgs.Area", states=S, transitions=twice)
    assert "orgs.area" not in {k for k in MACHINES if MACHINES[k].states is S}


def test_the_drawing_shows_reason_and_system(machine):
    drawing = machine.drawing()
    assert "active --> left: 迁出（须填理由）" in drawing
    assert "left --> active: 迁回（系统）" in drawing
    assert "active --> left: 过期（系统）" in drawing


def leave_at_once(bank_id: int, officer_id: int) -> str:
    """In a process of its own: try to be the one who moves the unit out."""
    from accounts.models import User

    install()
    officer, bank = User.objects.get(pk=officer_id), Unit.objects.get(pk=bank_id)
    try:
        transit(bank, "leave", by=officer, reason=f"{officer} 先到")
    except Conflict as conflict:
        return conflict.message
    return "won"


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_wins_and_the_other_is_told(machine):
    place = small_city()
    bank = unit(place.community)
    officers = [person("street_officer", place.street) for _ in range(2)]
    futures = parallel(leave_at_once, [(bank.pk, officer.pk) for officer in officers])
    won, told = sorted((f.result() for f in futures), key="won".__ne__)
    assert won == "won"
    assert "当前状态是“已迁出”" in told
    assert audit.timeline(bank).filter(action="orgs.unit.leave").count() == 1
