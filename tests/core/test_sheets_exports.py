from __future__ import annotations

from types import SimpleNamespace

import openpyxl
import pytest
from django import forms
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from core.errors import Refused
from core.exports import EXPORTERS, Col, Exporter, Serial, export_to, order_export
from core.forms import Form
from core.jobs import execute, result_of
from core.models import AuditEvent, Job
from core.sheets.layout import Kind
from core.sheets.reading import read_table
from orgs.enums import UnitKind
from orgs.models import Unit
from orgs.sheets import UnitRegister
from tests.factories.accounts import person
from tests.factories.orgs import small_city, unit

pytestmark = pytest.mark.django_db
# A job beats over a connection of its own, which sees only what is committed.
own_connection = pytest.mark.django_db(transaction=True)


class PeriodForm(Form):
    period = forms.RegexField(r"\d{4}Q[1-4]", label="统计期")


class Ledger(Exporter):
    """A ledger with groups, a counted row, values of several fields and a form."""

    identifier, title, perm = "test-ledger", "共建台账", "units.view"
    model, form = Unit, PeriodForm
    columns = (
        Serial(),
        Col("名称", "name", key=True, group="单位"),
        Col("类别", "kind", dict(UnitKind.choices), group="单位"),
        Col("去处", ("name", "area__name"), lambda name, area: f"{name}@{area}"),
        Col("登记时间", "created_at", kind=Kind.DATE),
    )


@pytest.fixture
def place():
    return small_city()


@pytest.fixture
def officer(place):
    return person("street_officer", place.street, name="张三")


def sheet_of(path):
    return openpyxl.load_workbook(path).worksheets[0]


def names(path) -> list[str]:
    return [row["单位名称"] for row in read_table(path, ["单位名称"]).rows]


def exported(tmp_path, what, by, **query):
    asked = what.read(query, by)
    path = tmp_path / "out.xlsx"
    export_to(path, what, by=by, asked=asked)
    return path


def test_rows_are_those_that_the_person_sees_at_the_place_as_filtered(tmp_path, place, officer):
    unit(place.community, "本社区学校", kind="school")
    unit(place.sibling_community, "邻社区学校", kind="school")
    unit(place.community, "本社区银行", kind="bank")
    unit(place.other_community, "外区学校", kind="school")
    what = UnitRegister()
    assert len(names(exported(tmp_path, what, officer))) == 3
    assert set(names(exported(tmp_path, what, officer, kind="school"))) == {
        "本社区学校",
        "邻社区学校",
    }
    only = exported(tmp_path, what, officer, kind="school", area=place.community.pk)
    assert names(only) == ["本社区学校"]
    by_code = exported(tmp_path, what, officer, q="银行", area=place.community.code)
    assert names(by_code) == ["本社区银行"]
    assert len(names(exported(tmp_path, what, person("org_department", place.city)))) == 4


def test_the_order_is_the_lists_own(tmp_path, place, officer):
    for name in ("甲", "乙", "丙"):
        unit(place.community, name)
    assert names(exported(tmp_path, UnitRegister(), officer)) == ["丙", "乙", "甲"]
    assert names(exported(tmp_path, UnitRegister(), officer, sort="-name")) == ["乙", "甲", "丙"]
    assert names(exported(tmp_path, UnitRegister(), officer, sort="x'; --")) == ["丙", "乙", "甲"]


def test_head_and_foot_name_the_place_the_period_the_person_and_the_time(tmp_path, place, officer):
    unit(place.community, "医院", kind="hospital")
    path = exported(tmp_path, Ledger(), officer, area=place.community.pk, period="2026Q3")
    sheet = sheet_of(path)
    assert sheet["A1"].value == f"{place.community.name}共建台账"
    assert sheet["A2"].value == "统计期：2026Q3"
    assert [c.value for c in sheet[3]] == ["序号", "单位", None, "去处", "登记时间"]
    assert [c.value for c in sheet[4]] == [None, "名称", "类别", None, None]
    assert [c.value for c in sheet[5]][:4] == [1, "医院", "医院", f"医院@{place.community.name}"]
    foot = sheet["A6"].value.split("　　　　")
    assert foot[:3] == [f"填报单位：{place.community.name}", "统计期：2026Q3", "填报人：张三"]
    assert foot[3].startswith("审核人：")
    assert (
        Ledger()
        .file_name(Ledger().read({"period": "2026Q3"}, officer))
        .startswith("2026Q3-共建台账-")
    )


