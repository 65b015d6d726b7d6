"""Each side signs for itself, on its own sign-in, what it has read."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.enums import Role
from accounts.models import Grant
from alliance.actions.agreement import (
    confirm_agreement,
    discard_draft,
    draft_agreement,
    name_liaison,
    renew_agreement,
    revise_agreement,
)
from alliance.actions.clause import add_clause, remove_clause, revise_clause
from alliance.enums import AgreementState, Side
from alliance.models import Agreement, Party
from alliance.transitions import AGREEMENT
from core.errors import Conflict, Refused
from core.models import AuditEvent
from core.transitions import transit
from tests.factories import alliance as make
from tests.factories.accounts import person
from tests.factories.orgs import move_out, small_city, unit

pytestmark = pytest.mark.django_db


@pytest.fixture
def place():
    return small_city()


@pytest.fixture
def sides(place):
    return make.pair(place.community)


def confirm(agreement, by, **more):
    agreement.refresh_from_db()
    return confirm_agreement(agreement=agreement, version=agreement.version, by=by, **more)


def test_the_last_signature_of_all_brings_it_into_force(sides):
    agreement = make.pending(sides)
    agreement = confirm(agreement, sides.liaison)
    assert (agreement.state, agreement.signed_on) == ("pending", None)
    agreement = confirm(agreement, sides.worker)
    assert (agreement.state, agreement.signed_on) == ("active", timezone.localdate())
    signatures = {p.side: p.confirmed_by for p in agreement.parties.all()}
    assert signatures == {Side.COMMUNITY: sides.worker, Side.UNIT: sides.liaison}


def test_three_parties_need_three_signatures(place):
    sides = make.pair(place.community, count=2)
    agreement = make.pending(sides)
    confirm(agreement, sides.worker)
    agreement = confirm(agreement, sides.liaisons[1])
    assert agreement.state == "pending"
    assert confirm(agreement, sides.liaisons[0]).state == "active"


def test_nobody_signs_for_the_other_side(place, sides):
    agreement = make.pending(sides)
    theirs = agreement.parties.get(side=Side.COMMUNITY)
    with pytest.raises(Conflict, match="不能替对方确认"):
        confirm(agreement, sides.liaison, party=theirs)
    outsider = person(Role.UNIT_LIAISON, unit(place.community))
    with pytest.raises(PermissionDenied):
        confirm(agreement, outsider)
    with pytest.raises(PermissionDenied):
        confirm(agreement, person(Role.COMMUNITY_WORKER, place.other_community))
    assert not agreement.parties.exclude(confirmed_at=None).exists()


def test_one_person_with_a_role_on_both_sides_signs_for_one(sides):
    agreement = make.pending(sides)
    Grant.objects.create(
        user=sides.worker,
        role=Role.UNIT_LIAISON,
        unit=sides.unit,
        starts_on=timezone.localdate(),
    )
    both = type(sides.worker).objects.get(pk=sides.worker.pk)  # grants are read once a request
    confirm(agreement, both)
    with pytest.raises(Refused, match="一人不能代表两方"):
        confirm(agreement, both)
    party = agreement.parties.get(side=Side.UNIT)
    party.confirmed_by, party.confirmed_at = sides.worker, timezone.now()
    with pytest.raises(IntegrityError), transaction.atomic():
        party.save()


def test_a_second_click_and_an_old_text_are_told(sides):
    agreement = make.pending(sides)
    confirm(agreement, sides.worker)
    with pytest.raises(Conflict, match="不必重复确认"):
        confirm(agreement, sides.worker)
    with pytest.raises(Conflict, match="看过最新内容"):
        confirm_agreement(agreement=agreement, version=agreement.version - 1, by=sides.liaison)


def test_any_change_of_the_text_clears_the_confirmations(sides):
    agreement = make.pending(sides)
    confirm(agreement, sides.worker)
    transit(agreement, "return", by=sides.liaison, reason="次数太多")
    agreement.refresh_from_db()
    assert agreement.parties.exclude(confirmed_at=None).count() == 1
    clause = agreement.clauses.get()
    revise_clause(
        clause=clause,
        version=agreement.version,
        party=clause.party,
        category=clause.category,
        content=clause.content,
        quantity=2,
        measure=clause.measure,
        due_on=clause.due_on,
        by=sides.liaison,
    )
    assert not Party.objects.exclude(confirmed_at=None).exists()
    assert AuditEvent.objects.filter(action="alliance.agreement.void").count() == 1


def test_sent_back_unchanged_the_signature_given_still_stands(sides):
    agreement = make.pending(sides)
    confirm(agreement, sides.worker)
    transit(agreement, "return", by=sides.liaison, reason="须先上会")
    transit(agreement, "submit", by=sides.liaison)
    assert confirm(agreement, sides.liaison).state == "active"


def test_the_text_is_closed_once_it_is_out_for_signing(sides):
    agreement = make.pending(sides)
    clause = agreement.clauses.get()
    with pytest.raises(Refused, match="请先退回修改"):
        remove_clause(clause=clause, version=agreement.version, by=sides.worker)
    with pytest.raises(Refused, match="请先退回修改"):
        discard_draft(agreement=agreement, version=agreement.version, by=sides.worker)


def test_of_two_who_edit_the_same_text_the_later_is_told(sides):
    agreement = make.draft(sides)
    read = agreement.version
    party = agreement.parties.get(side=Side.COMMUNITY)
    fields = {
        "agreement": agreement,
        "party": party,
        "category": "sharing",
        "content": "开放活动室",
        "quantity": 12,
        "measure": "次",
        "due_on": agreement.ends_on,
    }
    assert add_clause(version=read, by=sides.worker, **fields).number == 2
    with pytest.raises(Conflict, match="刚被他人改动"):
        add_clause(version=read, by=sides.liaison, **fields)


def test_struck_clauses_leave_no_gap(sides):
    agreement = make.draft(sides, clauses=3)
    remove_clause(
        clause=agreement.clauses.get(number=1), version=agreement.version, by=sides.worker
    )
    assert list(agreement.clauses.values_list("number", flat=True)) == [1, 2]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda a, s: a.clauses.all().delete(), "至少写明一条"),
        (lambda a, s: move_out(s.unit), "已迁出"),
        (lambda a, s: a.parties.filter(side=Side.COMMUNITY).update(liaison=""), "联络员"),
    ],
)
def test_what_is_not_ready_does_not_go_out(sides, spoil, message):
    agreement = make.draft(sides)
    spoil(agreement, sides)
    (offer,) = AGREEMENT.offers(agreement, sides.worker)
    assert message in offer.why_not
    with pytest.raises(Refused, match=message):
        transit(agreement, "submit", by=sides.worker)


def test_dates_out_of_order_and_missing_or_doubled_units_are_refused(place, sides):
    today = timezone.localdate()
    fields = {"community": place.community, "title": "共建", "goal": "共建", "by": sides.worker}
    dates = {"starts_on": today, "ends_on": today + timedelta(days=30)}
    for bad, field in (
        (
            {"units": [sides.unit], "starts_on": today, "ends_on": today - timedelta(days=1)},
            "ends_on",
        ),
        ({"units": [], **dates}, "units"),
        ({"units": [sides.unit, sides.unit], **dates}, "units"),
        ({"units": [sides.unit], **dates, "community": place.street}, "community"),
    ):
        with pytest.raises(Refused) as told:
            draft_agreement(**{**fields, **bad})
        assert told.value.field == field
    assert not Agreement.objects.exists()


def test_a_liaison_drafts_for_its_own_unit_alone(place, sides):
    today = timezone.localdate()
    fields = {
        "community": place.community,
        "title": "共建",
        "goal": "共建",
        "starts_on": today,
        "ends_on": today + timedelta(days=30),
    }
    assert draft_agreement(units=[sides.unit], by=sides.liaison, **fields).state == "draft"
    with pytest.raises(PermissionDenied):
        draft_agreement(units=[unit(place.community)], by=sides.liaison, **fields)
    assert Agreement.objects.count() == 1


def test_a_unit_with_clauses_stays_until_they_are_struck(place, sides):
    agreement = make.draft(sides)
    other = unit(place.community)
    fields = {
        "title": agreement.title,
        "goal": agreement.goal,
        "starts_on": agreement.starts_on,
        "ends_on": agreement.ends_on,
        "by": sides.worker,
    }
    with pytest.raises(Refused, match="请先删除这些条款"):
        revise_agreement(agreement=agreement, version=agreement.version, units=[other], **fields)
    assert list(agreement.parties.filter(side=Side.UNIT).values_list("unit", flat=True)) == [
        sides.unit.pk
    ]
    agreement = revise_agreement(
        agreement=agreement, version=agreement.version, units=[sides.unit, other], **fields
    )
    assert agreement.parties.filter(side=Side.UNIT).count() == 2


def test_after_the_draft_each_side_names_its_own_liaison(sides):
    agreement = make.draft(sides)
    theirs = agreement.parties.get(side=Side.UNIT)
    name_liaison(party=theirs, liaison="周联络", by=sides.worker)
    transit(agreement, "submit", by=sides.worker)
    theirs = Party.objects.get(pk=theirs.pk)
    with pytest.raises(Refused, match="只能更换本方"):
        name_liaison(party=theirs, liaison="别人", by=sides.worker)
    assert name_liaison(party=theirs, liaison="吴联络", by=sides.liaison).liaison == "吴联络"


def test_a_renewal_starts_from_the_old_one_and_happens_once(sides):
    today = timezone.localdate()
    old = make.signed(
        sides, starts_on=today - timedelta(days=360), ends_on=today + timedelta(days=5)
    )
    new = renew_agreement(
        agreement=old, ends_on=old.ends_on + timedelta(days=365), by=sides.liaison
    )
    assert (new.state, new.renewed_from) == (AgreementState.DRAFT, old)
    assert new.starts_on == old.ends_on + timedelta(days=1)
    assert new.clauses.get().due_on > old.clauses.get().due_on
    assert [p.liaison for p in new.parties.all()] == [p.liaison for p in old.parties.all()]
    with pytest.raises(Conflict, match=new.number):
        renew_agreement(agreement=old, ends_on=new.ends_on, by=sides.worker)
    with pytest.raises(IntegrityError), transaction.atomic():
        Agreement.objects.filter(pk=make.draft(sides).pk).update(renewed_from=old)


def test_a_renewal_leaves_out_the_unit_that_has_left(place):
    sides = make.pair(place.community, count=2)
    old = make.signed(sides)
    move_out(sides.unit)
    new = renew_agreement(agreement=old, ends_on=old.ends_on + timedelta(days=9), by=sides.worker)
    assert [p.unit_id for p in new.parties.all()] == [None, sides.units[1].pk]
    assert not new.clauses.exists()


def test_drafts_cannot_be_renewed_and_a_discarded_renewal_can_be_written_again(sides):
    with pytest.raises(Conflict, match="只有生效或到期"):
        renew_agreement(agreement=make.draft(sides), ends_on=timezone.localdate(), by=sides.worker)
    old = make.signed(sides)
    ends_on = old.ends_on + timedelta(days=300)
    first = renew_agreement(agreement=old, ends_on=ends_on, by=sides.worker)
    discard_draft(agreement=first, version=first.version, by=sides.worker)
    assert renew_agreement(agreement=old, ends_on=ends_on, by=sides.worker).pk != first.pk


def test_only_the_street_ends_it_early_and_says_why(place, sides):
    agreement = make.signed(sides)
    street = person(Role.STREET_OFFICER, place.street)
    with pytest.raises(PermissionDenied):
        transit(agreement, "terminate", by=sides.worker, reason="不合作了")
    with pytest.raises(Refused, match="理由"):
        transit(agreement, "terminate", by=street)
    agreement = transit(agreement, "terminate", by=street, reason="单位改制")
    assert (agreement.state, agreement.ended_reason) == ("terminated", "单位改制")
    assert agreement.ended_on == timezone.localdate()


def test_signed_and_waiting_it_can_be_ended_but_not_sent_back(place, sides):
    starts_on = timezone.localdate() + timedelta(days=10)
    agreement = make.signed(sides, starts_on=starts_on)
    assert (agreement.state, agreement.is_signed) == ("pending", True)
    with pytest.raises(Refused, match="不能再退回修改"):
        transit(agreement, "return", by=sides.worker, reason="想改")
    street = person(Role.STREET_OFFICER, place.street)
    assert transit(agreement, "terminate", by=street, reason="计划取消").state == "terminated"


def test_who_sees_an_agreement(place, sides):
    agreement = make.draft(sides)
    seers = [
        sides.worker,
        sides.liaison,
        person(Role.STREET_OFFICER, place.street),
        person(Role.ORG_DEPARTMENT, place.city),
    ]
    strangers = [
        person(Role.UNIT_LIAISON, unit(place.community)),
        person(Role.COMMUNITY_WORKER, place.sibling_community),
        person(Role.GRID_WORKER, place.grid),
    ]
    clause = agreement.clauses.get()
    party = agreement.parties.first()
    for user, sees in [*((u, True) for u in seers), *((u, False) for u in strangers)]:
        for thing in (agreement, clause, party):
            assert type(thing).objects.visible_to(user).filter(pk=thing.pk).exists() is sees
            assert type(thing).scope.holds(thing, user) is sees


def test_a_unit_with_two_places_in_one_agreement_sees_it_once(place):
    sides = make.pair(place.community, count=2)
    agreement = make.draft(sides)
    Grant.objects.create(
        user=sides.liaison,
        role=Role.UNIT_LIAISON,
        unit=sides.units[1],
        starts_on=timezone.localdate(),
    )
    both = type(sides.liaison).objects.get(pk=sides.liaison.pk)
    assert list(Agreement.objects.visible_to(both)) == [agreement]
