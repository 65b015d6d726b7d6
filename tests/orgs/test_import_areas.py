"""Files of divisions: good ones in every encoding, and every kind of bad line."""

from __future__ import annotations

from datetime import date, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import timezone

from core.models import AuditEvent
from orgs.actions.tree import load_areas, retire_area
from orgs.actions.tree.checks import faults
from orgs.actions.tree.files import BadFile, read_lines
from orgs.enums import BEGINNING
from orgs.models import Area, AreaHistory
from tests.factories.orgs import small_city, unit

pytestmark = pytest.mark.django_db
QINGDAO = settings.BASE_DIR / "data/areas/qingdao-2023.csv"
HEADER = "code,name,kind,parent_code"
CITY = [
    "370200000000,青岛市,city,",
    "370202000000,市南区,district,370200000000",
    "370202001000,香港中路街道,street,370202000000",
    "370202001001,湛山社区居委会,community,370202001000",
    "370202001001001,第一网格,grid,370202001001",
    "370202001001001001,1号楼,building,370202001001001",
]


@pytest.fixture
def write(tmp_path):
    def write(*lines: str, encoding: str = "utf-8", header: str = HEADER) -> Path:
        path = tmp_path / "areas.csv"
        path.write_bytes("\n".join([header, *lines, ""]).encode(encoding))
        return path

    return write


def run(path, *options) -> str:
    out = StringIO()
    call_command("import_areas", str(path), *options, stdout=out)
    return out.getvalue()


def refused(path, *options) -> list[str]:
    """What the command says of a bad file; nothing may have been written."""
    before = list(Area.objects.order_by("pk").values())
    err = StringIO()
    with pytest.raises(CommandError, match="没有导入任何内容"):
        call_command("import_areas", str(path), *options, stderr=err, stdout=StringIO())
    assert list(Area.objects.order_by("pk").values()) == before
    return err.getvalue().splitlines()


def test_qingdao_loads_whole_and_a_second_time_changes_nothing():
    assert "新增 2272（城市 1、区县 10、街道/镇 141、社区/村 2120）" in run(QINGDAO)
    assert Area.objects.count() == AreaHistory.objects.count() == 2272
    assert list(faults()) == []
    laoshan = Area.objects.get(name="崂山区")
    assert (laoshan.initials, laoshan.valid_from) == ("lsq", BEGINNING)
    before, events = list(Area.objects.order_by("pk").values()), AuditEvent.objects.count()
    assert "新增 0，更名 0，调整上级 0，未变 2272" in run(QINGDAO)
    assert list(Area.objects.order_by("pk").values()) == before
    assert AuditEvent.objects.count() == events


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
def test_encodings(write, encoding):
    run(write(*CITY, encoding=encoding))
    assert Area.objects.get(code="370202001001").name == "湛山社区居委会"


def test_order_spaces_blank_lines_and_further_columns_do_not_matter(write):
    lines = [f" {line} ,x" for line in reversed(CITY)]
    path = write(*lines[:3], "", ",,,,", *lines[3:], header=f" Code ,{HEADER[5:]},备注")
    assert "新增 6" in run(path)
    assert list(faults()) == []
    assert [a.level for a in Area.objects.in_order()] == [0, 1, 2, 3, 4, 5]


def test_a_dry_run_writes_nothing_and_says_the_same(write):
    path = write(*CITY)
    assert run(path, "--dry-run") == "试运行，未写入：" + run(path)
    Area.objects.get(code="370202001001")
    assert "更名 1" in run(write(CITY[0].replace("青岛", "琴岛")), "--dry-run")
    assert Area.objects.get(kind="city").name == "青岛市"


def test_a_second_city_stands_beside_the_first(write):
    run(write(*CITY))
    first = list(Area.objects.order_by("pk").values())
    run(write(*(line.replace("3702", "3706") for line in CITY)))
    assert list(Area.objects.filter(code__startswith="3702").order_by("pk").values()) == first
    assert Area.objects.values("tree_id").distinct().count() == 2
    assert list(faults()) == []


