"""Import and export as pages, proved on member units."""

from __future__ import annotations

import io
import os
import re
from datetime import timedelta
from pathlib import Path

import openpyxl
import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from core import imports, tidying
from core.errors import Conflict, Refused
from core.jobs import execute
from core.models import AuditEvent, Job, SheetImport
from core.sheets.reading import ERRORS
from orgs.actions.units import update_unit
from orgs.models import Unit
from orgs.sheets import UnitSheet
from tests.core.sheetkit import book
from tests.factories.accounts import person
from tests.factories.orgs import credit_code, small_city, unit

pytestmark = pytest.mark.django_db
# A job beats over a connection of its own, which sees only what is committed.
own_connection = pytest.mark.django_db(transaction=True)
UNITS = "/console/orgs/units/"
HEAD = ["单位名称", "统一社会信用代码", "单位类别", "所在社区代码", "单位党组织", "联络员"]


@pytest.fixture
def place():
    return small_city()


@pytest.fixture
def officer(place):
    return person("street_officer", place.street)


@pytest.fixture
def client(officer):
    return signed_in(officer)


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def text(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def row(place, serial, **changes) -> list:
    values = [
        f"新单位{serial}",
        credit_code(700_000 + serial),
        "医院",
        place.community.code,
        "",
        "",
    ]
    return list((dict(zip(HEAD, values, strict=True)) | changes).values())


def upload(tmp_path, *rows, name="名册.xlsx") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, book(tmp_path / "up.xlsx", [HEAD, *rows]).read_bytes())


def sent(client, file):
    response = client.post(f"{UNITS}import/", {"file": file})
    assert response.status_code == 302, text(response)
    return response["Location"]


@own_connection
def test_from_template_to_written_rows(client, officer, place, tmp_path):
    page = client.get(f"{UNITS}import/")
    assert "下载导入模板" in text(page)
    template = client.get(f"{UNITS}import/template/")
    assert template["Content-Disposition"].startswith("attachment")
    filled = openpyxl.load_workbook(io.BytesIO(template.getvalue()))
    for place_, value in enumerate(row(place, 1), start=1):
        filled["驻区单位"].cell(3, place_, value)
    filled.save(tmp_path / "filled.xlsx")
    old = unit(place.community, "旧名")
    here = sent(client, SimpleUploadedFile("名册.xlsx", (tmp_path / "filled.xlsx").read_bytes()))
    shown = text(client.get(here))
    assert "检查通过，等待确认" in shown
    assert "新单位1" in shown
    assert Unit.objects.get() == old
    assert client.post(here, {"step": "confirm"}).status_code == 302
    assert Unit.objects.count() == 1  # still waits for the worker
    sheet = SheetImport.objects.get()
    assert "写入中" in sheet.get_state_display()
    assert 'hx-trigger="every 2s"' in client.get(here).content.decode()
    execute(sheet.job_id)
    assert Unit.objects.filter(name="新单位1", area=place.community).exists()
    shown = text(client.get(here))
    assert shown.count("已写入") == 1
    assert "查看驻区单位" in shown
    event = AuditEvent.objects.get(action="core.import")
    assert sheet.sha256 in event.after
    # Told once more, the job finds its work done.
    execute(sheet.job_id)
    imports.run_write(type("Run", (), {"owner": officer}), sheet=str(sheet.pk))
    assert Unit.objects.count() == 2


def test_errors_are_shown_and_given_back_in_the_workbook(client, place, tmp_path):
    old = unit(place.community, "旧名", kind="hospital")
    here = sent(
        client,
        upload(
            tmp_path,
            row(place, 1, 单位类别="医"),
            row(place, 2),
            row(place, 3, 单位名称="改名", 统一社会信用代码=old.credit_code),
        ),
    )
    shown = text(client.get(here))
    assert "有 1 行不能导入，没有写入任何一行" in shown
    assert "应为机关" in shown
    assert "旧名 → 改名" in shown
    marked = client.get(f"{here}errors/")
    sheet = openpyxl.load_workbook(io.BytesIO(marked.getvalue())).worksheets[0]
    assert sheet["G1"].value == ERRORS
    assert sheet["G2"].value.startswith("单位类别：应为")
    assert "attachment" in marked["Content-Disposition"]
    assert client.post(here, {"step": "confirm"}).status_code == 302
    assert "不能确认导入" in text(client.get(here))
    assert Unit.objects.get().name == "旧名"


