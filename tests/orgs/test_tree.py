"""Create, rename, move and retire: the rules, the right, the paths and the stamps."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.utils import timezone

from core import audit
from core.errors import Conflict, Refused
from orgs.actions.tree import create_area, move_area, rename_area, retire_area
from orgs.actions.tree.checks import faults
from orgs.enums import BEGINNING
from orgs.models import Area, AreaHistory, Unit
from orgs.querysets import OutsideTheTreeAction
from tests.factories.accounts import person
from tests.factories.orgs import late_unit, small_city, unit

pytestmark = pytest.mark.django_db


@pytest.fixture
def place():
    return small_city()


@pytest.fixture(autouse=True)
def _the_tree_stays_whole(db):
    yield
    assert list(faults()) == []


def fresh(obj):
    return type(obj).objects.get(pk=obj.pk)


def today():
    return timezone.localdate()


def codes(queryset):
    return [area.code for area in queryset]


def test_children_stand_in_the_order_of_their_codes_whatever_order_they_came_in(place):
    for last in ("009", "003", "007", "005"):
        code = f"379901001{last}"
        create_area(kind="community", code=code, name="新社区", parent=place.street, by=None)
    siblings = Area.objects.filter(parent=place.street).in_order()
    assert [c[-3:] for c in codes(siblings)] == ["001", "002", "003", "005", "007", "009"]


def test_an_insert_writes_no_other_node(place):
    before = {a.pk: (a.lft, a.rght) for a in Area.objects.all()}
    new = create_area(
        kind="community", code="379901001003", name="新社区", parent=place.street, by=None
    )
    after = {a.pk: (a.lft, a.rght) for a in Area.objects.exclude(pk=new.pk)}
    assert after == before


def _written() -> dict[int, str]:
    """Where each row stands in the table: one that is written again stands elsewhere."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, ctid::text FROM orgs_area")
        return dict(cursor.fetchall())


@pytest.mark.postgres
def test_a_move_to_the_neighbour_writes_what_moves_and_nothing_else(place):
    """Bounded by the span between the two, and less: of all nodes in it only those that move."""
    street, neighbour = (place.all[f"37990100{n}000"] for n in (1, 2))
    for n in range(3, 9):
        code = f"{street.code[:9]}{n:03d}"
        new = create_area(kind="community", code=code, name="新社区", parent=street, by=None)
        create_area(kind="grid", code=f"{code}001", name="第一网格", parent=new, by=None)
    span = Area.objects.filter(lft__gte=fresh(street).lft, rght__lte=fresh(neighbour).rght)
    moving = fresh(place.sibling_community)
    before, between = _written(), set(span.values_list("pk", flat=True))
    move_area(area=moving, parent=neighbour, by=None)
    after = _written()
    touched = {pk for pk, at in after.items() if before[pk] != at}
    assert touched == set(Area.objects.under(moving).values_list("pk", flat=True))
    assert len(touched) == 2
    assert touched < between
    assert len(between) == 22


@pytest.mark.parametrize(
    ("fields", "field", "says"),
    [
        ({"code": ""}, "code", "不能为空"),
        ({"code": "37990100100３"}, "code", "只能由数字组成"),
        ({"code": "3.79901E+11"}, "code", "科学计数法"),
        ({"code": "3799010010"}, "code", "12 位，这里是 10 位"),
        ({"code": "379901001000"}, "code", "不能全是 0"),
        ({"code": "379902001003"}, "code", "应以上级代码的前 9 位 379901001 开头"),
        ({"code": "379901001001"}, "code", "已被使用"),
        ({"name": "  "}, "name", "不能为空"),
        ({"name": "甲" * 81}, "name", "最多 80 个字"),
        ({"name": "甲\n乙"}, "name", "看不见的字符"),
        ({"kind": "street", "code": "379901009000"}, "parent", "街道/镇的上级须是区县"),
        ({"kind": "grid", "code": "379901001009001"}, "parent", "网格的上级须是社区/村"),
        ({"kind": "city", "code": "379800000000"}, "parent", "城市没有上级"),
        ({"parent": None}, "parent", "不能为空"),
        ({"valid_from": date(2999, 1, 1)}, "valid_from", "不能晚于今天"),
    ],
)
def test_a_wrong_input_is_refused_where_it_stands(place, fields, field, says):
    good = {"kind": "community", "code": "379901001003", "name": "新社区", "parent": place.street}
    with pytest.raises(Refused, match=says) as error:
        create_area(**{**good, **fields}, by=None)
    assert error.value.field == field
    assert not Area.objects.filter(name="新社区").exists()


