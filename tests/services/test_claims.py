from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from core.errors import Conflict, Refused
from core.transitions import transit
from services.actions.claims import claim_item
from services.actions.items import resize_item
from services.enums import OPEN_CLAIM, PATH, ClaimState, Direction, ItemState
from services.models import Claim, Item
from services.transitions import CLAIM
from tests.factories import services as make
from tests.factories.accounts import person
from tests.factories.orgs import move_out
from tests.factories.orgs import unit as make_unit


def test_a_unit_claims_a_need_with_nothing_typed(place, unit):
    item = make.item(place.community)
    liaison = make.liaison(unit)
    claim = claim_item(item=item, by=liaison, unit=unit)
    assert claim.direction == Direction.UNIT_NEED
    assert (claim.claimant, claim.responsible) == (unit.name, liaison.name)
    assert claim.due_on > timezone.localdate()
    assert (claim.item.state, claim.item.claimed) == (ItemState.CLAIMED, 1)


def test_a_community_claims_what_a_unit_offers(place, unit):
    item = make.item(unit, kind="resource", due_on=timezone.localdate() + timedelta(days=9))
    claim = claim_item(item=item, by=make.worker(place.other_community), area=place.other_community)
    assert claim.direction == Direction.AREA_RESOURCE
    assert claim.claimant == place.other_community.name
    assert claim.due_on == item.due_on


@pytest.mark.parametrize(
    ("kind", "provider", "receiver"),
    [
        ("need", "claimant", "publisher"),
        ("resource", "publisher", "claimant"),
        ("service", "publisher", "claimant"),
    ],
)
def test_a_matter_goes_all_the_way_and_the_item_with_it(place, unit, kind, provider, receiver):
    """Who provides does the work, who receives accepts it; the community closes."""
    publisher, claimant = (
        (place.community, unit) if kind == "need" else (unit, place.sibling_community)
    )
    item = make.item(publisher, kind=kind)
    people = make.sides(item, claimant)
    assert people["provider"] == people[provider]
    assert people["receiver"] == people[receiver]
    claim = make.claim(item, claimant)
    for reached in PATH[1:]:
        claim = make.advance(claim, reached, people)
        item.refresh_from_db()
        assert claim.state == reached
        assert item.state == reached
    assert claim.accepted_by == people["receiver"]
    assert claim.closed_at is not None
    assert item.closed_at is not None
    times = [
        claim.claimed_at,
        claim.contacted_at,
        claim.started_at,
        claim.submitted_at,
        claim.accepted_at,
        claim.closed_at,
    ]
    assert times == sorted(times)


# Of each step: the states it starts from and the sides whose step it is.
STEPS = {
    "contact": ({"claimed"}, {"provider", "receiver"}),
    "start": ({"contacting"}, {"provider"}),
    "deliver": ({"working"}, {"provider"}),
    "accept": ({"submitted"}, {"receiver"}),
    "rework": ({"submitted"}, {"receiver"}),
    "rate": ({"accepted"}, {"receiver"}),
    "close": ({"rated"}, {"office"}),
    "withdraw": ({"claimed", "contacting", "working"}, {"claimant"}),
    "release": ({"claimed", "contacting", "working"}, {"office"}),
}
DATA = {"rate": {"grade": "4"}}


def test_the_table_and_this_file_name_the_same_steps():
    assert set(CLAIM.transitions) == set(STEPS)


@pytest.mark.parametrize("state", ClaimState.values)
def test_each_step_is_legal_from_its_states_alone(place, unit, state):
    item = make.item(place.community)
    people = make.sides(item, unit)
    claim = make.claim(item, unit, state=state)
    for name, (sources, who) in STEPS.items():
        if state in sources:
            continue
        with pytest.raises(Conflict):
            transit(claim, name, by=people[min(who)], reason="理由", **DATA.get(name, {}))
    item.refresh_from_db()
    assert item.state == (state if state != "withdrawn" else "published")


@pytest.mark.parametrize("kind", ["need", "service"])
@pytest.mark.parametrize("name", list(STEPS))
def test_each_step_is_its_side_s_alone(place, unit, name, kind):
    """Two units, so that no side is the office by chance."""
    other = make_unit(place.sibling_community)
    item = make.item(unit, kind=kind)
    people = make.sides(item, other)
    sources, who = STEPS[name]
    claim = make.claim(item, other, state=min(sources))
    people["neighbour"] = make.worker(place.sibling_community)  # where the claimant sits
    people["reviewer"] = person("org_department", place.city)
    people["stranger"] = make.liaison(make_unit(place.community))
    allowed = {people[side] for side in who}
    for by in people.values():
        if by in allowed:
            continue
        with pytest.raises(PermissionDenied):
            transit(claim, name, by=by, reason="理由", **DATA.get(name, {}))
    assert name in {o.transition.name for o in CLAIM.offers(claim, people[min(who)])}
    moved = transit(claim, name, by=people[min(who)], reason="理由", **DATA.get(name, {}))
    assert moved.state == CLAIM.transitions[name].target