def test_what_is_asked_wrongly_is_named(place, officer):
    with pytest.raises(Refused, match="统计期"):
        Ledger().read({"period": "2026第三季度"}, officer)
    with pytest.raises(Refused, match="单位类别"):
        UnitRegister().read({"kind": "nothing"}, officer)
    for area in (place.other_community.pk, 10**9, "x"):
        with pytest.raises(Refused, match="没有这个区域，或不在您的管理范围内"):
            UnitRegister().read({"area": area}, officer)


def test_who_lacks_the_right_gets_no_file(tmp_path, place):
    unit(place.community)
    stranger = person("grid_worker", place.grid)
    with pytest.raises(PermissionDenied):
        exported(tmp_path, UnitRegister(), stranger)
    with pytest.raises(PermissionDenied):
        order_export(UnitRegister(), by=stranger, asked=UnitRegister().read({}, stranger))
    assert list(tmp_path.iterdir()) == []


def test_each_export_is_on_the_audit_log(tmp_path, place, officer):
    unit(place.community, kind="school")
    exported(tmp_path, UnitRegister(), officer, kind="school")
    event = AuditEvent.objects.get(action="core.export")
    assert event.actor_id == officer.pk
    assert '"export":"units"' in event.after
    assert '"query":"kind=school"' in event.after
    assert '"rows":1' in event.after


def test_queries_do_not_grow_with_the_rows(tmp_path, place, officer):
    def queries(count: int) -> int:
        for _ in range(count):
            unit(place.community)
        asker = User.objects.get(pk=officer.pk)  # whose grants are not read yet
        with CaptureQueriesContext(connection) as seen:
            exported(tmp_path, Ledger(), asker, period="2026Q3")
        return len(seen)

    assert queries(1) == queries(30)


@own_connection
def test_it_runs_as_a_job_and_asking_twice_leads_to_the_same(place, officer):
    unit(place.community, "甲")
    asked = UnitRegister().read(QueryDict("kind=state_firm"), officer)
    job = order_export(UnitRegister(), by=officer, asked=asked)
    assert order_export(UnitRegister(), by=officer, asked=asked) == job
    other = order_export(UnitRegister(), by=officer, asked=asked, suffix="csv")
    assert other != job
    assert job.queue == "sheets"
    assert job.title == "导出驻区单位名册"
    for one in (job, other):
        execute(one.pk)
    job.refresh_from_db()
    assert (job.state, job.error) == ("done", "")
    path, name = result_of(job, officer)
    assert names(path) == ["甲"]
    assert name.endswith(".xlsx")
    assert names(result_of(Job.objects.get(pk=other.pk), officer)[0]) == ["甲"]


@own_connection
def test_a_grant_that_ends_before_the_job_begins_ends_the_export(place, officer):
    job = order_export(UnitRegister(), by=officer, asked=UnitRegister().read({}, officer))
    officer.grants.all().delete()
    execute(job.pk)
    job.refresh_from_db()
    assert job.state == "failed"
    assert "没有执行这项任务的权限" in job.error


def test_the_register_is_found_by_its_name():
    assert EXPORTERS["units"] is UnitRegister


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_rows_are_of_one_moment_and_stay_on_the_server(tmp_path, place, officer, monkeypatch):
    """While the rows are read, somebody else adds one: the file is as it was at the beginning."""
    from concurrent.futures import ThreadPoolExecutor

    from django.db import connections

    monkeypatch.setattr("core.exports._CHUNK", 2)  # five rows come in three parts
    for _ in range(5):
        unit(place.community)
    seen = SimpleNamespace(level="", cursors=0)

    def add_another() -> None:
        try:
            unit(place.community)
        finally:
            connections.close_all()

    class Slow(Ledger):
        def rows(self, user, asked, columns):
            total, rows = super().rows(user, asked, columns)

            def slow():
                with ThreadPoolExecutor(1) as pool:
                    pool.submit(add_another).result()
                with connection.cursor() as cursor:
                    cursor.execute("SHOW transaction_isolation")
                    seen.level = cursor.fetchone()[0]
                for row in rows:
                    with connection.cursor() as cursor:
                        cursor.execute("SELECT count(*) FROM pg_cursors")
                        seen.cursors = max(seen.cursors, cursor.fetchone()[0])
                    yield row

            return total, slow()

    path = tmp_path / "a.xlsx"
    asked = Slow().read({"period": "2026Q3"}, officer)
    assert export_to(path, Slow(), by=officer, asked=asked) == 5
    assert Unit.objects.count() == 6
    assert (seen.level, seen.cursors) == ("repeatable read", 1)
