from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from core.sheets.reading import read_table
from tests.factories.accounts import person
from tests.factories.orgs import small_city, unit

pytestmark = pytest.mark.django_db


@pytest.fixture
def place():
    return small_city()


@pytest.fixture
def officer(place):
    return person("street_officer", place.street, username="wang", name="王五")


def run(out, *, kind="units", area, period="", who="wang"):
    more = ["--period", period] if period else []
    call_command("export_ledger", kind, "--area", area, "--out", out, "--as", who, *more)


def told(out, **options) -> str:
    with pytest.raises(CommandError) as caught:
        run(out, **options)
    assert caught.value.returncode == 1
    return str(caught.value)


def test_it_writes_what_the_named_person_may_see_there(tmp_path, place, officer, capsys):
    unit(place.community, "甲")
    unit(place.sibling_community, "乙")
    unit(place.other_community, "丙")
    out = tmp_path / "a.xlsx"
    run(out, area=place.street.code)
    assert {r["单位名称"] for r in read_table(out, ["单位名称"]).rows} == {"甲", "乙"}
    assert "已导出 2 行" in capsys.readouterr().out
    run(tmp_path / "a.csv", area=place.community.code)
    assert [r["单位名称"] for r in read_table(tmp_path / "a.csv", ["单位名称"]).rows] == ["甲"]


def test_every_wrong_word_is_answered_in_chinese_and_nothing_is_written(tmp_path, place, officer):
    out, here = tmp_path / "a.xlsx", place.street.code
    said = told(out, kind="nothing", area=here)
    assert said.startswith("没有名为“nothing”的台账。可用的有：")
    assert "units（驻区单位名册）" in said
    assert "没有登录名为“nobody”的账号" in told(out, area=here, who="nobody")
    assert "没有代码为“370299999999”的区划" in told(out, area="370299999999")
    assert "没有代码为“市南区”的区划" in told(out, area="市南区")
    assert "王五没有在区划" in told(out, area=place.other_district.code)
    assert "不按统计期导出" in told(out, area=here, period="2026Q3")
    person("grid_worker", place.grid, username="grid", name="网格员")
    assert told(out, area=place.grid.code, who="grid") == "网格员没有导出“驻区单位名册”的权限。"
    assert "扩展名" in told(tmp_path / "a.doc", area=here)
    assert "没有文件夹" in told(tmp_path / "none" / "a.xlsx", area=here)
    (tmp_path / "folder.xlsx").mkdir()
    assert "是文件夹" in told(tmp_path / "folder.xlsx", area=here)
    assert [p.name for p in tmp_path.iterdir()] == ["folder.xlsx"]


def test_an_account_that_was_stopped_exports_nothing(tmp_path, place, officer):
    officer.is_active = False
    officer.save()
    assert "账号已停用" in told(tmp_path / "a.xlsx", area=place.street.code)


def test_a_place_that_cannot_be_written_to(place, officer):
    assert told("/proc/a.xlsx", area=place.street.code).startswith("写入 /proc/a.xlsx 失败")
