"""A transition of many rows: the look, the deed, the report; each row by itself."""

from __future__ import annotations

import re

import openpyxl
import pytest
from django.db import OperationalError
from django.utils import timezone

from core import bulk
from core.jobs import execute, result_of
from core.models import AuditEvent, Job
from core.transitions import MACHINES, Machine, Transition, transit
from orgs.enums import UnitState
from orgs.models import Unit
from tests.core.browsing import signed_in, text
from tests.core.pages import UnitList
from tests.factories.accounts import person
from tests.factories.orgs import small_city, unit

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.core.pages")]
# A job beats over a connection of its own, which sees only what is committed.
own_connection = pytest.mark.django_db(transaction=True)
UNITS = "/console/orgs/units/"
LEAVE = "/console/lists/orgs:units/do/leave/"


def _stamp(obj: Unit, by, note: str = "") -> None:
    if obj.name == "坏":
        raise ZeroDivisionError("nobody expected this")
    obj.left_on = timezone.localdate()


@pytest.fixture(autouse=True)
def _table(monkeypatch):
    """A table of transitions for member units in the place of their own, offered on their list."""
    monkeypatch.setattr(UnitList, "bulk", ("leave", "come"))
    own = MACHINES.pop("orgs.unit", None)
    Machine(
        "orgs.Unit",
        states=UnitState,
        transitions=[
            Transition(
                "leave",
                "迁出",
                ["active"],
                "left",
                perm="units.edit",
                reason=True,
                guard=lambda obj, by: "还有未完成的事项，请先办结。" if "忙" in obj.name else None,
                apply=_stamp,
            ),
            Transition("come", "迁入", ["left"], "active", perm="units.edit"),
            Transition("expire", "注销", ["active"], "left"),
            Transition(
                "name",
                "更名",
                ["active"],
                "active",
                perm="units.edit",
                apply=lambda obj, by, name: None,
            ),
        ],
    )
    yield
    MACHINES.pop("orgs.unit")
    if own:
        MACHINES["orgs.unit"] = own


@pytest.fixture
def place():
    return small_city()


@pytest.fixture
def officer(place):
    return person("street_officer", place.street)


@pytest.fixture
def client(officer):
    return signed_in(officer)


def chosen(*rows: Unit, query: str = "") -> str:
    return f"{LEAVE}?{query}" + "&".join(f"row={row.pk}" for row in rows)


def keys(response) -> str:
    """The rows that the look has the deed take."""
    return re.search(r'name="rows" value="([^"]*)"', response.content.decode())[1]


def left() -> set[str]:
    return set(Unit.objects.filter(state="left").values_list("name", flat=True))


def test_the_list_offers_boxes_and_buttons_to_those_who_may(client, place):
    mine = unit(place.community, '<b>"甲"')
    page = client.get(UNITS).content.decode()
    assert f'name="row" value="{mine.pk}" aria-label="选择 &lt;b&gt;&quot;甲&quot;"' in page
    assert f'formaction="{LEAVE}"' in page
    liaison = signed_in(person("unit_liaison", mine))
    page = liaison.get(UNITS).content.decode()
    assert 'name="row"' not in page
    assert "do/leave" not in page


def test_the_look_says_what_will_change_and_what_will_not_and_why(client, place, officer):
    rows = [unit(place.community, name) for name in ("甲", "乙", "忙甲", "忙乙")]
    gone = transit(unit(place.community, "走了"), "leave", by=officer, reason="搬走")
    away = unit(place.other_community, "外区")
    look = client.get(chosen(*rows, gone, away))
    said = text(look)
    assert "选中 6 条： 将迁出 2 条 ，4 条不变" in said
    assert "还有未完成的事项，请先办结。 2 条 忙乙 忙甲" in said
    assert "当前状态是“已迁出”，不能迁出。 走了" in said
    assert "1 条已被删除，或不在您的管理范围内" in said
    assert "外区" not in said
    assert said.index("将迁出的 2 条") < said.index("不会迁出的 4 条")
    marked = re.findall(r'aria-current="true"[^>]*>.*?</a>', look.content.decode(), re.DOTALL)
    assert [re.sub(r"<[^>]+>|^[^>]*>", "", one).strip() for one in marked] == ["驻区单位"]
    assert set(keys(look).split(",")) == {str(rows[0].pk), str(rows[1].pk)}
    assert left() == {"走了"}  # a look changes nothing