def test_codes_of_every_level():
    city = create_area(kind="city", code="370200000000", name="甲市", parent=None, by=None)
    below = city
    for kind, code in [
        ("district", "370202000000"),
        ("street", "370202001000"),
        ("community", "370202001001"),
        ("grid", "370202001001001"),
        ("building", "370202001001001001"),
    ]:
        below = create_area(kind=kind, code=code, name="下级", parent=below, by=None)
    assert below.level == 5
    assert codes(Area.objects.above(below)) == codes(
        Area.objects.exclude(pk=below.pk).order_by("code")
    )


def test_who_may_change_what(place):
    street, community = person("street_officer", place.street), place.community
    worker = person("community_worker", community)
    new = {"kind": "community", "code": "379901001003", "name": "新社区"}
    create_area(**new, parent=place.street, by=street)
    with pytest.raises(PermissionDenied):
        create_area(**{**new, "code": "379901002003"}, parent=place.all["379901002000"], by=street)
    with pytest.raises(PermissionDenied):
        rename_area(area=community, name="别名", by=worker)
    grid = create_area(
        kind="grid", code=f"{community.code}002", name="二网格", parent=community, by=worker
    )
    with pytest.raises(PermissionDenied):
        move_area(area=grid, parent=place.sibling_community, by=worker)
    with pytest.raises(PermissionDenied):
        create_area(kind="city", code="370000000000", name="市", parent=None, by=street)


def test_a_rename_is_typed_dated_and_audited(place):
    day = today()
    renamed = rename_area(area=place.community, name="重庆路社区居委会", by=None)
    assert (renamed.pinyin, renamed.initials) == ("chongqinglushequjuweihui", "cqlsq")
    assert renamed.version == place.community.version + 1
    was, now = AreaHistory.objects.filter(area=renamed).order_by("valid_from")
    assert (was.name, was.valid_from, was.valid_to) == (
        place.community.name,
        BEGINNING,
        day - timedelta(days=1),
    )
    assert (now.name, now.valid_from, now.valid_to) == ("重庆路社区居委会", day, None)
    assert audit.timeline(renamed).last().action == "orgs.area.rename"
    again = rename_area(area=place.community, name="重庆路社区居委会", by=None)
    assert again.version == renamed.version


def test_two_changes_on_one_day_leave_one_row(place):
    rename_area(area=place.community, name="甲社区", by=None)
    rename_area(area=place.community, name="乙社区", by=None)
    assert AreaHistory.objects.filter(area=place.community).count() == 2
    assert AreaHistory.objects.get(area=place.community, valid_to=None).name == "乙社区"


def test_a_new_code_puts_a_node_in_its_place_among_its_siblings(place):
    area = rename_area(
        area=place.community, name=place.community.name, code="379901001009", by=None
    )
    assert codes(Area.objects.filter(parent=place.street).in_order())[-1] == area.code
    assert fresh(place.grid).code == place.grid.code


def test_a_move_takes_all_below_and_its_facts_and_keeps_the_code(place):
    below = unit(place.grid)
    beside = unit(place.sibling_community)
    moved = move_area(area=place.community, parent=place.other_street, by=None)
    assert moved.code == place.community.code
    assert fresh(place.grid).street_id == place.other_street.pk
    assert fresh(below).district_id == place.other_district.pk
    assert fresh(below).community_id == place.community.pk
    assert fresh(beside).district_id == place.district.pk
    assert below in Unit.objects.at(place.other_street)
    assert codes(Area.objects.under(moved).in_order()) == [moved.code, place.grid.code]


def test_a_fact_in_memory_from_before_a_move_does_not_undo_its_stamps(place):
    stale = unit(place.community)
    move_area(area=place.community, parent=place.other_street, by=None)
    stale.name = "改名单位"
    stale.save()
    assert fresh(stale).street_id == place.other_street.pk
    late = unit(place.community)  # from the stale instance of the place, too
    assert late.street_id == place.other_street.pk


def test_moves_from_stale_instances_are_right(place):
    stale_grid, stale_community = place.grid, place.community
    move_area(area=stale_community, parent=place.other_street, by=None)
    move_area(area=stale_grid, parent=place.sibling_community, by=None)
    move_area(area=stale_community, parent=place.street, by=None)
    assert fresh(stale_grid).community_id == place.sibling_community.pk
    assert fresh(stale_community).street_id == place.street.pk


