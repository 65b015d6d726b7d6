"""Counts of grids in a table: checked against the tree and the last counts, never over an edit."""

from datetime import date, datetime, time, timedelta

import openpyxl
import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core import imports
from core.audit import timeline
from core.errors import Conflict
from core.exports import export_to
from core.jobs import execute
from core.sheets.checking import check, write
from core.sheets.template import write_template
from core.transitions import transit
from grids.models import GridPost, GridProfile
from grids.sheets import CountSheet, GridRegister
from orgs.actions.tree import create_area, retire_area
from orgs.models import Area
from tests.core.sheetkit import book
from tests.factories.accounts import person
from tests.factories.grids import grid_profile
from tests.factories.orgs import small_city

pytestmark = pytest.mark.django_db

HEAD = ["网格代码", "网格名称", "户数", "党员数", "统计日期"]


@pytest.fixture
def place():
    return small_city()


@pytest.fixture
def worker(place):
    return person("community_worker", place.community)


def today():
    return timezone.localdate()


def line(area, households=400, members=40, on=None, name=None):
    return [area.code, area.name if name is None else name, households, members, on or today()]


def checked(tmp_path, by, *rows, head=HEAD):
    return check(book(tmp_path / "in.xlsx", [head, *rows]), CountSheet(), by=by)


def errors(found) -> list[tuple[int, str, str]]:
    return [(e.row, e.column, e.reason) for e in found.errors]


def record_of(area) -> GridProfile:
    return GridProfile.objects.get(area=area)


def drawn(place, number, name="新网格"):
    code = f"{place.community.code}{number:03d}"
    return create_area(kind="grid", code=code, name=name, parent=place.community, by=None)


def test_counts_come_in_and_the_log_says_what_they_were(tmp_path, place, worker):
    new = drawn(place, 2)
    old = grid_profile(place.grid, 350, 35)
    found = checked(tmp_path, worker, line(place.grid, 410, 41), line(new, 0, 0, name=""))
    assert [row.changes for row in found.rows] == [
        {"户数": ("350", "410"), "党员数": ("35", "41")},
        {"户数": ("", "0"), "党员数": ("", "0"), "统计日期": ("", today().isoformat())},
    ]
    assert write(found, CountSheet(), by=worker) == 2
    counted = record_of(place.grid)
    assert (counted.households, counted.members, counted.version) == (410, 41, old.version + 1)
    assert (record_of(new).households, record_of(new).counted_on) == (0, today())
    event = timeline(counted).last()
    assert (event.action, event.actor_id) == ("grids.grid.import", worker.pk)
    assert '"households":350' in event.before.replace(" ", "")


def test_what_is_wrong_is_named_by_row_and_column(tmp_path, place, worker):
    gone, named = drawn(place, 2), drawn(place, 3)
    retire_area(area=gone, by=None)
    grid_profile(place.grid)
    other = next(a for a in place.all.values() if a.parent_id == place.other_community.pk)
    twice = drawn(place, 4)
    found = checked(
        tmp_path,
        worker,
        line(place.grid, 401, 40, today() - timedelta(days=1)),
        line(gone),
        line(named, name="别的网格"),
        line(other),
        line(place.community),
        line(twice, "四百", -1, "去年"),
        line(twice, 100_000, 40, today() + timedelta(days=1)),
        line(drawn(place, 5), None, 40),
        line(drawn(place, 6), on=today() + timedelta(days=1)),
    )
    assert errors(found) == [
        (
            2,
            "统计日期",
            f"已有 {today()} 的统计，不能用更早的数字覆盖；要更正请在网格页面修改",
        ),
        (3, "网格代码", f"这个网格已于 {gone_on(gone)} 撤销，不能再登记数量"),
        (4, "网格名称", "这个代码的网格是“新网格”，请核对代码和名称"),
        (5, "网格代码", "没有这个网格，或不在您的管理范围内"),
        (6, "网格代码", "没有这个网格，或不在您的管理范围内"),
        (7, "户数", "应为数字"),
        (7, "党员数", "应为0至99999的整数"),
        (7, "统计日期", "应为日期，例如 2026-11-21"),
        (8, "网格代码", "与第 7 行重复"),
        (8, "户数", "应为0至99999的整数"),
        (9, "户数", "必填，不能为空"),
        (10, "统计日期", f"不能晚于今天（{today()}）"),
    ]


def gone_on(area) -> date:
    return type(area).objects.get(pk=area.pk).valid_to


def test_who_may_not_count_may_not_bring_counts_in(tmp_path, place):
    with pytest.raises(PermissionDenied):
        checked(tmp_path, person("grid_worker", place.grid), line(place.grid))


def test_a_count_on_the_page_meanwhile_is_not_written_over(tmp_path, place, worker):
    new = drawn(place, 2)
    mine = checked(tmp_path, worker, line(place.grid, 410), line(new, 410))
    grid_profile(place.grid, 380, 38)
    with pytest.raises(Conflict, match=r"第 .* 行"):
        write(mine, CountSheet(), by=worker)
    assert record_of(place.grid).households == 380
    assert not record_of(new).is_counted