def test_grids_and_groups_are_added_to_a_city_that_is_there(write):
    run(write(*CITY[:4]))
    assert "新增 2（网格 1、楼栋组 1）" in run(write(*CITY[4:]))
    group = Area.objects.get(kind="building")
    assert (group.level, group.valid_from) == (5, timezone.localdate())
    assert list(faults()) == []


def test_names_and_parents_follow_the_file(write):
    run(write(*CITY, "370202002000,八大峡街道,street,370202000000"))
    fact = unit(Area.objects.get(kind="grid"))
    moved = "370202001001,湛山路社区居委会,community,370202002000"
    day = timezone.localdate() - timedelta(days=3)
    said = run(write(moved, "370202002001,新社区,community,370202002000"), "--on", str(day))
    assert "新增 1（社区/村 1），更名 1，调整上级 1，未变 0" in said
    area, street = Area.objects.get(code="370202001001"), Area.objects.get(code="370202002000")
    assert (area.name, area.parent, area.initials, area.version) == (
        "湛山路社区居委会",
        street,
        "zslsq",
        2,
    )
    fact.refresh_from_db()
    assert fact.street_id == street.pk
    was, now = AreaHistory.objects.filter(area=area).order_by("valid_from")
    assert (was.name, now.name, now.valid_from) == ("湛山社区居委会", area.name, day)
    assert list(faults()) == []


def test_a_whole_branch_moves_below_what_is_new_in_the_same_file(write):
    run(write(*CITY))
    run(
        write(
            "370203000000,市北区,district,370200000000",
            "370202001000,香港中路街道,street,370203000000",
            "370203001000,新街道,street,370203000000",
            "370202001001,湛山社区居委会,community,370203001000",
            "370202001002,又一社区,community,370202001000",
        )
    )
    grid = Area.objects.get(kind="grid")
    assert grid.street.name == "新街道"
    assert Area.objects.get(code="370202001002").district.name == "市北区"
    assert list(faults()) == []


BAD = [
    ("12ab02002000,街道,street,370202000000", "code", "只能由数字组成"),
    (",街道,street,370202000000", "code", "不能为空"),
    ("3.70202E+11,街道,street,370202000000", "code", "科学计数法"),
    ("３70202002000,街道,street,370202000000", "code", "只能由数字组成"),
    ("37020200200,街道,street,370202000000", "code", "应为 12 位，这里是 11 位"),
    ("370202001001001,社区,community,370202001000", "code", "应为 12 位，这里是 15 位"),
    ("370202001002,网格,grid,370202001001", "code", "网格代码应为 15 位"),
    ("370202002001,街道,street,370202000000", "code", "其余应补 0"),
    ("370202000000,街道,street,370202000000", "code", "不能全是 0"),
    ("370202001001,社区,community,370202001000", "code", "与第 5 行重复"),
    ("370202002000,,street,370202000000", "name", "不能为空"),
    (f"370202002000,{'街' * 81},street,370202000000", "name", "最多 80 个字"),
    ('370202002000,"街\n道",street,370202000000', "name", "看不见的字符"),
    ("370202002000,街道,town,370202000000", "kind", "层级只能是 city、district"),
    ("370202002000,街道,,370202000000", "kind", "层级只能是"),
    ("370202002000,街道,street,", "parent_code", "不能为空"),
    ("370202002000,街道,street,370209000000", "parent_code", "都没有这个代码"),
    ("370202002000,街道,street,370200000000", "parent_code", "上级须是区县，不能是城市"),
    ("370202002000,街道,street,370202001000", "parent_code", "不能是街道/镇"),
    ("370203002000,街道,street,370202000000", "parent_code", "应以上级代码的前 6 位"),
    ("370300000000,市,city,370200000000", "parent_code", "城市没有上级"),
    ("370202002000,街道,street", "", "应有 4 列，这里有 3 列"),
    ("370202002000,街道,street,370202000000,", "", "应有 4 列，这里有 5 列"),
]


@pytest.mark.parametrize(("line", "column", "reason"), BAD)
def test_a_bad_line_is_named_with_its_column_its_value_and_why(write, line, column, reason):
    said = refused(write(*CITY, line))
    assert any(
        s.startswith("第 8 行") and (f"{column} 列" in s or not column) and reason in s
        for s in said
    ), said


