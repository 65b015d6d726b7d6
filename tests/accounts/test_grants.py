"""Who gives what to whom, and what takes effect when."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from accounts.actions.grants import end_grant, give_grant
from accounts.actions.users import create_user
from accounts.enums import Role
from accounts.models import Grant, User
from core.errors import Conflict, Refused
from core.models import AuditEvent
from orgs.actions.tree import create_area
from tests.factories.accounts import person
from tests.factories.orgs import small_city, unit

pytestmark = pytest.mark.django_db


@pytest.fixture
def place():
    return small_city()


@pytest.fixture
def security():
    return person("security_admin")


@pytest.fixture
def newcomer():
    return User.objects.create_user("newcomer", name="新同志")


def fresh(user: User) -> User:
    """The user as the next request reads them."""
    return User.objects.get(pk=user.pk)


def test_a_grant_reaches_from_the_next_request_on_and_ends_with_the_next(place, security, newcomer):
    grant = give_grant(user=newcomer, role="street_officer", area=place.street, by=security)
    assert grant.starts_on == timezone.localdate()
    assert place.community in type(place.community).objects.visible_to(fresh(newcomer))
    end_grant(grant=grant, by=security, reason="调离")
    assert not fresh(newcomer).reach("orgs.view")
    assert grant.user.grants.get().state == "revoked"
    given, ended = AuditEvent.objects.filter(object_type="accounts.grant").order_by("id")
    assert (given.action, given.actor_id) == ("accounts.grant.give", security.pk)
    assert (ended.action, ended.reason) == ("accounts.grant.end", "调离")


def test_the_holder_of_a_page_open_since_morning_is_turned_away(place, security, newcomer):
    grant = give_grant(user=newcomer, role="street_officer", area=place.street, by=security)
    client = Client()
    client.force_login(newcomer)
    assert client.get("/console/orgs/units/").status_code == 200
    end_grant(grant=grant, by=security, reason="调离")
    assert client.get("/console/orgs/units/").status_code == 403


@pytest.mark.parametrize(
    "role", ["system_admin", "security_auditor", "org_department", "street_officer", "unit_liaison"]
)
def test_only_a_security_administrator_grants(place, newcomer, role):
    on = unit(place.community) if role == "unit_liaison" else place.city
    other = person(role, None if role in ("system_admin", "security_auditor") else on)
    with pytest.raises(PermissionDenied):
        give_grant(user=newcomer, role="grid_worker", area=place.grid, by=other)
    grant = person("grid_worker", place.grid).grants.get()
    with pytest.raises(PermissionDenied):
        end_grant(grant=grant, by=other, reason="x")


def test_nobody_grants_to_themselves(place, security):
    with pytest.raises(Refused, match="不能给自己授权"):
        give_grant(user=security, role="street_officer", area=place.street, by=security)
    with pytest.raises(Refused, match="不能收回自己的授权"):
        end_grant(grant=security.grants.get(), by=security, reason="x")


@pytest.mark.parametrize("first", ["system_admin", "security_admin", "security_auditor"])
@pytest.mark.parametrize("second", ["system_admin", "security_admin", "security_auditor"])
def test_three_duties_are_never_one_persons_not_even_in_turn(security, newcomer, first, second):
    grant = give_grant(user=newcomer, role=first, by=security)
    if first != second:
        with pytest.raises(Refused, match="不得由同一账号先后或同时担任"):
            give_grant(user=newcomer, role=second, by=security)
    end_grant(grant=grant, by=security, reason="轮岗")
    if first != second:
        with pytest.raises(Refused, match="不得由同一账号先后或同时担任"):
            give_grant(user=newcomer, role=second, by=security)
        with pytest.raises(IntegrityError), transaction.atomic():
            Grant.objects.create(user=newcomer, role=second, starts_on=timezone.localdate())
    else:
        again = give_grant(user=newcomer, role=second, by=security)
        assert again.pk == grant.pk, "the same duty may be taken up again"
        assert fresh(newcomer).reach("accounts.view")


def test_a_duty_and_other_work_are_not_one_accounts(place, security, newcomer):
    work = give_grant(user=newcomer, role="org_department", area=place.city, by=security)
    with pytest.raises(Refused, match="不得兼任业务角色"):
        give_grant(user=newcomer, role="security_auditor", by=security)
    end_grant(grant=work, by=security, reason="转岗")
    give_grant(user=newcomer, role="security_auditor", by=security)
    with pytest.raises(Refused, match="不得兼任业务角色"):
        give_grant(user=newcomer, role="grid_worker", area=place.grid, by=security)


def test_a_role_is_granted_on_what_it_fits(place, security, newcomer):
    bank = unit(place.community)
    group = create_area(
        kind="building", code=f"{place.grid.code}001", name="一号楼组", parent=place.grid, by=None
    )
    for role, area, on, field in (
        ("street_officer", None, None, "area"),
        ("street_officer", None, bank, "unit"),
        ("unit_liaison", place.street, None, "area"),
        ("unit_liaison", None, None, "unit"),
        ("system_admin", place.city, None, "area"),
        ("system_admin", None, bank, "unit"),
        ("grid_worker", group, None, "area"),
    ):
        with pytest.raises(Refused) as refused:
            give_grant(user=newcomer, role=role, area=area, unit=on, by=security)
        assert refused.value.field == field, role
    assert not newcomer.grants.exists()
    for role in Role:
        fits = bank if role == "unit_liaison" else place.city
        with pytest.raises(IntegrityError), transaction.atomic():
            Grant.objects.create(
                user=newcomer, role=role, area=place.city, unit=bank, starts_on="2026-01-01"
            )
        assert fits


def test_dates_are_in_order_and_not_over(place, security, newcomer):
    today = timezone.localdate()
    for start, end in ((1, 0), (-5, -1)):
        with pytest.raises(Refused) as refused:
            give_grant(
                user=newcomer,
                role="grid_worker",
                area=place.grid,
                starts_on=today + timedelta(start),
                ends_on=today + timedelta(end),
                by=security,
            )
        assert refused.value.field == "ends_on"


def test_the_same_grant_twice_is_a_conflict_unless_the_days_do_not_meet(place, security, newcomer):
    today = timezone.localdate()
    week = {"user": newcomer, "role": "grid_worker", "area": place.grid, "by": security}
    give_grant(**week, ends_on=today + timedelta(6))
    with pytest.raises(Conflict, match="已有授权"):
        give_grant(**week, starts_on=today + timedelta(6))
    assert give_grant(**week, starts_on=today + timedelta(7)).state == "ahead"
    assert give_grant(**{**week, "area": place.community}).state == "in_force"


def test_a_closed_account_and_a_retired_area_get_nothing(place, security, newcomer):
    User.objects.filter(pk=newcomer.pk).update(is_active=False)
    with pytest.raises(Refused, match="已停用"):
        give_grant(user=newcomer, role="grid_worker", area=place.grid, by=security)
    User.objects.filter(pk=newcomer.pk).update(is_active=True)
    place.grid.state, place.grid.valid_to = "retired", timezone.localdate()
    with pytest.raises(Refused, match="已撤销"):
        give_grant(user=newcomer, role="grid_worker", area=place.grid, by=security)


def test_ending_asks_why_and_happens_once(place, security):
    grant = person("grid_worker", place.grid).grants.get()
    with pytest.raises(Refused, match="须填写理由"):
        end_grant(grant=grant, by=security, reason=" ")
    end_grant(grant=grant, by=security, reason="离职")
    with pytest.raises(Conflict, match="已经收回"):
        end_grant(grant=grant, by=security, reason="离职")


def test_an_account_is_opened_by_one_duty_and_filled_by_another(place, security):
    admin = person("system_admin")
    user = create_user(by=admin, username="Li.Lei", name="李雷", password="kuai-le-2026-x")
    assert (user.username, user.must_change_password) == ("li.lei", True)
    with pytest.raises(PermissionDenied):
        give_grant(user=user, role="grid_worker", area=place.grid, by=admin)
    with pytest.raises(PermissionDenied):
        create_user(by=security, username="x1", name="x", password="kuai-le-2026-x")
    give_grant(user=user, role="grid_worker", area=place.grid, by=security)
