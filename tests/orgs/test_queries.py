"""Reads of the tree: counts, search by how a name is typed, and the paths of past days."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db.models import Count
from django.utils import timezone

from core.again import again
from orgs.actions.tree import create_area, move_area, rename_area, retire_area
from orgs.enums import AreaKind
from orgs.models import Area, AreaHistory, Unit
from orgs.pinyin import reading
from orgs.queries import (
    child_nodes,
    children,
    counts_below,
    next_code,
    nodes_above,
    path_names,
    paths_on,
    search_areas,
    top_areas,
    with_path_on,
)
from tests.factories.accounts import person
from tests.factories.orgs import late_unit, small_city, unit

pytestmark = pytest.mark.django_db


@pytest.fixture
def place():
    return small_city()


@pytest.mark.parametrize(
    ("name", "full", "first"),
    [
        ("重庆路街道", "chongqinglujiedao", "cqljd"),
        ("即墨区", "jimoqu", "jmq"),
        ("长沙路居委会", "changshalujuweihui", "csl"),
        ("湛山社区居民委员会", "zhanshanshequjuminweiyuanhui", "zssq"),
        ("张村村民委员会", "zhangcuncunminweiyuanhui", "zc"),
        ("居委会", "juweihui", "jwh"),
        ("第3网格", "di3wangge", "d3wg"),
        ("A区（东）", "aqudong", "aqd"),
        ("长庆社区", "zhangqingshequ changqingshequ", "zqsq cqsq"),
    ],
)
def test_names_are_read_as_people_type_them(name, full, first):
    assert reading(name) == (full, first)


def test_search_finds_by_name_code_pinyin_and_initials_the_likeliest_first(place):
    for number, name in enumerate(["重庆路社区居委会", "南重庆路社区居委会", "长庆社区"], start=3):
        create_area(
            kind="community", code=f"37990100100{number}", name=name, parent=place.street, by=None
        )
    officer = person("street_officer", place.street)

    def names(text, **more):
        return [area.name for area in search_areas(officer, text, **more)]

    assert names("重庆路") == ["重庆路社区居委会", "南重庆路社区居委会"]
    for text in ("cqlsq", "CQL", "chongqing", "chong qing lu", "379901001003"):
        assert names(text)[0] == "重庆路社区居委会", text
    assert names("cq") == ["重庆路社区居委会", "长庆社区"]
    assert names("379901001", kinds=["street"]) == [place.street.name]
    assert len(search_areas(officer, "", limit=3)) == 3


def test_search_stays_within_sight_and_within_what_stands(place):
    officer = person("street_officer", place.street)
    assert search_areas(officer, place.other_community.name) == []
    assert search_areas(officer, place.community.name) == [place.community]
    retire_area(area=place.grid, by=None)
    retire_area(area=place.community, by=None)
    assert search_areas(officer, place.community.name) == []


def test_the_tree_begins_where_a_grant_begins(place):
    assert list(top_areas(person("street_officer", place.street))) == [place.street]
    both = person("street_officer", place.street)
    from accounts.models import Grant

    for area in (place.community, place.other_street):
        Grant.objects.create(
            user=both, role="community_worker", area=area, starts_on=date(2020, 1, 1)
        )
    assert list(top_areas(both)) == [place.street, place.other_street]
    assert not top_areas(person("system_admin"))


def test_counts_and_children_leave_out_what_is_struck_off(place, django_assert_num_queries):
    retire_area(area=place.grid, by=None)
    areas = [place.city, place.street, place.community, place.grid]
    with django_assert_num_queries(4):
        counts = counts_below(areas)
    assert counts[place.city.pk] == {"district": 2, "street": 4, "community": 8, "grid": 7}
    assert counts[place.street.pk] == {"community": 2, "grid": 1}
    assert counts[place.community.pk] == {}
    assert list(children(place.community)) == []
    assert list(children(place.community, retired=True)) == [place.grid]


def test_the_lean_reads_tell_what_the_full_ones_tell(place):
    retire_area(area=place.grid, by=None)
    for area in (place.city, place.street, place.community, place.grid):
        below = [(a.pk, a.kind, a.code, a.name) for a in children(area)]
        above = [(a.pk, a.kind, a.code, a.name) for a in Area.objects.above(area)]
        for _ in range(2):  # built, and run again
            assert child_nodes(area) == below
            assert nodes_above(area) == above
    assert str(nodes_above(place.street)[-1]) == place.district.name


def test_a_query_that_is_run_again_takes_each_of_its_ids():
    @again
    def forgetful(one: int, other: int):
        return Area.objects.filter(pk=one).values_list("pk")

    with pytest.raises(ValueError, match="forgetful"):
        forgetful(1, 2)


def test_next_code(place):
    assert next_code(place.city) == "379903000000"
    assert next_code(place.street) == "379901001003"
    assert next_code(place.community) == f"{place.community.code}002"
    assert next_code(place.grid) == f"{place.grid.code}001"
    create_area(kind="community", code="379901001999", name="末", parent=place.street, by=None)
    assert next_code(place.street) == ""


def by_street(day):
    facts = with_path_on(Unit.objects.all(), day)
    rows = facts.values_list("path__street").annotate(n=Count("pk"))
    return dict(rows.order_by())


def test_last_years_counts_add_up_after_moves_and_mergers(place):
    for area in Area.objects.filter(kind__in=["grid", "community"]):
        unit(area)
    today = timezone.localdate()
    last_year, spring = today - timedelta(days=400), today - timedelta(days=200)
    before = by_street(last_year)
    assert sum(before.values()) == Unit.objects.count()
    move_area(area=place.community, parent=place.other_street, on=spring, by=None)
    rename_area(area=place.other_street, name="新名街道", on=spring, by=None)
    retire_area(area=place.sibling_community, successor=place.other_community, on=today, by=None)
    late = late_unit(place.sibling_community)
    assert by_street(last_year) == {**before, place.street.pk: before[place.street.pk] + 1}
    late.delete()
    assert by_street(last_year) == before
    assert by_street(spring) == {
        **before,
        place.street.pk: before[place.street.pk] - 2,
        place.other_street.pk: before[place.other_street.pk] + 2,
    }
    now = by_street(today)
    assert place.street.pk not in now
    assert sum(now.values()) == sum(before.values())
    # What the history says of today is what the stamps say.
    stamped = Unit.objects.values_list("street").annotate(n=Count("pk")).order_by()
    assert now == dict(stamped)


def test_every_area_has_one_path_on_any_day(place):
    today = timezone.localdate()
    new = create_area(
        kind="community", code="379901001003", name="新社区", parent=place.street, by=None
    )
    retire_area(area=place.community, successor=new, on=today - timedelta(days=0), by=None)
    for day in (date(1999, 12, 31), today - timedelta(days=1), today, date(2100, 1, 1)):
        rows = list(paths_on(day).values_list("area_id", flat=True))
        assert sorted(rows) == sorted(Area.objects.values_list("pk", flat=True))


def test_names_of_a_path_as_they_were(place):
    today = timezone.localdate()
    rename_area(area=place.street, name="新名街道", by=None)
    move_area(area=place.community, parent=place.other_street, by=None)
    then = path_names(place.grid, today - timedelta(days=1))
    assert [step.name for step in then] == [
        "测试市",
        "东区",
        "11号街道",
        "111社区居委会",
        "第一网格",
    ]
    grid = Area.objects.get(pk=place.grid.pk)
    assert [s.name for s in path_names(grid)] == [s.name for s in path_names(grid, today)]
    assert [s.kind for s in path_names(grid)] == list(AreaKind)[:5]


def test_who_stood_in_a_period(place):
    today = timezone.localdate()
    new = create_area(
        kind="community", code="379901001003", name="新", parent=place.street, by=None
    )
    retire_area(area=place.community, successor=place.sibling_community, by=None)

    def standing(first, last):
        rows = AreaHistory.objects.standing(first, last).filter(area__kind="community")
        return set(rows.values_list("area_id", flat=True))

    before = standing(today - timedelta(days=90), today - timedelta(days=1))
    assert place.community.pk in before
    assert new.pk not in before
    now = standing(today, today)
    assert place.community.pk not in now
    assert new.pk in now
