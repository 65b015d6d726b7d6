"""The pages of the tree: create, rename, move and retire in the browser, right and wrong."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.enums import Role
from core.views.forms import VERSION, print_of
from orgs.actions.tree import create_area, rename_area, retire_area
from orgs.actions.tree.checks import faults
from orgs.models import Area, AreaHistory
from tests.core.browsing import signed_in, text
from tests.factories.accounts import person
from tests.factories.orgs import small_city, unit

pytestmark = pytest.mark.django_db


@pytest.fixture
def place():
    return small_city()


@pytest.fixture
def worker(place) -> Client:
    return signed_in(person(Role.COMMUNITY_WORKER, place.community))


@pytest.fixture
def officer(place) -> Client:
    return signed_in(person(Role.STREET_OFFICER, place.street))


@pytest.fixture(autouse=True)
def _the_tree_stays_whole(db):
    yield
    assert list(faults()) == []


def fresh(area: Area) -> Area:
    return Area.objects.get(pk=area.pk)


def page(client, area, step=""):
    return client.get(reverse(f"orgs:area-{step}" if step else "orgs:area", args=[area.pk]))


def sent(client, area, step, version=None, **data):
    shown = print_of(fresh(area)) if version is None else version
    return client.post(reverse(f"orgs:area-{step}", args=[area.pk]), {VERSION: shown, **data})


def refused(answer, *words, kept=(), status=422) -> bool:
    """Nothing was saved; it says why in Chinese, and what was typed is still there."""
    assert answer.status_code == status, answer.status_code
    said = text(answer)
    for sentence in words:
        assert sentence in said, said
    source = answer.content.decode()
    for typed in kept:
        assert f'value="{typed}"' in source or f">\n{typed}</textarea>" in source, typed
    return True


def drawn(place, number, name="新网格", kind="grid", parent=None):
    parent = parent or place.community
    code = f"{parent.code}{number:03d}"
    return create_area(kind=kind, code=code, name=name, parent=parent, by=None)


# -- create


def test_a_community_draws_a_grid_and_a_building_group_below_it(place, worker):
    assert "新增网格" in text(page(worker, place.community))
    form = page(worker, place.community, "below").content.decode()
    assert f'value="{place.community.code}002"' in form  # the next of its numbers
    code = f"{place.community.code}002"
    done = sent(worker, place.community, "below", code=code, name=" 第二网格 ")
    grid = Area.objects.get(code=code)
    assert done.headers["Location"] == grid.get_absolute_url()
    assert (grid.name, grid.kind, grid.parent) == ("第二网格", "grid", place.community)
    shown = text(page(worker, grid))
    assert "已新增" in shown
    assert f"第二网格，属{place.community.name}：{timezone.localdate()} 至今" in shown
    assert "新增楼栋组" in shown
    sent(worker, grid, "below", code=f"{code}001", name="1号楼栋组")
    group = Area.objects.get(code=f"{code}001")
    assert (group.kind, group.grid) == ("building", grid)
    assert page(worker, group, "below").status_code == 404  # nothing lies below it


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("", "请填写区划代码"),
        ("37990100100100A", "区划代码 37990100100100A：只能由数字组成"),
        ("3.79901E+14", "只能由数字组成"),
        ("379901001001", "网格代码应为 15 位，这里是 12 位"),
        ("379901001001000", "不能全是 0"),
        ("379901001002001", "应以上级代码的前 12 位 379901001001 开头"),
        ("379901001001001", "区划代码 379901001001001 已被使用"),
    ],
)
def test_a_wrong_code_is_named_and_what_was_typed_stays(place, worker, code, words):
    before = Area.objects.count()
    answer = sent(worker, place.community, "below", code=code, name="第二网格")
    assert refused(answer, words, kept=["第二网格", *filter(None, [code])])
    assert Area.objects.count() == before


def test_a_name_is_needed_and_fits(place, worker):
    code = f"{place.community.code}002"
    answer = sent(worker, place.community, "below", code=code, name="  ")
    assert refused(answer, "请填写名称", kept=[code])
    assert refused(sent(worker, place.community, "below", code=code, name="网" * 81), "80")
    assert not Area.objects.filter(code=code).exists()


def test_nothing_is_drawn_below_what_was_struck_off_meanwhile(place, worker):
    grid = drawn(place, 2)
    shown = print_of(fresh(grid))
    retire_area(area=grid, by=None)
    answer = sent(worker, grid, "below", shown, code=f"{grid.code}001", name="1号楼栋组")
    assert refused(answer, "已被他人修改", kept=["1号楼栋组"], status=409)
    answer = sent(worker, grid, "below", code=f"{grid.code}001", name="1号楼栋组")
    assert refused(answer, "已于", "撤销", kept=["1号楼栋组"])
    assert "新增楼栋组" not in text(page(worker, grid))


# -- rename


def test_a_renamed_node_keeps_its_old_name_in_the_history(place, worker):
    assert 'value="第一网格"' in page(worker, place.grid, "rename").content.decode()
    done = sent(worker, place.grid, "rename", name="海风网格")
    assert done.headers["Location"] == place.grid.get_absolute_url()
    shown = text(page(worker, place.grid))
    assert "海风网格" in shown
    assert "第一网格" in shown  # 沿革
    assert "更名" in shown
    assert "rename" not in shown  # the timeline speaks Chinese
    assert refused(sent(worker, place.grid, "rename", name=""), "请填写名称")
    assert fresh(place.grid).name == "海风网格"


def test_of_two_who_rename_the_second_is_told_who_was_first_and_may_decide(place, worker):
    shown = print_of(fresh(place.grid))
    colleague = person(Role.COMMUNITY_WORKER, place.community)
    rename_area(area=place.grid, name="同事起的名", by=colleague)
    answer = sent(worker, place.grid, "rename", shown, name="我起的名")
    assert refused(
        answer,
        *("已被他人修改", colleague.name, "第一网格 → 同事起的名"),
        kept=["我起的名"],
        status=409,
    )
    assert fresh(place.grid).name == "同事起的名"
    assert sent(worker, place.grid, "rename", name="我起的名").status_code == 302
    assert fresh(place.grid).name == "我起的名"


# -- move


def test_a_community_moves_a_building_group_to_another_of_its_grids(place, worker):
    other = drawn(place, 2, "第二网格")
    group = drawn(place, 1, "1号楼栋组", "building", place.grid)
    form = page(worker, group, "move").content.decode()
    assert "kinds=grid&amp;perm=orgs.divide" in form  # only what fits is suggested
    answer = sent(worker, group, "move", parent="第二网格")
    assert answer.headers["Location"] == group.get_absolute_url()
    assert fresh(group).grid == other
    assert "第二网格" in text(page(worker, group))


def test_a_street_moves_a_community_only_within_its_reach(place):
    officer = signed_in(person(Role.STREET_OFFICER, place.district))
    sibling = Area.objects.filter(parent=place.district).exclude(pk=place.street.pk).get()
    fact = unit(place.community)
    assert sent(officer, place.community, "move", parent=sibling.code).status_code == 302
    moved = fresh(place.community)
    assert (moved.parent, moved.code) == (sibling, place.community.code)
    fact.refresh_from_db()
    assert fact.street_id == sibling.pk
    typed = place.other_street.code
    answer = sent(officer, place.community, "move", parent=typed)
    assert refused(answer, f"没有找到“{typed}”", kept=[typed])
    assert fresh(place.community).parent == sibling


def test_a_wrong_parent_is_named_and_what_was_typed_stays(place, officer):
    for parent, words in (
        (place.sibling_community, "社区/村的上级须是街道/镇，不能是社区/村"),
        (place.grid, "自己或它的下级之下"),
        (place.street, "无需调整"),
    ):
        answer = sent(officer, place.community, "move", parent=parent.code)
        assert refused(answer, words, kept=[parent.code])
    answer = sent(officer, place.community, "move", parent="")
    assert refused(answer, "请填写新的上级")
    answer = sent(officer, place.community, "move", parent="没有这个地方")
    assert refused(answer, "没有找到“没有这个地方”", kept=["没有这个地方"])
    assert fresh(place.community).parent == place.street


# -- retire


def test_a_grid_is_merged_into_its_neighbour_with_what_hangs_below(place, worker):
    heir = drawn(place, 2, "第二网格")
    group = drawn(place, 1, "1号楼栋组", "building", place.grid)
    assert "kinds=grid&amp;perm=orgs.divide" in page(worker, place.grid, "retire").content.decode()
    answer = sent(worker, place.grid, "retire", successor="第二网格", reason="网格调整")
    assert answer.headers["Location"] == place.grid.get_absolute_url()
    gone = fresh(place.grid)
    assert (gone.state, gone.successor) == ("retired", heir)
    assert fresh(group).parent == heir
    shown = text(page(worker, gone))
    yesterday = timezone.localdate() - timedelta(days=1)
    for words in ("已撤销", "并入 第二网格", "网格调整", f"：建档前 至 {yesterday}"):
        assert words in shown
    assert "至今" not in shown  # it stands no longer, whatever its history keeps open
    assert f"{place.community.name} › 第二网格" not in shown  # nor has it moved
    for button in ("更名</a>", "撤销或并入</a>", "新增楼栋组</a>"):
        assert button not in page(worker, gone).content.decode()
    answer = sent(worker, gone, "retire", successor="", reason="再来一次")
    assert refused(answer, "已于", "撤销", kept=["再来一次"], status=409)


def test_what_still_has_something_below_says_what_to_do_first(place, worker):
    drawn(place, 1, "1号楼栋组", "building", place.grid)
    answer = sent(worker, place.grid, "retire", successor="", reason="网格调整")
    assert refused(answer, "下还有 1 个使用中的楼栋组（1号楼栋组）", kept=["网格调整"])
    assert fresh(place.grid).is_active


def test_a_wrong_successor_or_no_reason_is_told(place, officer):
    for successor, words in (
        (place.community.code, "不能并入自己"),
        (place.grid.code, "只能并入另一个社区/村，不能并入网格“第一网格”"),
        (place.other_community.code, f"没有找到“{place.other_community.code}”"),
    ):
        answer = sent(officer, place.community, "retire", successor=successor, reason="撤并")
        assert refused(answer, words, kept=[successor, "撤并"])
    answer = sent(officer, place.community, "retire", successor="第二社区", reason="")
    assert refused(answer, "请填写理由", kept=["第二社区"])
    assert fresh(place.community).is_active


def test_a_day_before_a_change_on_record_cannot_come_from_a_page(place, worker):
    """The pages change from today on; the history has no gap and no overlap."""
    sent(worker, place.grid, "rename", name="甲网格")
    sent(worker, place.grid, "rename", name="乙网格")
    today = timezone.localdate()
    rows = AreaHistory.objects.filter(area=place.grid).order_by("valid_from")
    assert [row.name for row in rows] == ["第一网格", "乙网格"]
    assert rows[0].valid_to == today - timedelta(days=1)


# -- who


def test_who_only_looks_is_offered_nothing_and_refused(place):
    looker = signed_in(person(Role.GRID_WORKER, place.grid))
    shown = text(page(looker, place.grid))
    for button in ("新增楼栋组", "更名", "调整上级", "撤销或并入"):
        assert button not in shown
    for step in ("below", "rename", "move", "retire"):
        assert page(looker, place.grid, step).status_code == 403
        answer = sent(looker, place.grid, step, name="我的网格", code=f"{place.grid.code}001")
        assert answer.status_code == 403
    assert fresh(place.grid).name == "第一网格"


def test_a_community_divides_itself_but_does_not_change_itself(place, worker):
    shown = text(page(worker, place.community))
    assert "新增网格" in shown
    assert "撤销或并入" not in shown
    for step in ("rename", "move", "retire"):
        assert page(worker, place.community, step).status_code == 403
        assert sent(worker, place.community, step, name="改名").status_code == 403
    assert page(worker, place.street, "below").status_code == 404  # above its reach


def test_what_is_out_of_reach_is_not_there(place):
    stranger = signed_in(person(Role.COMMUNITY_WORKER, place.other_community))
    assert page(stranger, place.grid).status_code == 404
    for step in ("below", "rename", "move", "retire"):
        assert page(stranger, place.grid, step).status_code == 404
        assert sent(stranger, place.grid, step, name="改名").status_code == 404
    liaison = signed_in(person(Role.UNIT_LIAISON, unit(place.community)))
    assert page(liaison, place.grid).status_code == 404