@pytest.mark.parametrize(
    ("what", "where", "says"),
    [
        ("community", "street", "已在.*之下"),
        ("community", "community", "它自己"),
        ("street", "grid", "它的下级"),
        ("community", "district", "上级须是街道/镇"),
        ("city", "other_district", "它的下级"),
    ],
)
def test_an_impossible_move_is_refused(place, what, where, says):
    with pytest.raises(Refused, match=says) as error:
        move_area(area=getattr(place, what), parent=getattr(place, where), by=None)
    assert error.value.field == "parent"


def test_an_old_version_is_told_so(place):
    seen = fresh(place.community).version
    rename_area(area=place.community, name="甲社区", version=seen, by=None)
    for action, fields in (
        (rename_area, {"name": "乙社区"}),
        (move_area, {"parent": place.other_street}),
        (retire_area, {}),
    ):
        with pytest.raises(Conflict, match="刚被别人改过"):
            action(area=place.community, version=seen, by=None, **fields)


def test_a_backdated_change_holds_from_its_day(place):
    day = today() - timedelta(days=40)
    move_area(area=place.community, parent=place.other_street, on=day, by=None)
    paths = {h.valid_from: h for h in AreaHistory.objects.filter(area=place.grid)}
    assert paths[day].street_id == place.other_street.pk
    assert paths[BEGINNING].valid_to == day - timedelta(days=1)
    with pytest.raises(Refused, match="不能早于"):
        rename_area(area=place.community, name="甲社区", on=day - timedelta(days=1), by=None)
    with pytest.raises(Refused, match="不能晚于今天"):
        rename_area(area=place.community, name="甲", on=today() + timedelta(days=1), by=None)


def test_a_change_of_a_parent_before_a_change_below_is_refused(place):
    rename_area(area=place.grid, name="甲网格", on=today() - timedelta(days=5), by=None)
    with pytest.raises(Refused, match=r"甲网格在.*已有变更记录"):
        move_area(
            area=place.community,
            parent=place.other_street,
            on=today() - timedelta(days=9),
            by=None,
        )
    assert fresh(place.community).parent_id == place.street.pk


def test_merging_takes_children_and_facts_to_the_successor(place):
    fact, heir = unit(place.community), place.other_community
    day = today()
    retired = retire_area(area=place.community, successor=heir, reason="撤并", by=None)
    assert (retired.state, retired.successor, retired.valid_to) == (
        "retired",
        heir,
        day - timedelta(days=1),
    )
    grid = fresh(place.grid)
    assert (grid.parent_id, grid.street_id) == (heir.pk, place.other_street.pk)
    # The fact still says where it happened; who answers for it is the successor.
    fact = fresh(fact)
    assert fact.area_id == retired.pk
    assert (fact.community_id, fact.district_id) == (heir.pk, place.other_district.pk)
    assert Unit.scope.holds(fact, person("community_worker", heir))
    was, now = AreaHistory.objects.filter(area=retired).order_by("valid_from")
    assert (was.street_id, was.valid_to) == (place.street.pk, day - timedelta(days=1))
    assert (now.community_id, now.street_id) == (heir.pk, place.other_street.pk)
    late = late_unit(place.community)  # placed at the retired node, counts under the successor
    assert late.community_id == heir.pk


def test_what_was_merged_follows_its_successor(place):
    fact = unit(place.grid)
    grid = place.grid
    heir = create_area(
        kind="grid", code=f"{place.community.code}002", name="二", parent=place.community, by=None
    )
    retire_area(area=grid, successor=heir, by=None)
    retire_area(area=place.community, successor=place.sibling_community, by=None)
    move_area(area=place.sibling_community, parent=place.other_street, by=None)
    fact = fresh(fact)
    assert (fact.area_id, fact.grid_id) == (grid.pk, heir.pk)
    assert (fact.community_id, fact.street_id) == (
        place.sibling_community.pk,
        place.other_street.pk,
    )


def test_what_was_merged_away_does_not_move_with_its_old_parent(place):
    fact = unit(place.community)
    retire_area(area=place.community, successor=place.other_community, by=None)
    move_area(area=place.street, parent=place.other_district, by=None)
    move_area(area=place.street, parent=place.district, by=None)
    assert fresh(fact).street_id == place.other_street.pk
    assert fresh(place.community).district_id == place.other_district.pk


def test_merged_building_groups_follow_too(place):
    groups = [
        create_area(
            kind="building",
            code=f"{place.grid.code}00{n}",
            name=f"{n}组",
            parent=place.grid,
            by=None,
        )
        for n in (1, 2)
    ]
    fact = unit(groups[0])
    retire_area(area=groups[0], successor=groups[1], by=None)
    other = Area.objects.get(parent=place.other_community)
    move_area(area=groups[1], parent=other, by=None)
    assert fresh(fact).grid_id == other.pk
    assert fresh(groups[0]).community_id == place.other_community.pk


