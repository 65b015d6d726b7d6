from datetime import date, time, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from core.audit import timeline
from core.errors import Conflict, Refused
from core.transitions import transit
from services.actions.items import (
    create_item,
    discard_item,
    edit_item,
    resize_item,
    submit_item,
)
from services.enums import ItemState
from services.models import Item
from services.rounds import round_of
from services.transitions import ITEM
from tests.factories import services as make
from tests.factories.accounts import person
from tests.factories.orgs import unit as make_unit

NEED = {"kind": "need", "title": "义诊", "content": "为老人量血压。"}


def test_a_draft_belongs_to_its_side_and_gets_a_number(place, unit):
    worker = make.worker(place.community)
    item = create_item(by=worker, area=place.community, unions=["teams", "orgs"], **NEED)
    year = timezone.localdate().year
    assert item.number == f"{place.community.code}-{year}-0001"
    assert item.publisher == place.community.name
    assert item.union_labels == ["组织联设", "队伍联建"]
    assert (item.community_id, item.city_id) == (place.community.pk, place.city.pk)

    theirs = create_item(by=make.liaison(unit), unit=unit, **NEED)
    assert theirs.number.endswith("-0002")
    assert theirs.publisher == unit.name
    assert theirs.area == unit.area


def test_a_grid_counts_within_its_community_and_says_which(place):
    item = create_item(by=person("grid_worker", place.grid), area=place.grid, **NEED)
    assert item.number.startswith(place.community.code + "-")
    assert item.publisher == f"{place.community.name}{place.grid.name}"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"title": " "}, "title"),
        ({"title": "长" * 81}, "title"),
        ({"kind": "wish"}, "kind"),
        ({"topic": "none"}, "topic"),
        ({"unions": ["orgs", "none"]}, "unions"),
        ({"capacity": 0}, "capacity"),
        ({"opens_at": timezone.datetime(2026, 1, 1, 9).time()}, "closes_at"),
        ({"weekdays": "18"}, "weekdays"),
        ({"due_on": timezone.localdate() - timedelta(days=1)}, "due_on"),
        ({"content": "请联系张阿姨 13812341234"}, "content"),
        ({"content": "老人住 3 号楼 2 单元 301 室"}, "content"),
        ({"title": "身份证 37020219900101001X"}, "title"),
        ({"contact": "37020219900101001X"}, "contact"),
    ],
)
def test_what_the_lists_do_not_hold_is_refused_with_the_field(place, values, field):
    worker = make.worker(place.community)
    with pytest.raises(Refused) as refused:
        create_item(by=worker, area=place.community, **{**NEED, **values})
    assert refused.value.field == field
    assert not Item.objects.exists()


def test_a_building_and_a_phone_of_the_office_may_be_named(place):
    worker = make.worker(place.community)
    create_item(
        by=worker,
        area=place.community,
        contact="社区大厅 0532-88881234",
        **{**NEED, "content": "3 号楼电梯停运，需要志愿者 20260718 起帮忙送菜。"},
    )


def test_nobody_drafts_for_another_side(place, unit):
    worker, liaison = make.worker(place.community), make.liaison(unit)
    for by, side in [
        (worker, {"area": place.other_community}),
        (worker, {"unit": unit}),
        (liaison, {"area": place.community}),
        (person("org_department", place.city), {"area": place.community}),
    ]:
        with pytest.raises(PermissionDenied):
            create_item(by=by, **side, **NEED)
    assert not Item.objects.exists()


def test_an_item_is_for_one_side_low_enough_in_the_tree(place, unit):
    worker = make.worker(place.community)
    for side in [{}, {"area": place.community, "unit": unit}, {"area": place.city}]:
        with pytest.raises(Refused) as refused:
            create_item(by=worker, **side, **NEED)
        assert refused.value.field == "publisher"


STATES_BY_HAND = ("draft", "pending", "returned", "published")
LEGAL = {
    ("draft", "submit"): "pending",
    ("returned", "submit"): "pending",
    ("pending", "recall"): "draft",
    ("pending", "publish"): "published",
    ("pending", "return"): "returned",
    ("published", "withdraw"): "returned",
}
BY_HAND = ("submit", "recall", "publish", "return", "withdraw")