def test_the_deed_takes_each_row_by_itself_and_tells(client, place, officer):
    rows = [unit(place.community, name) for name in ("甲", "乙")]
    said = text(client.post(LEAVE, {"rows": keys(client.get(chosen(*rows))), "reason": "搬走"}))
    assert "已迁出 2 条" in said
    assert left() == {"甲", "乙"}
    events = AuditEvent.objects.filter(action="orgs.unit.leave")
    assert {(e.reason, e.actor_id) for e in events} == {("搬走", officer.pk)}
    assert events.count() == 2


def test_what_changed_since_the_look_is_left_and_said(client, place):
    rows = [unit(place.community, name) for name in ("甲", "乙", "丙")]
    found = keys(client.get(chosen(*rows)))
    Unit.objects.filter(pk=rows[0].pk).update(name="忙甲")
    rows[1].delete()
    answer = client.post(LEAVE, {"rows": found, "reason": "搬走"})
    said = text(answer)
    assert "已迁出 1 条 ，2 条没有办理" in said
    assert "还有未完成的事项" in said
    assert "1 条已被删除，或不在您的管理范围内" in said
    assert left() == {"丙"}
    again = text(client.post(LEAVE, {"rows": found, "reason": "搬走"}))  # the page sent once more
    assert "已迁出 0 条" in again
    assert "当前状态是“已迁出”" in again


def test_rows_out_of_reach_are_not_taken_whoever_names_them(client, place):
    away = unit(place.other_community, "外区")
    answer = client.post(LEAVE, {"rows": f"{away.pk},x,,-1", "reason": "搬走"})
    assert "已迁出 0 条" in text(answer)
    assert "外区" not in text(answer)
    assert left() == set()


def test_one_row_that_fails_takes_no_other_with_it(client, place):
    rows = [unit(place.community, name) for name in ("甲", "坏", "乙")]
    found = ",".join(str(row.pk) for row in rows)
    said = text(client.post(LEAVE, {"rows": found, "reason": "搬走"}))
    assert "已迁出 2 条 ，1 条没有办理" in said
    assert "出现意外错误（编号" in said
    assert left() == {"甲", "乙"}


def test_a_database_that_goes_away_is_no_fault_of_a_row(officer, place, monkeypatch):
    def away(*args, **kwargs):
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(bulk, "transit", away)
    step = UnitList.declared_steps()[0]
    with pytest.raises(OperationalError):
        bulk.take(unit(place.community), step, by=officer, reason="x")


def test_the_reason_is_asked_for_once_and_what_was_chosen_stays(client, place):
    row = unit(place.community, "甲")
    answer = client.post(LEAVE, {"rows": str(row.pk), "reason": " "})
    assert answer.status_code == 422
    assert "迁出须填写理由" in text(answer)
    assert keys(answer) == str(row.pk)
    assert left() == set()


def test_all_that_the_filters_match_and_no_more(client, place):
    for n in range(3):
        unit(place.community, f"学校{n}", kind="school")
    unit(place.community, "医院", kind="hospital")
    offer = client.get(f"{LEAVE}?kind=school&row={Unit.objects.first().pk}")
    assert "改为符合条件的全部 3 条" in text(offer)
    look = client.get(f"{LEAVE}?kind=school&all=1")
    assert "将迁出 3 条" in text(look)
    late = unit(place.community, "后来的学校", kind="school")  # joins the list after the look
    client.post(f"{LEAVE}?kind=school", {"rows": keys(look), "reason": "搬走"})
    assert left() == {"学校0", "学校1", "学校2"}
    assert late.state == "active"


def test_nothing_chosen_leads_back_or_on(client, place):
    unit(place.community)
    said = text(client.get(LEAVE))
    assert "还没有选择记录" in said
    assert "选择符合条件的全部 1 条" in said
    assert "确认迁出" not in said


def test_too_many_are_asked_to_be_fewer(client, place, monkeypatch):
    monkeypatch.setattr(bulk, "MOST", 2)
    for _ in range(3):
        unit(place.community)
    said = text(client.get(f"{LEAVE}?all=1"))
    assert "符合条件的超过 2 条" in said
    assert "确认迁出" not in said