def test_of_two_tables_at_once_the_second_is_told(tmp_path, place, worker):
    one = checked(tmp_path, worker, line(place.grid, 410))
    other = checked(tmp_path, worker, line(place.grid, 420))
    write(one, CountSheet(), by=worker)
    with pytest.raises(Conflict):
        write(other, CountSheet(), by=worker)
    assert record_of(place.grid).households == 410


@pytest.mark.django_db(transaction=True)
def test_a_second_upload_confirmed_on_an_old_preview_shows_the_new_state(tmp_path, place, worker):
    def taken(households):
        path = book(tmp_path / "in.xlsx", [HEAD, line(place.grid, households)])
        return imports.take(
            CountSheet, SimpleUploadedFile("数量.xlsx", path.read_bytes()), by=worker
        )

    one, other = taken(410), taken(420)
    execute(imports.confirm(one, by=worker).job_id)
    execute(imports.confirm(other, by=worker).job_id)
    other.refresh_from_db()
    assert (other.state, other.preview["changed"][0][2]) == ("ready", [["户数", "410", "420"]])
    assert record_of(place.grid).households == 410


def test_many_rows_cost_as_many_queries_as_a_few(tmp_path, place, worker):
    def cost(*areas):
        with CaptureQueriesContext(connection) as captured:
            found = checked(tmp_path, worker, *(line(a, 390) for a in areas))
            assert write(found, CountSheet(), by=worker) == len(areas)
        return len(captured)

    grids = [drawn(place, number) for number in range(2, 24)]
    cost(grids[0])  # reads the grants
    assert cost(*grids[1:21]) == cost(grids[21])


def test_the_template_says_how_to_fill_it_in(tmp_path):
    write_template(tmp_path / "t.xlsx", CountSheet())
    workbook = openpyxl.load_workbook(tmp_path / "t.xlsx")
    assert workbook.sheetnames == ["网格数量", "填表说明"]
    said = [str(c.value) for row in workbook["填表说明"].iter_rows() for c in row if c.value]
    assert any("只登记数量，不登记住户和党员名单" in text for text in said)
    assert any("不晚于今天" in text for text in said)


def test_the_list_goes_out_with_what_is_to_be_looked_at_and_comes_back(tmp_path, place, worker):
    small, gone, new = drawn(place, 2, "小网格"), drawn(place, 3, "旧网格"), drawn(place, 4)
    grid_profile(place.grid)
    grid_profile(small, 299, 40)
    retire_area(area=gone, by=None)
    post = GridPost.objects.filter(area=place.grid).first()
    transit(post, "appoint", by=worker, holder="李玉兰")
    what = GridRegister()
    export_to(tmp_path / "out.xlsx", what, by=worker, asked=what.read({}, worker))
    sheet = openpyxl.load_workbook(tmp_path / "out.xlsx").worksheets[0]
    rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    head = next(n for n, row in enumerate(rows) if row[0] == "代码")
    assert rows[head] == [
        *("代码", "网格", "社区", "户数", "党员数", "统计日期", "空缺岗位", "是否超标")
    ]
    found = {row[0]: row[1:] for row in rows[head + 1 : head + 5]}
    community = place.community.name
    midnight = datetime.combine(today(), time())
    assert found[place.grid.code] == ["第一网格", community, 400, 40, midnight, 4, "否"]
    assert found[small.code][6] == "是：户数299户，低于标准下限300户"
    assert found[gone.code][5:] == [0, "已撤销"]
    assert found[new.code][2:] == [None, None, None, 5, "未统计"]
    # Filled in by hand and sent back as it is; the one that was struck off is not in the way.
    for row in sheet.iter_rows():
        if row[0].value == new.code:
            row[3].value, row[4].value, row[5].value = 333, 33, today()
        if row[0].value == gone.code:
            for cell in row:
                cell.value = None
    sheet.parent.save(tmp_path / "back.xlsx")
    back = check(tmp_path / "back.xlsx", CountSheet(), by=worker)
    assert errors(back) == []
    assert (len(back.changed), back.same) == (1, 2)


def test_a_code_that_comes_twice_is_told_of_once_and_the_rest_is_read(tmp_path, place, worker):
    new = drawn(place, 2)
    found = checked(tmp_path, worker, line(place.grid), line(place.grid, 410), line(new))
    assert errors(found) == [(3, "网格代码", "与第 2 行重复")]
    assert [row.number for row in found.changed] == [2, 4]


def test_a_grid_goes_by_its_name_too_and_by_its_community_where_others_have_it(tmp_path, place):
    officer = person("street_officer", place.street)
    gone, now = drawn(place, 2), drawn(place, 3)
    retire_area(area=gone, by=None)
    names = ["新网格", "第一网格", "111社区 第一网格", "112社区 / 第一网格", place.grid.code]
    found = checked(tmp_path, officer, *([name, "", 400, 40, today()] for name in names))
    apart = "请改填代码，或在前面写上社区，如“江西路社区 第一网格”"
    assert errors(found) == [
        (3, "网格代码", f"有 2 个同名的网格，{apart}"),
        (6, "网格代码", "与第 4 行重复"),
    ]
    near = Area.objects.get(kind="grid", community=place.sibling_community)
    assert [row.values["area"] for row in found.rows] == [now, place.grid, near]
