"""四张清单台账 (domain.md §6): the columns, their order, and a row for each claim."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from openpyxl import load_workbook

from core.exports import EXPORTERS, export_to
from core.periods import period_of
from services.enums import ClaimState
from services.models import Claim, Item
from tests.factories import services as make
from tests.factories.accounts import person
from tests.factories.orgs import unit as make_unit

HEADERS = (
    "编号", "类别", "提出单位", "名称", "内容", "受益对象", "发布日期", "认领方", "认领方向",
    "责任人", "时限", "进度", "验收日期", "评价", "销号日期",
)  # fmt: skip


def ledger(user, path, **query) -> list[dict]:
    what = EXPORTERS["lists"]()
    export_to(path, what, by=user, asked=what.read(query, user))
    rows = list(load_workbook(path).active.iter_rows(values_only=True))
    head = next(n for n, row in enumerate(rows) if "编号" in row)
    assert rows[head][: len(HEADERS)] == HEADERS
    body = []
    for row in rows[head + 1 :]:
        if not str(row[0] or "")[:12].isdigit():
            break
        body.append(dict(zip(HEADERS, row, strict=False)))
    return body


@pytest.fixture
def worker(place):
    return make.worker(place.community)


def test_a_row_for_each_claim_and_one_for_what_nobody_claimed(tmp_path, place, worker):
    units = [make_unit(place.community, name) for name in ("甲医院", "乙银行", "丙学校")]
    item = make.item(place.community, title="义诊", capacity=3)
    done = make.claim(item, units[0], state=ClaimState.CLOSED, responsible="张三", grade="5")
    make.claim(item, units[1], responsible="李四")
    make.claim(item, units[2], state=ClaimState.WITHDRAWN)
    due = timezone.localdate() + timedelta(days=20)
    alone = make.item(units[2], title="操场开放", kind="resource", due_on=due)
    make.item(place.community, title="草稿", state="draft")
    rows = ledger(worker, tmp_path / "a.xlsx")
    assert [(r["编号"], r["名称"], r["认领方"], r["进度"]) for r in rows] == [
        (item.number, "义诊", "甲医院", "已销号"),
        (item.number, "义诊", "乙银行", "已认领"),
        (alone.number, "操场开放", None, "已发布"),
    ]
    today = timezone.localdate()
    first, second, third = rows
    assert first["类别"] == "需求"
    assert first["提出单位"] == place.community.name
    assert first["受益对象"] == "居民群众"
    assert first["认领方向"] == "单位认领需求"
    assert (first["责任人"], first["评价"]) == ("张三", "非常满意")
    for name in ("发布日期", "验收日期", "销号日期"):
        assert first[name].date() == today
    assert first["时限"].date() == done.due_on
    assert (second["责任人"], second["评价"], second["销号日期"]) == ("李四", None, None)
    assert third["时限"].date() == due
    assert (third["认领方向"], third["责任人"], third["验收日期"]) == (None, None, None)


def test_a_period_holds_what_was_published_in_it_and_what_was_still_open(tmp_path, place, worker):
    this = period_of(timezone.localdate())
    before = this.previous()
    items = {
        name: make.item(place.community, title=name)
        for name in ("本期", "上期未销", "上期已销", "上期发布本期销")
    }
    for name in ("上期未销", "上期已销", "上期发布本期销"):
        Item.objects.filter(pk=items[name].pk).update(published_at=before.starts_at)
    for name, moment in [("上期已销", before.starts_at), ("上期发布本期销", timezone.now())]:
        Item.objects.filter(pk=items[name].pk).update(state="closed", closed_at=moment)

    def titles(period):
        return {r["名称"] for r in ledger(worker, tmp_path / "p.xlsx", period=str(period))}

    assert titles(this) == {"本期", "上期未销", "上期发布本期销"}
    assert titles(before) == {"上期未销", "上期已销", "上期发布本期销"}
    assert titles(before.previous()) == set()


def test_the_ledger_keeps_to_the_reach_and_the_place(tmp_path, place, worker):
    make.item(place.community, title="本社区")
    make.item(place.sibling_community, title="邻社区")
    make.item(place.other_community, title="外区")
    officer = person("street_officer", place.street)
    path = tmp_path / "a.xlsx"
    assert {r["名称"] for r in ledger(worker, path)} == {"本社区"}
    assert {r["名称"] for r in ledger(officer, path)} == {"本社区", "邻社区"}
    one = ledger(officer, path, area=place.sibling_community.code)
    assert {r["名称"] for r in one} == {"邻社区"}
    with pytest.raises(PermissionDenied):
        ledger(make.liaison(make_unit(place.community)), path)


def test_an_old_name_stays_in_the_ledger(tmp_path, place, worker, unit):
    make.claim(make.item(place.community), unit)
    type(unit).objects.filter(pk=unit.pk).update(name="改名后的医院")
    assert ledger(worker, tmp_path / "a.xlsx")[0]["认领方"] == "测试医院"


def test_the_number_of_queries_does_not_grow_with_the_rows(tmp_path, place, worker):
    from django.db import connection

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            ledger(worker, tmp_path / "a.xlsx")
        return len(captured)

    make.claim(make.item(place.community), make_unit(place.community))
    few = queries()
    for _ in range(5):
        make.claim(make.item(place.community), make_unit(place.community))
    assert queries() <= few
    assert Claim.objects.count() == 6


def test_the_command_writes_the_ledger_of_a_quarter(tmp_path, place):
    make.item(place.community, title="本社区")
    person("street_officer", place.street, username="wang")
    out = tmp_path / "台账.xlsx"
    period = str(period_of(timezone.localdate()))
    area = ["--area", place.street.code, "--period", period]
    call_command("export_ledger", "lists", *area, "--out", out, "--as", "wang")
    cells = [c for row in load_workbook(out).active.iter_rows(values_only=True) for c in row]
    assert "本社区" in cells