def test_what_cannot_be_read_says_why_and_leads_back(client, tmp_path):
    for content, said in [(b"%PDF-1.7", "PDF"), (b"a,b\n1,2\n", "没有找到表头")]:
        here = sent(client, SimpleUploadedFile("a.xlsx", content))
        shown = text(client.get(here))
        assert said in shown
        assert "重新上传" in shown
        assert client.get(f"{here}errors/").status_code == 404
    assert client.post(f"{UNITS}import/", {}).status_code == 422
    big = SimpleUploadedFile("a.xlsx", b"x" * (21 * 2**20))
    response = client.post(f"{UNITS}import/", {"file": big})
    assert response.status_code == 422
    assert "超过 20 MB" in text(response)


def test_a_file_without_anything_new_is_not_written(client, place, tmp_path):
    same = unit(place.community, "不变", kind="hospital", party_org="", contact_name="")
    rows = row(place, 1, 单位名称="不变", 统一社会信用代码=same.credit_code)
    assert "完全相同" in text(client.get(sent(client, upload(tmp_path, rows))))


@own_connection
def test_a_large_file_is_checked_by_a_job(client, place, tmp_path):
    rows = [row(place, n) for n in range(1, 2600)]
    file = upload(tmp_path, *rows)
    assert file.size > imports.AT_ONCE
    here = sent(client, file)
    sheet = SheetImport.objects.get()
    assert (sheet.state, sheet.job.kind) == ("checking", "core.import_check")
    assert 'hx-trigger="every 2s"' in client.get(here).content.decode()
    execute(sheet.job_id)
    assert "检查通过" in sheet.job.__class__.objects.get(pk=sheet.job_id).message
    assert "确认导入 2,599 行" in text(client.get(here))


def test_an_upload_is_its_owners_alone(client, place, tmp_path):
    here = sent(client, upload(tmp_path, row(place, 1, 单位类别="医")))
    other = signed_in(person("street_officer", place.street))
    for address in (here, f"{here}errors/", f"{UNITS}import/{SheetImport(name='x').pk}/"):
        assert other.get(address).status_code == 404
    assert other.post(here, {"step": "confirm"}).status_code == 404
    assert client.post(here, {"step": "nonsense"}).status_code == 404


def test_who_may_not_edit_may_not_import(place, tmp_path):
    client = signed_in(person("grid_worker", place.grid))
    for address in (f"{UNITS}import/", f"{UNITS}import/template/", f"{UNITS}export/"):
        assert client.get(address).status_code == 403
    assert client.post(f"{UNITS}import/", {"file": upload(tmp_path)}).status_code == 403
    assert Client().get(f"{UNITS}import/").status_code == 302
    assert "导入" not in text(signed_in(person("unit_liaison", unit(place.community))).get(UNITS))


@own_connection
def test_what_changed_since_the_check_stops_the_write(officer, place, tmp_path):
    sheet = imports.take(UnitSheet, upload(tmp_path, row(place, 1), row(place, 2)), by=officer)
    sheet = imports.confirm(sheet, by=officer)
    elsewhere = unit(place.other_community)  # somebody registers the second one meanwhile
    Unit.objects.filter(pk=elsewhere.pk).update(credit_code=credit_code(700_002))
    execute(sheet.job_id)
    sheet.refresh_from_db()
    assert (sheet.state, sheet.wrong) == ("wrong", 1)
    assert "没有写入任何一行" in sheet.message
    assert sheet.job.state == "failed"
    assert Unit.objects.count() == 1
    assert imports.errors_of(sheet)[0].exists()