def test_every_bad_line_is_listed_in_order_and_the_value_is_shown(write):
    good = [line for line, column, reason in BAD if column and "\n" not in line]
    said = refused(write(*CITY, *good))
    numbers = [int(s.split()[1]) for s in said]
    assert numbers == sorted(numbers)
    assert set(numbers) == set(range(8, 8 + len(good)))
    assert "第 8 行，code 列 “12ab02002000”：只能由数字组成" in said


def test_lines_are_counted_as_an_editor_counts_them(write):
    said = refused(write(CITY[0], "", '370202000000,"市\n南",district,370200000000', "x,y,z,w"))
    assert {s.split("，")[0].split("：")[0] for s in said} == {"第 4 行", "第 6 行"}


def test_what_the_tree_has_already_can_forbid_a_line(write):
    run(write(*CITY))
    retire_area(area=Area.objects.get(kind="building"), by=None)
    retire_area(area=Area.objects.get(kind="grid"), by=None)
    said = refused(
        write(
            CITY[4],
            "370202001001001002,2号楼,building,370202001001001",
            "370202001001,湛山社区,district,370200000000",
        )
    )
    assert any("第 2 行，code 列" in s and "已撤销" in s for s in said)
    assert any("第 3 行，parent_code 列" in s and "已撤销" in s for s in said)
    assert any("第 4 行，kind 列" in s and "层级不能改变" in s for s in said)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "文件里没有数据"),
        (HEADER.encode(), "文件里没有数据"),
        (b"code,name,kind\n1,2,3\n", "缺少这一列"),
        (b"code,code,name,kind,parent_code\n", "列名重复"),
        ("区划代码,名称\n".encode(), "缺少这一列"),
        (b"PK\x03\x04rest", "Excel 工作簿"),
        ("code".encode("utf-16"), "UTF-16"),
        (b"code,name,kind,parent_code\n370200000000,\xff\xff,city,\n", "无法识别的字符"),
        (f"{HEADER}\n370200000000,青岛市市南区市北区,city,\n".encode() + b"\xe9\x9d", "第 3 行"),
        (b'code,name,kind,parent_code\n370200000000,"x"y,city,\n', "引号或分隔不成对"),
        (b'code,name,kind,parent_code\n370200000000,"x,city,\n', "引号或分隔不成对"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path, raw, reason):
    path = tmp_path / "areas.csv"
    path.write_bytes(raw)
    with pytest.raises(BadFile) as error:
        load_areas(read_lines(path))
    assert reason in "\n".join([str(error.value), *map(str, error.value.bad)])


def test_a_path_that_is_no_file_and_a_day_to_come(tmp_path, write):
    with pytest.raises(CommandError, match="读不了"):
        run(tmp_path / "none.csv")
    with pytest.raises(CommandError, match="读不了"):
        run(tmp_path)
    with pytest.raises(CommandError, match="不能晚于今天"):
        run(write(*CITY), "--on", "2999-01-01")
    assert not Area.objects.exists()


def test_a_change_before_one_on_record_is_refused(write):
    place = small_city()
    run(write(f"{place.street.code},新名街道,street,{place.district.code}"))
    path = write(f"{place.street.code},又名街道,street,{place.district.code}")
    with pytest.raises(CommandError, match="生效日期不能早于"):
        run(path, "--on", "2020-01-01")
    assert Area.objects.get(pk=place.street.pk).name == "新名街道"


def test_the_load_is_audited_once_a_city_and_each_change_by_itself(write):
    run(write(*CITY), "--on", "2024-02-29")
    (event,) = AuditEvent.objects.filter(action="orgs.tree.load")
    assert '"created":{"building":1,"city":1' in event.after
    assert '"source":"areas.csv"' in event.after
    assert Area.objects.get(kind="grid").valid_from == date(2024, 2, 29)
    run(write(CITY[3].replace("湛山", "湛河")))
    (event,) = AuditEvent.objects.filter(action="orgs.area.rename")
    assert event.object_label == "湛河社区居委会"