def test_acceptance_returns_with_a_reason_and_can_be_asked_for_again(place, unit):
    item = make.item(place.community)
    people = make.sides(item, unit)
    claim = make.claim(item, unit, state=ClaimState.SUBMITTED)
    with pytest.raises(Refused, match="理由"):
        transit(claim, "rework", by=people["receiver"])
    claim = transit(claim, "rework", by=people["receiver"], reason="还差两次")
    item.refresh_from_db()
    assert (claim.returns, claim.return_reason, claim.submitted_at) == (1, "还差两次", None)
    assert item.state == ItemState.WORKING
    claim = transit(claim, "deliver", by=people["provider"], result="共四次")
    assert (claim.result, claim.return_reason) == ("共四次", "")
    item.refresh_from_db()
    assert item.state == ItemState.SUBMITTED


@pytest.mark.parametrize("state", ["claimed", "contacting", "working"])
@pytest.mark.parametrize(("name", "side"), [("withdraw", "claimant"), ("release", "office")])
def test_who_leaves_frees_the_place_for_another(place, unit, state, name, side):
    item = make.item(place.community)
    claim = make.claim(item, unit, state=state)
    people = make.sides(item, unit)
    with pytest.raises(Refused, match="理由"):
        transit(claim, name, by=people[side])
    claim = transit(claim, name, by=people[side], reason="人手不足")
    item.refresh_from_db()
    assert claim.return_reason == "人手不足"
    assert (item.state, item.claimed) == (ItemState.PUBLISHED, 0)
    again = make.claim(item, unit)
    assert again.pk != claim.pk


def test_an_item_of_several_places_stays_published_until_full_then_goes_with_the_slowest(place):
    item = make.item(place.community, capacity=3)
    units = [make_unit(place.community) for _ in range(3)]
    fast = make.claim(item, units[0], state=ClaimState.CLOSED)
    item.refresh_from_db()
    assert (item.state, item.claimed) == (ItemState.PUBLISHED, 1)
    middle = make.claim(item, units[1], state=ClaimState.SUBMITTED)
    slow = make.claim(item, units[2])
    item.refresh_from_db()
    assert item.state == ItemState.CLAIMED
    people = make.sides(item, units[2])
    for reached in PATH[1:4]:
        slow = make.advance(slow, reached, people)
    item.refresh_from_db()
    assert item.state == ItemState.SUBMITTED
    transit(middle, "rework", by=people["receiver"], reason="补材料")
    item.refresh_from_db()
    assert item.state == ItemState.WORKING
    assert fast.state == ClaimState.CLOSED


def test_fewer_places_end_the_claiming_and_close_what_is_done(place, unit):
    item = make.item(place.community, capacity=5)
    make.claim(item, unit, state=ClaimState.CLOSED)
    item = resize_item(item=item, capacity=1, by=make.worker(place.community))
    assert item.state == ItemState.CLOSED
    assert item.closed_at is not None


def test_who_leaves_an_item_of_several_places_leaves_the_others_be(place):
    item = make.item(place.community, capacity=2)
    units = [make_unit(place.community) for _ in range(2)]
    make.claim(item, units[0], state=ClaimState.WORKING)
    leaving = make.claim(item, units[1])
    transit(leaving, "withdraw", by=make.liaison(units[1]), reason="人手不足")
    item.refresh_from_db()
    assert (item.state, item.claimed) == (ItemState.PUBLISHED, 1)


def test_one_open_claim_a_claimant_and_the_message_says_so(place, unit):
    item = make.item(place.community, capacity=5)
    make.claim(item, unit)
    with pytest.raises(Conflict, match="已认领此事项"):
        make.claim(item, unit)
    item.refresh_from_db()
    assert item.claimed == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        Claim.objects.bulk_create([_copy(Claim.objects.get())])


def test_after_closing_the_same_unit_may_claim_again(place, unit):
    item = make.item(place.community, capacity=2)
    make.claim(item, unit, state=ClaimState.CLOSED)
    make.claim(item, unit)
    assert Claim.objects.filter(item=item, unit=unit).count() == 2


def test_the_last_place_has_one_winner_and_the_loser_is_told(place, unit):
    item = make.item(place.community)
    make.claim(item, unit)
    with pytest.raises(Conflict, match="名额已满"):
        make.claim(item, make_unit(place.community))


def test_more_places_than_are_left_are_refused_with_the_figure(place, unit):
    item = make.item(place.community, capacity=3)
    make.claim(item, unit, quantity=2)
    with pytest.raises(Refused, match="只剩 1 个") as refused:
        make.claim(item, make_unit(place.community), quantity=2)
    assert refused.value.field == "quantity"


@pytest.mark.parametrize(
    ("values", "field"),
    [({"quantity": 0}, "quantity"), ({"due_on": timezone.localdate() - timedelta(1)}, "due_on")],
)
def test_a_claim_of_nothing_or_of_yesterday_is_refused(place, unit, values, field):
    with pytest.raises(Refused) as refused:
        make.claim(make.item(place.community), unit, **values)
    assert refused.value.field == field