@own_connection
def test_one_registered_between_the_check_and_the_write_is_not_written_over(
    officer, place, tmp_path, monkeypatch
):
    sheet = imports.take(UnitSheet, upload(tmp_path, row(place, 1), row(place, 2)), by=officer)
    sheet = imports.confirm(sheet, by=officer)
    real = imports.check

    def check(*args, **kwargs):
        found = real(*args, **kwargs)
        if not Unit.objects.exists():  # just now, with the check done and nothing held yet
            other = unit(place.community, "先登记的名")
            Unit.objects.filter(pk=other.pk).update(credit_code=credit_code(700_002))
        return found

    monkeypatch.setattr(imports, "check", check)
    execute(sheet.job_id)
    sheet.refresh_from_db()
    assert (sheet.state, sheet.created, sheet.changed) == ("ready", 1, 1)
    assert "没有写入任何一行" in sheet.message
    assert sheet.job.state == "failed"
    assert Unit.objects.get().name == "先登记的名"
    execute(imports.confirm(sheet, by=officer).job_id)  # seen, it is a decision
    sheet.refresh_from_db()
    assert (sheet.state, sheet.created, sheet.changed) == ("written", 1, 1)


@own_connection
@pytest.mark.parametrize("column", ["name", "contact_name", "area"])
def test_an_edit_between_the_check_and_the_write_is_not_written_over(
    officer, place, tmp_path, monkeypatch, column
):
    """A column that the file changes, one that it leaves as it is, and one that names another row."""
    old = unit(place.community, "旧名", kind="hospital", contact_name="")
    line = row(place, 1, 单位名称="新名", 统一社会信用代码=old.credit_code)
    sheet = imports.confirm(imports.take(UnitSheet, upload(tmp_path, line), by=officer), by=officer)
    real, edits = imports.check, []

    def check(*args, **kwargs):
        found = real(*args, **kwargs)
        if not edits:  # just now, with the check done and nothing held yet
            edits.append({"area": place.sibling_community}.get(column, "刚改的"))
            Unit.objects.filter(pk=old.pk).update(**{column: edits[0]})
        return found

    monkeypatch.setattr(imports, "check", check)
    execute(sheet.job_id)
    sheet.refresh_from_db()
    assert (sheet.state, sheet.changed, sheet.job.state) == ("ready", 1, "failed")
    assert "没有写入任何一行" in sheet.message
    assert getattr(Unit.objects.get(), column) == edits[0]
    execute(imports.confirm(sheet, by=officer).job_id)  # seen, it is a decision
    sheet.refresh_from_db()
    assert (sheet.state, Unit.objects.get().name) == ("written", "新名")


@own_connection
@pytest.mark.parametrize("confirmed_first", [True, False])
def test_an_edit_since_the_preview_is_not_written_over_unseen(
    client, officer, place, tmp_path, confirmed_first
):
    old = unit(place.community, "旧名", kind="hospital")
    other = unit(place.community, "另一家", kind="hospital")
    rows = [
        row(place, n, 单位名称=f"{u.name}（改）", 统一社会信用代码=u.credit_code)
        for n, u in enumerate((old, other))
    ]
    sheet = imports.take(UnitSheet, upload(tmp_path, *rows), by=officer)
    if confirmed_first:
        sheet = imports.confirm(sheet, by=officer)
    update_unit(unit=old, name="他人改的名", by=officer)
    if not confirmed_first:
        sheet = imports.confirm(sheet, by=officer)
    execute(sheet.job_id)
    sheet.refresh_from_db()
    assert sheet.state == "ready"
    assert set(Unit.objects.values_list("name", flat=True)) == {"他人改的名", "另一家"}
    shown = text(client.get(f"{UNITS}import/{sheet.pk}/"))
    assert "已被他人修改，没有写入任何一行" in shown
    assert "他人改的名 → 旧名（改）" in shown
    # Seen and confirmed again, it is a decision.
    execute(imports.confirm(sheet, by=officer).job_id)
    assert set(Unit.objects.values_list("name", flat=True)) == {"旧名（改）", "另一家（改）"}