@pytest.mark.parametrize("state", STATES_BY_HAND)
def test_each_step_is_legal_from_its_states_alone(place, unit, state):
    """A unit's item: the unit writes and submits, its community decides."""
    author, office = make.liaison(unit), make.worker(place.community)
    for name in BY_HAND:
        item = make.item(unit, state=state)
        by = author if name in ("submit", "recall") else office
        wanted = LEGAL.get((state, name))
        if wanted is None:
            with pytest.raises(Conflict):
                transit(item, name, by=by, reason="理由")
            continue
        assert transit(item, name, by=by, reason="理由").state == wanted


@pytest.mark.parametrize(("state", "name"), list(LEGAL))
def test_each_step_is_its_side_s_alone(place, unit, state, name):
    item = make.item(unit, state=state)
    strangers = [
        make.worker(place.sibling_community),
        make.liaison(make_unit(place.community)),
        person("org_department", place.city),
        person("grid_worker", place.grid),
    ]
    strangers.append(
        make.worker(place.community) if name in ("submit", "recall") else make.liaison(unit)
    )
    for by in strangers:
        with pytest.raises(PermissionDenied):
            transit(item, name, by=by, reason="理由")
    item.refresh_from_db()
    assert item.state == state
    if name not in ("submit", "recall"):
        street = person("street_officer", place.street)
        assert transit(item, name, by=street, reason="理由").state == LEGAL[state, name]


def test_no_person_takes_a_step_that_follows_the_claims(place):
    item = make.item(place.community)
    everyone = [make.worker(place.community), person("street_officer", place.street)]
    for by in everyone:
        assert {o.transition.name for o in ITEM.offers(item, by)} == {"withdraw"}
        for name in set(ITEM.transitions) - set(BY_HAND):
            with pytest.raises(PermissionDenied):
                transit(item, name, by=by)


def test_a_return_says_why_and_publication_clears_it(place, unit):
    item = make.item(unit, state="pending")
    office = make.worker(place.community)
    with pytest.raises(Refused, match="理由"):
        transit(item, "return", by=office, reason="  ")
    item = transit(item, "return", by=office, reason="请写明时段")
    assert (item.return_reason, item.decided_by) == ("请写明时段", office)
    item = submit_item(item=item, by=make.liaison(unit))
    item = transit(item, "publish", by=office)
    assert item.return_reason == ""
    assert item.published_at is not None
    assert item.round == round_of(timezone.localdate())
    assert [e.action.rsplit(".", 1)[1] for e in timeline(item)] == [
        "create", "submit", "return", "submit", "publish",
    ]  # fmt: skip


def test_a_date_that_has_passed_is_mended_before_it_is_handed_in(place):
    worker = make.worker(place.community)
    today = timezone.localdate()
    item = make.item(place.community, state="draft", due_on=today)
    _let_its_date_pass(item)
    with pytest.raises(Refused, match="请先修改时限"):
        submit_item(item=item, by=worker)
    with pytest.raises(Refused) as refused:
        edit_item(item=item, by=worker, title="只改名称")
    assert refused.value.field == "due_on"
    item = edit_item(item=item, by=worker, due_on=today)
    assert submit_item(item=item, by=worker).state == ItemState.PENDING


def test_what_is_overdue_already_is_not_published(place):
    worker = make.worker(place.community)
    item = make.item(place.community, state="pending", due_on=timezone.localdate())
    _let_its_date_pass(item)
    with pytest.raises(Refused, match="请先退回"):
        transit(item, "publish", by=worker)
    item = transit(item, "return", by=worker, reason="请改期")
    with pytest.raises(Refused, match="请先修改时限"):
        transit(item, "submit", by=worker)


def _let_its_date_pass(item):
    Item.objects.filter(pk=item.pk).update(due_on=timezone.localdate() - timedelta(days=1))


def test_who_may_decide_publishes_in_one_go(place, unit):
    worker = make.worker(place.community)
    item = create_item(by=worker, area=place.community, **NEED)
    assert submit_item(item=item, by=worker, publish=True).state == ItemState.PUBLISHED
    theirs = create_item(by=make.liaison(unit), unit=unit, **NEED)
    with pytest.raises(PermissionDenied):
        submit_item(item=theirs, by=make.liaison(unit), publish=True)
    theirs.refresh_from_db()
    assert theirs.state == ItemState.DRAFT


