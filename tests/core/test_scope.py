"""The gate: list and detail agree for whatever people hold, and nothing leaks past it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.enums import DUTIES, Role
from accounts.models import Grant, User
from accounts.roles import AREA_ROLES, PERMISSIONS
from core.errors import OutOfReach
from core.models import AuditEvent
from core.scope import (
    AreaRule,
    LinkedUnitRule,
    OpenRule,
    OwnRule,
    Reach,
    Scope,
    UnitRule,
    get_visible,
    may,
    reach_of,
    require,
    still_visible,
)
from orgs.models import Area, Unit
from tests.factories.accounts import person
from tests.factories.orgs import small_city, unit

PERMS = sorted(set().union(*PERMISSIONS.values()))
OPEN = OpenRule("state", ("active",), frozenset({"services.claim"}))
OPEN_ROLE = OpenRule("role", ("grid_worker",), frozenset(PERMS), "area__city_id")
# Every rule, alone and together, on models that stand on the tree and models one step away.
SCOPES = [
    (Area, Area.scope),
    (Unit, Unit.scope),
    (Grant, Grant.scope),
    (User, User.scope),
    (Unit, Scope(AreaRule(), view="units.view")),
    (Unit, Scope(UnitRule("pk"), view="units.view")),
    (Unit, Scope(OPEN, view="services.claim")),
    (Unit, Scope(AreaRule(), UnitRule("pk"), OPEN, view="services.claim")),
    (Unit, Scope(view="audit.view")),
    # Whoever shares a unit with me, through grants as the link; and the grants of such people.
    (User, Scope(LinkedUnitRule("accounts.Grant", "user"), view="units.view")),
    (Grant, Scope(LinkedUnitRule("accounts.Grant", "user", path="user_id"), view="units.view")),
    (Grant, Scope(AreaRule("area__"), view="orgs.view")),
    (Grant, Scope(AreaRule("unit__"), UnitRule(), view="units.view")),
    (Grant, Scope(OPEN_ROLE, view="x")),
    (Grant, Scope(AreaRule("area__"), OPEN_ROLE, view="grids.view")),
    (Grant, Scope(AreaRule("unit__"), OPEN_ROLE, view="grids.view")),
    (Grant, Scope(view="units.view", own=OwnRule())),
    (Grant, Scope(view="units.view", own=OwnRule("user_id", frozenset({"units.edit"})))),
]


@pytest.fixture
def world(db):
    """Two cities with units on several levels: the ground under all examples of one test."""
    here, there = small_city(), small_city("3798", "邻市")
    areas = [*here.all.values(), there.city, there.community]
    units = [
        unit(here.community),
        unit(here.sibling_community, state="left"),
        unit(here.other_street),
        unit(here.city),
        unit(there.community),
    ]
    return areas, units


@st.composite
def held(draw):
    """A grant of any role on any place, begun and perhaps ended on any day around today."""
    role = draw(st.sampled_from(list(Role)))
    start = draw(st.integers(-3, 3))
    end = draw(st.none() | st.integers(start, start + 4))
    return role, draw(st.integers(0, 100)), start, end


def hand(user: User, grants, areas, units) -> None:
    today = timezone.localdate()
    duty_taken = False
    for role, pick, start, end in grants:
        if role in DUTIES:
            if duty_taken:
                continue
            duty_taken = True
        Grant.objects.create(
            user=user,
            role=role,
            area=areas[pick % len(areas)] if role in AREA_ROLES else None,
            unit=units[pick % len(units)] if role == Role.UNIT_LIAISON else None,
            starts_on=today + timedelta(start),
            ends_on=None if end is None else today + timedelta(end),
        )


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(held(), max_size=4), st.lists(held(), max_size=3), st.sampled_from(PERMS))
def test_list_and_detail_agree_for_every_rule_and_any_grants(world, mine, theirs, perm):
    areas, units = world
    User.objects.all().delete()
    me = User.objects.create_user("me", name="我")
    other = User.objects.create_user("other", name="他")
    hand(me, mine, areas, units)
    hand(other, theirs, areas, units)
    for model, scope in SCOPES:
        for asked in (None, perm):
            listed = set(model._base_manager.filter(scope.q(me, asked)))
            tested = {obj for obj in model._base_manager.all() if scope.holds(obj, me, asked)}
            assert listed == tested, (model, scope, asked)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(held(), max_size=4), st.sampled_from(PERMS))
def test_a_grant_reaches_exactly_its_days_its_role_and_its_subtree(world, grants, perm):
    """Against the plainest reading of the words: walk up from each area by its parents."""
    areas, units = world
    User.objects.all().delete()
    me = User.objects.create_user("me", name="我")
    hand(me, grants, areas, units)
    today = timezone.localdate()
    holding = [
        g
        for g in Grant.objects.filter(user=me)
        if g.starts_on <= today
        and (g.ends_on is None or today <= g.ends_on)
        and perm in PERMISSIONS[g.role]
    ]

    def above(area):
        while area is not None:
            yield area.pk
            area = area.parent

    for area in Area.objects.select_related("parent__parent__parent__parent"):
        wanted = any(g.role in DUTIES or g.area_id in set(above(area)) for g in holding)
        assert Area.scope.holds(area, me, perm) == wanted
    for some in Unit.objects.select_related("area__parent__parent__parent"):
        wanted = any(
            g.role in DUTIES or g.unit_id == some.pk or g.area_id in set(above(some.area))
            for g in holding
        )
        assert Unit.scope.holds(some, me, perm) == wanted


@pytest.fixture
def place(db):
    return small_city()


@pytest.mark.parametrize(
    ("start", "end", "reaches"),
    [
        (0, None, True),
        (0, 0, True),
        (-5, 0, True),
        (1, None, False),
        (-5, -1, False),
        (1, 5, False),
    ],
)
def test_both_days_of_a_grant_are_inclusive(place, start, end, reaches):
    user = User.objects.create_user("u", name="某")
    today = timezone.localdate()
    Grant.objects.create(
        user=user,
        role=Role.STREET_OFFICER,
        area=place.street,
        starts_on=today + timedelta(start),
        ends_on=None if end is None else today + timedelta(end),
    )
    assert bool(user.reach("orgs.view")) is reaches


def test_days_are_counted_in_the_city_not_in_greenwich(place, monkeypatch):
    user = person("street_officer", place.street)
    Grant.objects.filter(user=user).update(ends_on=date(2026, 7, 1))
    # Ten at night in Greenwich is the next morning in Qingdao: the grant has ended.
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 7, 1, 22, tzinfo=UTC))
    assert not user.reach("orgs.view")


def test_an_ended_grant_or_a_closed_account_reaches_nothing(place):
    bank = unit(place.community)
    user = person("street_officer", place.street)
    assert Unit.scope.holds(bank, user)
    user.grants.update(ends_on=date(2020, 1, 2))
    assert not Unit.scope.holds(bank, User.objects.get(pk=user.pk)), "from the next request on"
    closed = person("org_department", place.city, is_active=False)
    assert not Unit.objects.visible_to(closed).exists()
    assert not Grant.objects.visible_to(closed).exists()
    assert not User.objects.visible_to(closed).exists()


@pytest.mark.parametrize("nobody", [AnonymousUser(), None], ids=["anonymous", "none"])
def test_nobody_reaches_nothing(place, nobody):
    bank = unit(place.community)
    assert reach_of(nobody, "units.view") == Reach()
    for model in (Area, Unit, Grant, User, AuditEvent):
        assert not model.objects.visible_to(nobody).exists()
    assert not Unit.scope.holds(bank, nobody)
    assert not Scope(view="x", own=OwnRule("pk")).holds(bank, nobody)
    with pytest.raises(PermissionDenied):
        require(nobody, "units.view")
    with pytest.raises(PermissionDenied):
        require(nobody, "units.view", bank)
    with pytest.raises(Http404):
        get_visible(Unit.objects, nobody, pk=bank.pk)


def test_a_grant_on_a_building_group_reaches_nothing_and_breaks_nothing(place):
    from orgs.actions.tree import create_area

    group = create_area(
        kind="building", code=f"{place.grid.code}001", name="一号楼组", parent=place.grid, by=None
    )
    user = person("grid_worker", group)
    assert not user.reach("grids.view")
    assert not Unit.objects.visible_to(user).exists()


def test_what_is_open_is_open_within_the_city_alone(place):
    there = small_city("3798", "邻市")
    here_bank, there_bank = unit(place.community), unit(there.community)
    liaison = person("unit_liaison", unit(place.other_community))
    scope = Scope(OPEN, view="services.claim")
    assert set(Unit.objects.filter(scope.q(liaison))) == {here_bank, *liaison_units(liaison)}
    assert scope.holds(here_bank, liaison)
    assert not scope.holds(there_bank, liaison)
    assert not scope.holds(here_bank, liaison, "services.review"), "open to those named alone"
    here_bank.state = "left"
    assert not scope.holds(here_bank, liaison)


def test_who_reaches_the_whole_city_is_not_asked_what_of_it_is_open(place):
    scope = Scope(AreaRule(), replace(OPEN, perms=frozenset(PERMS)), view="services.view")
    whole, part = (person("org_department", at) for at in (place.city, place.district))
    asked = [str(scope.q(user)) for user in (whole, part)]
    assert ["state__in" in said for said in asked] == [False, True]


def liaison_units(liaison):
    return [grant.unit for grant in liaison.grants.all()]


def test_what_is_ones_own_may_be_looked_at_and_no_more(place):
    officer = person("street_officer", place.street)
    grant = officer.grants.get()
    assert set(Grant.objects.visible_to(officer)) == {grant}
    assert not may(officer, "accounts.grant", grant)
    assert set(User.objects.visible_to(officer)) == {officer}
    assert not may(officer, "accounts.manage", officer)
    wider = Scope(view="x", own=OwnRule("user_id", frozenset({"y"})))
    assert wider.holds(grant, officer, "y")
    assert not wider.holds(grant, officer, "z")


def test_outside_is_404_whatever_is_asked_for(place):
    officer = person("street_officer", place.street)
    foreign = unit(place.other_community)
    for pk in (foreign.pk, 0, -1, 10**30, "x", "", None, "7; drop", "\x00", [1], {}):
        with pytest.raises(Http404):
            get_visible(Unit.objects, officer, pk=pk)
    assert get_visible(Unit.objects, person("street_officer", place.other_street), pk=foreign.pk)


def test_unknown_and_foreign_answer_alike(place):
    officer = person("street_officer", place.street)
    foreign = unit(place.other_community).pk
    said = []
    for pk in (foreign, foreign + 1000):
        with pytest.raises(Http404) as refused:
            get_visible(Unit.objects, officer, pk=pk)
        said.append(str(refused.value).replace(f"'pk': {pk}", ""))
    assert said[0] == said[1]


def test_get_visible_narrows_a_queryset_and_keeps_it_narrow(place):
    officer = person("street_officer", place.street)
    bank = unit(place.community, state="left")
    with pytest.raises(Http404):
        get_visible(Unit.objects.filter(state="active"), officer, pk=bank.pk)


def test_inside_without_the_right_is_403(place):
    worker = person("grid_worker", place.community)
    with pytest.raises(PermissionDenied):
        require(worker, "orgs.edit", place.community)
    with pytest.raises(PermissionDenied):
        require(worker, "orgs.edit")
    require(worker, "orgs.view", place.community)
    require(worker, "orgs.view")


def test_nobody_moves_a_fact_out_of_their_own_reach(place):
    worker = person("community_worker", place.community)
    bank = unit(place.community)
    still_visible(bank, worker, "units.edit")
    bank.area = place.other_community
    still_visible(bank, worker, "units.edit")  # not saved: what counts is what is stored
    bank.save()
    with pytest.raises(OutOfReach, match="不在您的管理范围内") as refused:
        still_visible(bank, worker, "units.edit")
    assert isinstance(refused.value, PermissionDenied), "403 where no form shows the sentence"


def test_a_person_with_many_places_sees_the_sum(place):
    user = person("street_officer", place.street)
    Grant.objects.create(
        user=user, role=Role.GRID_WORKER, area=place.other_community, starts_on=date(2020, 1, 1)
    )
    seen = set(Area.objects.visible_to(user))
    below = set(Area.objects.under(place.street)) | set(Area.objects.under(place.other_community))
    assert seen == below
    assert set(Area.objects.visible_to(user, "orgs.edit")) == set(Area.objects.under(place.street))


def test_the_gate_costs_one_query_a_request_and_lists_no_ids(place, django_assert_num_queries):
    user = User.objects.get(pk=person("org_department", place.city).pk)
    with django_assert_num_queries(1):
        for perm in PERMS:
            Unit.scope.q(user, perm)
    sql = str(Unit.objects.visible_to(user).query)
    assert sql.count(str(place.city.pk)) >= 1
    assert " IN (" not in sql


def test_every_role_is_granted_on_one_kind_of_thing():
    on = [*DUTIES, *AREA_ROLES, Role.UNIT_LIAISON]
    assert sorted(on) == sorted(Role)