def test_a_leaf_is_retired_without_a_successor_and_keeps_its_place(place):
    fact = unit(place.grid)
    retire_area(area=place.grid, by=None)
    assert fresh(fact).grid_id == place.grid.pk
    assert place.grid not in Area.objects.active()
    retire_area(area=place.community, by=None)  # nothing active is left below it
    for action, fields, error, says in (
        (rename_area, {"name": "甲"}, Refused, "撤销"),
        (move_area, {"parent": place.other_street}, Refused, "撤销"),
        (retire_area, {}, Conflict, "已于.*撤销"),
    ):
        with pytest.raises(error, match=says):
            action(area=place.community, by=None, **fields)
    with pytest.raises(Refused, match="撤销"):
        create_area(
            kind="grid",
            code=f"{place.community.code}002",
            name="二",
            parent=place.community,
            by=None,
        )
    with pytest.raises(Refused, match="撤销"):
        move_area(
            area=Area.objects.get(parent=place.other_community), parent=place.community, by=None
        )


@pytest.mark.parametrize(
    ("successor", "says"),
    [
        (None, "还有 1 个使用中的网格"),
        ("community", "不能并入自己"),
        ("street", "只能并入另一个社区"),
    ],
)
def test_an_impossible_retirement_is_refused(place, successor, says):
    heir = getattr(place, successor) if successor else None
    with pytest.raises(Refused, match=says) as error:
        retire_area(area=place.community, successor=heir, by=None)
    assert error.value.field == "successor"
    assert fresh(place.community).is_active


def test_merging_whole_districts(place):
    before = Area.objects.count()
    retire_area(area=place.district, successor=place.other_district, by=None)
    assert Area.objects.under(place.other_district).count() == before - 1  # all but the city
    assert Area.objects.active().filter(parent=place.other_district).count() == 4


def test_a_second_city_stands_beside_the_first(place):
    other = small_city("3698", "邻市")
    assert {place.city.tree_id, other.city.tree_id} == {place.city.pk, other.city.pk}
    move_area(area=place.street, parent=other.district, by=None)
    assert fresh(place.grid).city_id == other.city.pk
    assert fresh(place.grid).tree_id == other.city.pk


@pytest.mark.parametrize("step", [1, 2, 16])
def test_numbers_find_room_however_narrow(monkeypatch, step):
    monkeypatch.setattr("orgs.actions.tree.numbers.STEP", step)
    place = small_city()
    for number in range(90, 2, -1):
        create_area(
            kind="grid",
            code=f"{place.community.code}{number:03d}",
            name="网格",
            parent=place.community,
            by=None,
        )
    move_area(area=place.community, parent=place.other_street, by=None)
    move_area(area=place.other_street, parent=place.district, by=None)


def test_nobody_writes_past_the_action(place):
    area = place.community
    area.name = "别名"
    writes = [
        area.save,
        area.delete,
        lambda: area.move_to(place.other_street),
        lambda: Area(kind="grid", code="1", name="x").insert_at(area, save=True),
        lambda: Area.objects.create(kind="grid", code="1", name="x", parent=area),
        lambda: Area.objects.filter(pk=area.pk).update(name="别名"),
        lambda: Area.objects.filter(pk=area.pk).delete(),
        lambda: Area.objects.bulk_create([area]),
        lambda: Area.objects.bulk_update([area], ["name"]),
        Area.tree.rebuild,
        lambda: Area.tree.partial_rebuild(1),
        lambda: Area.tree.move_node(area, place.other_street),
        lambda: Area.tree.insert_node(area, place.other_street),
        Area.tree.delay_mptt_updates,
        lambda: Area.tree.build_tree_nodes({}),
        lambda: Area.tree.filter(pk=area.pk).update(name="别名"),
        lambda: Area.tree.filter(pk=area.pk).delete(),
    ]
    for write in writes:
        with (
            pytest.raises(OutsideTheTreeAction, match=r"by orgs\.actions\.tree alone"),
            transaction.atomic(),
        ):
            write()
    assert fresh(area).name == "111社区居委会"


def test_mptt_reads_are_right_where_numbers_have_room(place):
    district = fresh(place.district)
    assert district.get_descendant_count() == 2 + 4 + 4
    assert not district.is_leaf_node()
    assert fresh(place.grid).is_leaf_node()
    assert {a.kind for a in district.get_leafnodes()} == {"grid"}
    assert codes(fresh(place.grid).get_ancestors()) == codes(Area.objects.above(place.grid))
    assert district.get_children().count() == 2