def test_nobody_claims_their_own_or_for_another(place, unit):
    own, theirs = make.item(place.community), make.item(unit, kind="resource")
    worker, liaison = make.worker(place.community), make.liaison(unit)
    with pytest.raises(Refused, match="自己"):
        claim_item(item=own, by=worker, area=place.community)
    with pytest.raises(Refused, match="自己"):
        claim_item(item=theirs, by=liaison, unit=unit)
    for by, side in [
        (worker, {"unit": unit}),
        (worker, {"area": place.sibling_community}),
        (liaison, {"unit": make_unit(place.community)}),
        (person("grid_worker", place.grid), {"area": place.community}),
    ]:
        with pytest.raises(PermissionDenied):
            claim_item(item=own, by=by, **side)
    for side in ({}, {"area": place.community, "unit": unit}, {"area": place.district}):
        with pytest.raises(Refused):
            claim_item(item=own, by=worker, **side)


@pytest.mark.parametrize("state", ["draft", "pending", "returned"])
def test_what_is_not_published_is_neither_seen_nor_claimed(place, unit, state):
    item = make.item(place.community, state=state)
    with pytest.raises(PermissionDenied):
        claim_item(item=item, by=make.liaison(unit), unit=unit)
    with pytest.raises(Conflict):
        claim_item(item=item, by=make.worker(place.street), area=place.street)
    assert not Claim.objects.exists()


def test_contact_within_seven_days_or_it_shows(place, unit):
    claim = make.claim(make.item(place.community), unit)
    assert not claim.contact_overdue
    late = timezone.now() - timedelta(days=8)
    Claim.objects.filter(pk=claim.pk).update(claimed_at=late)
    claim.refresh_from_db()
    assert claim.contact_overdue
    week_ago = timezone.now() - timedelta(days=7)
    assert list(Claim.objects.uncontacted_since(week_ago)) == [claim]
    transit(claim, "contact", by=make.liaison(unit))
    assert not Claim.objects.uncontacted_since(week_ago).exists()


def test_both_sides_and_those_above_them_see_a_claim_and_nobody_else(place, unit):
    item = make.item(place.other_community)
    claim = make.claim(item, unit)
    sees = [
        make.liaison(unit),
        make.worker(place.community),
        person("street_officer", place.street),
        make.worker(place.other_community),
        person("street_officer", place.other_street),
        person("org_department", place.city),
    ]
    blind = [
        make.liaison(make_unit(place.community)),
        make.worker(place.sibling_community),
        person("system_admin"),
    ]
    for user in sees:
        assert list(Claim.objects.visible_to(user)) == [claim]
        assert Claim.scope.holds(claim, user)
    for user in blind:
        assert not Claim.objects.visible_to(user).exists()
        assert not Claim.scope.holds(claim, user)


def test_a_place_has_the_claims_on_its_items_and_those_of_its_claimants(place, unit):
    inward = make.claim(make.item(place.community), make_unit(place.other_community))
    outward = make.claim(make.item(place.other_community), unit)
    make.claim(make.item(place.other_community), make_unit(place.other_community))
    for node in (place.community, place.street, place.district):
        assert set(Claim.objects.at(node)) == {inward, outward}
    assert Claim.objects.at(place.city).count() == 3
    assert not Claim.objects.at(place.sibling_community).exists()


def test_a_unit_that_has_left_and_a_place_that_is_no_more_take_no_part(place, unit):
    item = make.item(place.community)
    liaison, worker = make.liaison(unit), make.worker(place.sibling_community)
    move_out(unit)
    unit.refresh_from_db()
    with pytest.raises(Refused, match="已迁出"):
        claim_item(item=item, by=liaison, unit=unit)
    gone = place.sibling_community
    gone.state = "retired"
    with pytest.raises(Refused, match="已撤销"):
        make.item(gone, by=worker, state="draft")


@pytest.mark.parametrize(
    "wrong",
    [
        {"direction": "area_need"},
        {"quantity": 0},
        {"state": "contacting"},
        {"state": "withdrawn"},
        {"accepted_at": timezone.now()},
        {"contacted_at": timezone.now() - timedelta(days=1)},
    ],
)
def test_the_database_holds_what_matters(place, unit, wrong):
    claim = make.claim(make.item(place.community), unit)
    with pytest.raises(IntegrityError), transaction.atomic():
        Claim.objects.filter(pk=claim.pk).update(**wrong)


def test_an_item_is_open_to_all_once_published_and_to_its_side_before(place, unit):
    draft, published = make.item(unit, state="draft"), make.item(unit)
    far = make.liaison(make_unit(place.other_community))
    assert list(Item.objects.visible_to(far)) == [published]
    for near in (make.liaison(unit), make.worker(place.community)):
        assert set(Item.objects.visible_to(near)) == {draft, published}
    assert not Item.objects.visible_to(person("security_auditor")).exists()


def test_open_states_are_all_but_the_ends():
    assert set(OPEN_CLAIM) == set(ClaimState) - {ClaimState.CLOSED, ClaimState.WITHDRAWN}


def _copy(claim: Claim) -> Claim:
    claim.pk = None
    claim._state.adding = True
    return claim