@own_connection
def test_a_run_that_died_can_be_asked_for_again(client, officer, place, tmp_path):
    sheet = imports.take(UnitSheet, upload(tmp_path, row(place, 1)), by=officer)
    sheet = imports.confirm(sheet, by=officer)
    with pytest.raises(Conflict, match="正在处理"):
        imports.check_again(sheet, by=officer)
    Job.objects.filter(pk=sheet.job_id).update(
        state="failed", error="任务多次中途中断", finished_at=timezone.now()
    )
    here = f"{UNITS}import/{sheet.pk}/"
    assert "任务多次中途中断" in text(client.get(here))
    client.post(here, {"step": "check"})
    sheet.refresh_from_db()
    assert sheet.state == "checking"
    execute(sheet.job_id)
    sheet.refresh_from_db()
    assert sheet.state == "ready"


def test_two_confirmations_write_once(officer, place, tmp_path):
    sheet = imports.take(UnitSheet, upload(tmp_path, row(place, 1)), by=officer)
    imports.confirm(sheet, by=officer)
    with pytest.raises(Conflict):
        imports.confirm(sheet, by=officer)
    assert Job.objects.filter(kind="core.import_write").count() == 1


def kept() -> set[Path]:
    folder = Path(settings.MEDIA_ROOT) / imports.FOLDER
    return {path for path in folder.rglob("*") if path.is_file()} if folder.exists() else set()


@own_connection
def test_the_file_goes_with_the_write(officer, place, tmp_path):
    before = kept()
    sheet = imports.take(UnitSheet, upload(tmp_path, row(place, 1)), by=officer)
    file = imports.path_of(sheet)
    sheet = imports.confirm(sheet, by=officer)
    assert file.exists()  # the run reads it once more
    execute(sheet.job_id)
    assert kept() == before
    sheet.refresh_from_db()
    assert (sheet.state, sheet.path, sheet.preview, sheet.created) == ("written", "", {}, 1)


@own_connection
def test_a_write_that_is_undone_keeps_the_file_for_the_next_run(
    officer, place, tmp_path, monkeypatch
):
    sheet = imports.take(UnitSheet, upload(tmp_path, row(place, 1)), by=officer)
    sheet = imports.confirm(sheet, by=officer)
    with monkeypatch.context() as broken:
        # The last word of the write's own transaction.
        broken.setattr(imports.audit, "record", lambda *_, **__: 1 / 0)
        execute(sheet.job_id)
    sheet.refresh_from_db()
    assert sheet.state == "writing"
    assert imports.path_of(sheet).exists()
    assert not Unit.objects.exists()


@pytest.mark.parametrize("wrong", [{}, {"单位类别": "医"}])
def test_what_is_given_up_goes_at_once(
    client, place, tmp_path, wrong, django_capture_on_commit_callbacks
):
    before = kept()
    here = sent(client, upload(tmp_path, row(place, 1, **wrong)))
    assert kept() - before
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(here, {"step": "drop"})["Location"] == here
    assert kept() == before
    shown = text(client.get(here))
    assert "已放弃" in shown
    assert "新单位1" not in shown
    assert client.get(f"{here}errors/").status_code == 404
    for step in ("confirm", "check", "drop"):
        client.post(here, {"step": step})
        assert "“名册.xlsx”当前是“已放弃”" in text(client.get(here))
    sheet = SheetImport.objects.get()
    assert (sheet.state, sheet.path, sheet.errors_path, sheet.preview) == ("dropped", "", "", {})


def test_what_cannot_be_imported_keeps_no_file(
    client, place, tmp_path, django_capture_on_commit_callbacks
):
    before = kept()
    same = unit(place.community, "不变", kind="hospital", party_org="", contact_name="")
    rows = row(place, 1, 单位名称="不变", 统一社会信用代码=same.credit_code)
    with django_capture_on_commit_callbacks(execute=True):
        sent(client, SimpleUploadedFile("a.xlsx", b"%PDF-1.7"))
        sent(client, upload(tmp_path, rows))
    assert kept() == before
    assert set(SheetImport.objects.values_list("state", "path")) == {("failed", "")}