@pytest.mark.parametrize(
    ("day", "opening"),
    [
        (date(2026, 7, 9), date(2026, 6, 10)),
        (date(2026, 7, 10), date(2026, 7, 10)),
        (date(2026, 1, 3), date(2025, 12, 10)),
        (date(2026, 3, 31), date(2026, 3, 10)),
    ],
)
def test_a_round_runs_from_the_10th_to_the_9th(day, opening):
    assert round_of(day) == opening


def test_two_people_edit_one_draft_and_the_second_is_told(place):
    worker = make.worker(place.community)
    item = make.item(place.community, state="draft", by=worker)
    edit_item(item=item, by=worker, version=item.version, title="第一稿", unions=["orgs"])
    with pytest.raises(Conflict, match="他人保存"):
        edit_item(item=item, by=worker, version=item.version, title="第二稿")
    item.refresh_from_db()
    assert (item.title, item.version, item.unions) == ("第一稿", 2, ",orgs,")
    assert "第一稿" in item.search


def test_what_is_submitted_or_foreign_is_not_edited_or_discarded(place, unit):
    item = make.item(unit, state="pending")
    author = make.liaison(unit)
    with pytest.raises(Conflict, match="待审"):
        edit_item(item=item, by=author, version=item.version, title="改")
    with pytest.raises(Conflict):
        discard_item(item=item, by=author)
    item = transit(item, "recall", by=author)
    for stranger in (make.worker(place.community), make.worker(place.other_community)):
        with pytest.raises(PermissionDenied):
            edit_item(item=item, by=stranger, version=item.version, title="改")
        with pytest.raises(PermissionDenied):
            discard_item(item=item, by=stranger)
    discard_item(item=item, by=author)
    assert not Item.objects.exists()


def test_places_can_be_added_and_never_fall_below_what_is_claimed(place):
    item = make.item(place.community, capacity=3)
    make.claim(item, make_unit(place.community))
    make.claim(item, make_unit(place.community))
    office = make.worker(place.community)
    with pytest.raises(Refused, match="2 个名额"):
        resize_item(item=item, capacity=1, by=office)
    item = resize_item(item=item, capacity=2, by=office)
    assert item.state == ItemState.CLAIMED
    item = resize_item(item=item, capacity=4, by=office)
    assert (item.state, item.places_left) == (ItemState.PUBLISHED, 2)
    with pytest.raises(PermissionDenied):
        resize_item(item=item, capacity=9, by=make.worker(place.other_community))
    with pytest.raises(Conflict):
        resize_item(item=make.item(place.community, state="draft"), capacity=2, by=office)


def test_what_is_claimed_is_not_withdrawn(place):
    item = make.item(place.community, capacity=2)
    make.claim(item, make_unit(place.community))
    offer = next(o for o in ITEM.offers(Item.objects.get(pk=item.pk), make.worker(place.community)))
    assert not offer.allowed
    with pytest.raises(Refused, match="不能撤下"):
        transit(item, "withdraw", by=make.worker(place.community), reason="改期")


@pytest.mark.parametrize(
    "wrong",
    [
        {"claimed": 2},
        {"capacity": 0},
        {"published_at": None},
        {"round": None},
        {"state": "draft"},
        {"state": "closed"},
        {"closed_at": timezone.now()},
        {"decided_by": None},
        {"opens_at": time(9)},
        {"closes_at": time(17)},
        {"opens_at": time(9), "closes_at": time(9)},
    ],
)
def test_the_database_holds_what_matters(place, wrong):
    item = make.item(place.community)
    with pytest.raises(IntegrityError), transaction.atomic():
        Item.objects.filter(pk=item.pk).update(**wrong)


def test_search_finds_every_word_in_any_case(place):
    one = make.item(place.community, title="WiFi 安装", content="活动室需要网络。")
    make.item(place.community, title="活动室粉刷")
    assert list(Item.objects.matching("wifi 活动室")) == [one]
    assert Item.objects.matching("活动室").count() == 2
    assert not Item.objects.matching("wifi 粉刷").exists()
