"""check_tree: each way in which derived data can rot is named and put right."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F

from orgs.actions.tree import move_area, retire_area
from orgs.actions.tree.checks import faults
from orgs.models import Area, AreaHistory, Unit
from tests.factories.orgs import small_city, unit

pytestmark = pytest.mark.django_db
AREAS = Area._base_manager  # past the refusal, as a hand in psql would


@pytest.fixture
def place():
    place = small_city()
    for area in Area.objects.exclude(kind="city"):
        unit(area)
    return place


def check(*options) -> str:
    out = StringIO()
    try:
        call_command("check_tree", *options, stdout=out)
    except CommandError as error:
        return f"{out.getvalue()}{error}"
    return out.getvalue()


def state():
    """All that the tree and its facts say, to compare before and after."""
    return [list(m._base_manager.order_by("pk").values()) for m in (Area, AreaHistory, Unit)]


CORRUPTIONS = {
    "层次与上级不衔接": lambda p: AREAS.filter(pk=p.grid.pk).update(level=7),
    "树号与上级不同": lambda p: AREAS.filter(pk=p.street.pk).update(tree_id=999),
    "城市的层次或树号不对": lambda p: AREAS.filter(pk=p.city.pk).update(tree_id=999),
    "左右值不在上级之内": lambda p: AREAS.filter(pk=p.grid.pk).update(rght=F("rght") + (1 << 40)),
    "左右值颠倒": lambda p: AREAS.filter(pk=p.grid.pk).update(lft=F("rght")),
    "与同级的左右值重叠": lambda p: AREAS.filter(pk=p.sibling_community.pk).update(
        lft=p.community.lft, rght=p.community.rght
    ),
    "没有按代码排在同级中": lambda p: (
        AREAS.filter(pk=p.grid.pk).update(lft=0, rght=0),
        AREAS.filter(pk=p.street.pk).update(code="379901003000"),
    ),
    "各级所属与上级链不符": lambda p: AREAS.filter(pk=p.grid.pk).update(street=p.other_street),
    "各级所属与所在地不符": lambda p: Unit.objects.filter(area=p.grid).update(district=None),
    "没有现行的沿革记录": lambda p: AreaHistory.objects.filter(area=p.grid).delete(),
    "现行的沿革记录与现状不符": lambda p: AreaHistory.objects.filter(area=p.grid).update(name="x"),
    "沿革记录前后不相接": lambda p: AreaHistory.objects.filter(area=p.grid).update(
        valid_from="2024-01-01"
    ),
}


def test_a_whole_tree_is_said_to_be_whole(place):
    assert check() == "区划树完好，共 23 个节点。\n"
    before = state()
    assert "完好" in check("--fix")
    assert state() == before


@pytest.mark.parametrize("why", CORRUPTIONS)
def test_each_corruption_is_named_and_fixed(place, why):
    CORRUPTIONS[why](place)
    said = check()
    assert why in said
    assert "加 --fix" in said
    assert "全部修复" in check("--fix")
    assert list(faults()) == []
    assert "完好" in check()


def test_the_node_is_named(place):
    AREAS.filter(pk=place.grid.pk).update(level=7)
    assert f"{place.grid.code} 第一网格：层次与上级不衔接" in check()


def test_a_fix_restores_what_was_there(place):
    move_area(area=place.community, parent=place.other_street, by=None)
    retire_area(area=place.sibling_community, successor=place.community, by=None)
    before = state()[2]
    drawn = list(Area.objects.in_order().values_list("pk", flat=True))
    stamps = list(Area.objects.order_by("pk").values("street", "community", "grid", "level"))
    AREAS.update(lft=1, rght=2, tree_id=3, level=4, city=None, street=None, community=None)
    Unit.objects.update(city=None, street=None, community=None, grid=None)
    assert "全部修复" in check("--fix")
    assert state()[2] == before
    assert list(Area.objects.in_order().values_list("pk", flat=True)) == drawn
    assert (
        list(Area.objects.order_by("pk").values("street", "community", "grid", "level")) == stamps
    )


def test_a_gap_in_the_history_is_closed(place):
    move_area(area=place.community, parent=place.other_street, by=None)
    AreaHistory.objects.filter(area=place.grid, valid_to__isnull=False).update(
        valid_to="2001-01-01"
    )
    AreaHistory.objects.filter(area=place.community, valid_to=None).update(valid_to=F("valid_from"))
    assert "沿革记录前后不相接" in check()
    assert "全部修复" in check("--fix")


@pytest.mark.parametrize(
    ("why", "corrupt"),
    [
        (
            "上级成环",
            lambda p: AREAS.filter(pk=p.district.pk).update(parent=p.grid, kind="district"),
        ),
        ("上级的层级不对", lambda p: AREAS.filter(pk=p.grid.pk).update(parent=p.other_street)),
        (
            "上级却已撤销",
            lambda p: AREAS.filter(pk=p.community.pk).update(
                state="retired", valid_to=F("valid_from")
            ),
        ),
    ],
)
def test_wrong_parent_links_are_left_to_people(place, why, corrupt):
    corrupt(place)
    assert why in check()
    said = check("--fix")
    assert "须人工处理" in said
    assert why in said