def test_the_way_back_is_the_list_as_it_was_left(client, place):
    row = unit(place.community)
    look = client.get(chosen(row, query=f"kind=school&sort=name&area={place.community.pk}&"))
    back = f"{UNITS}?kind=school&amp;sort=name&amp;area={place.community.pk}"
    assert look.content.decode().count(f'href="{back}"') == 2  # the trail and 取消


@pytest.mark.parametrize("name", ["expire", "name", "delete", "submit"])
def test_what_the_list_does_not_offer_is_not_there(client, name):
    assert client.get(f"/console/lists/orgs:units/do/{name}/").status_code == 404


def test_without_the_right_anywhere_it_is_forbidden(place):
    liaison = signed_in(person("unit_liaison", unit(place.community)))
    assert liaison.get(LEAVE).status_code == 403
    assert liaison.post(LEAVE, {"rows": "1", "reason": "x"}).status_code == 403


@pytest.mark.parametrize("name", ["expire", "name"])
def test_a_list_cannot_offer_what_needs_the_system_or_data_of_each_row(monkeypatch, name):
    monkeypatch.setattr(UnitList, "bulk", (name,))
    with pytest.raises(ValueError, match=name):
        UnitList.declared_steps()


# -- many rows


@pytest.fixture
def many(monkeypatch):
    monkeypatch.setattr(bulk, "AT_ONCE", 2)


def run(client, rows: list[Unit]) -> Job:
    found = ",".join(str(row.pk) for row in rows)
    answer = client.post(f"{LEAVE}?kind=school", {"rows": found, "reason": "搬走"})
    job = Job.objects.get(kind="core.bulk")
    assert answer["Location"] == job.get_absolute_url()
    return job


@own_connection
def test_many_rows_are_a_job_with_a_report(client, place, officer, many):
    rows = [unit(place.community, name) for name in ("甲", "乙", "忙", "坏")]
    job = run(client, rows)
    assert left() == set()
    rows[0].delete()
    execute(job.pk)
    job.refresh_from_db()
    assert (job.state, job.error) == ("done", "")
    assert job.message.startswith("已迁出 1 条，3 条没有办理")
    assert left() == {"乙"}
    path, _ = result_of(job, officer)
    sheet = openpyxl.load_workbook(path).worksheets[0]
    lines = {row[0]: row[1:] for row in sheet.iter_rows(values_only=True)}
    assert lines["乙"][0] == "已迁出"
    assert lines["忙"] == ("未办理", "还有未完成的事项，请先办结。")
    assert lines["坏"][0] == "未办理"


@own_connection
def test_a_run_that_comes_twice_does_no_row_twice(client, place, many):
    rows = [unit(place.community, name) for name in ("甲", "乙", "丙")]
    job = run(client, rows)
    # A first attempt that was cut off after one row, as the sweep takes it over.
    step = UnitList.declared_steps()[0]
    bulk.take(rows[0], step, by=job.owner, reason="搬走")
    Job.objects.filter(pk=job.pk).update(attempt=1)
    execute(job.pk)
    job.refresh_from_db()
    assert job.message == "已迁出 3 条。"
    assert AuditEvent.objects.filter(action="orgs.unit.leave").count() == 3


def test_another_choice_of_rows_is_another_job(client, place, many):
    rows = [str(unit(place.community).pk) for _ in range(4)]
    first = client.post(LEAVE, {"rows": ",".join(rows[:3]), "reason": "搬走"})
    again = client.post(LEAVE, {"rows": ",".join(rows[:3]), "reason": "搬走"})
    other = client.post(LEAVE, {"rows": ",".join(rows[1:]), "reason": "搬走"})
    assert again["Location"] == first["Location"] != other["Location"]


@own_connection
def test_a_job_takes_rows_under_the_right_of_the_day(client, place, officer, many):
    job = run(client, [unit(place.community) for _ in range(3)])
    officer.grants.update(ends_on="2020-02-01")
    execute(job.pk)
    job.refresh_from_db()
    assert job.state == "failed"
    assert left() == set()


@own_connection
def test_a_run_that_was_superseded_writes_nothing_more(client, place, many, monkeypatch):
    job = run(client, [unit(place.community) for _ in range(3)])
    real = bulk.transit

    def overtaken(row, *args, **kwargs):
        Job.objects.filter(pk=job.pk).update(token=99)
        return real(row, *args, **kwargs)

    monkeypatch.setattr(bulk, "transit", overtaken)
    execute(job.pk)
    assert left() == set()