@pytest.mark.parametrize("wrong", [{}, {"单位类别": "医"}])
def test_what_nobody_confirms_goes_within_a_day(
    officer, place, tmp_path, wrong, django_capture_on_commit_callbacks
):
    before = kept()
    sheet = imports.take(UnitSheet, upload(tmp_path, row(place, 1, **wrong)), by=officer)
    files = kept() - before
    assert len(files) == (2 if wrong else 1)
    with django_capture_on_commit_callbacks(execute=True):
        tidying.drop_uploads()
    assert kept() >= files
    # The last sweep of the first day.
    turn = settings.CELERY_BEAT_SCHEDULE["drop-uploads"]["schedule"]
    SheetImport.objects.update(created_at=timezone.now() - timedelta(days=1, seconds=-turn))
    with django_capture_on_commit_callbacks(execute=True):
        tidying.drop_uploads()
    assert kept() == before
    sheet.refresh_from_db()
    assert (sheet.state, sheet.path, sheet.preview) == ("dropped", "", {})
    assert sheet.wrong == len(wrong)
    assert "一天内没有确认" in sheet.message
    with pytest.raises(Conflict, match="已放弃"):
        imports.confirm(sheet, by=officer)


@own_connection
def test_a_run_at_work_keeps_its_file_and_one_that_ended_does_not(officer, place, tmp_path):
    sheet = imports.take(UnitSheet, upload(tmp_path, row(place, 1)), by=officer)
    sheet = imports.confirm(sheet, by=officer)
    SheetImport.objects.update(created_at=timezone.now() - timedelta(days=2))
    with pytest.raises(Conflict, match="正在处理"):
        imports.drop(sheet, by=officer)
    tidying.drop_uploads()
    file = imports.path_of(sheet)
    assert file.exists()
    Job.objects.filter(pk=sheet.job_id).update(state="failed", finished_at=timezone.now())
    tidying.drop_uploads()
    assert not file.exists()
    sheet.refresh_from_db()
    assert sheet.state == "dropped"


def test_what_a_killed_worker_left_without_a_row_goes_in_hours(officer, place, tmp_path):
    sheet = imports.take(UnitSheet, upload(tmp_path, row(place, 1)), by=officer)
    known = imports.path_of(sheet)
    left, new = (known.with_name(f"{name}.upload") for name in ("left", "new"))
    for path in (left, new):
        path.write_bytes(b"13800138000")
    old = (timezone.now() - imports.UNNAMED_FILE_KEPT - timedelta(minutes=1)).timestamp()
    for path in (known, left):
        os.utime(path, (old, old))
    tidying.drop_uploads()
    assert {known, new} <= kept()
    assert not left.exists()
    new.unlink()


def test_a_refused_upload_leaves_no_file(officer, tmp_path):
    before = kept()
    with pytest.raises(Refused):
        imports.take(UnitSheet, SimpleUploadedFile("a.xlsx", b"x" * (21 * 2**20)), by=officer)
    assert kept() == before


@own_connection
def test_the_list_is_exported_as_it_is_filtered(client, place):
    unit(place.community, "学校甲", kind="school")
    unit(place.community, "银行乙", kind="bank")
    assert (
        f'href="{UNITS}export/?kind=school"' in client.get(f"{UNITS}?kind=school").content.decode()
    )
    page = text(client.get(f"{UNITS}export/?kind=school"))
    assert "共 1 条" in page
    assert "类别：学校" in page
    response = client.post(f"{UNITS}export/?kind=school", {"format": "csv"})
    job = Job.objects.get()
    assert response["Location"] == f"/console/jobs/{job.pk}/"
    execute(job.pk)
    done = client.get(f"/console/jobs/{job.pk}/result/")
    assert done.getvalue().decode("utf-8-sig").splitlines()[1].startswith("学校甲,")
    assert "不能导出" in text(client.get(f"{UNITS}export/?kind=nothing"))
    assert client.post(f"{UNITS}export/?kind=nothing").status_code == 422
