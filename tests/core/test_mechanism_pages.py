"""The pages of the mechanisms: jobs, inbox, attachments, working days."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts.enums import Role
from core import attachments, jobs, notify, workdays
from core.enums import JobState
from core.models import Attachment, Job, Notification, WorkdayOverride
from tests.core.test_content import PDF, PNG
from tests.factories.accounts import person
from tests.factories.alliance import draft, pair
from tests.factories.orgs import small_city, unit

pytestmark = pytest.mark.django_db


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def text(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


@pytest.fixture
def place():
    return small_city()


@pytest.fixture
def officer(place):
    return person(Role.STREET_OFFICER, place.street)


@pytest.fixture
def admin():
    return person(Role.SYSTEM_ADMIN)


def running(job: Job, **values) -> Job:
    now = timezone.now()
    Job.objects.filter(pk=job.pk).update(
        state=JobState.RUNNING, started_at=now, heartbeat_at=now, **values
    )
    job.refresh_from_db()
    return job


# -- jobs


def test_one_sees_ones_own_jobs_and_the_administrator_all(officer, admin):
    mine = jobs.submit("test.file", by=officer, title="街道台账")
    jobs.submit("test.file", by=admin, title="系统任务")
    shown = text(signed_in(officer).get("/console/jobs/"))
    assert "街道台账" in shown
    assert "系统任务" not in shown
    shown = text(signed_in(admin).get("/console/jobs/"))
    assert "街道台账" in shown
    assert "系统任务" in shown
    stranger = signed_in(person(Role.SECURITY_AUDITOR))
    for address in ("", "result/", "do/cancel/"):
        assert stranger.get(f"/console/jobs/{mine.pk}/{address}").status_code == 404


def test_a_running_job_polls_and_the_page_is_loaded_anew_at_its_end(officer, place):
    job = running(jobs.submit("test.file", by=officer, about=place.street), done=30, total=120)
    client = signed_in(officer)
    address = f"/console/jobs/{job.pk}/"
    whole = client.get(address)
    assert "25%" in text(whole)
    assert f'hx-get="{address}" hx-trigger="every 2s"' in whole.content.decode()
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in whole.content.decode()
    assert "停止" in text(whole)
    asked = {"HX-Request": "true", "HX-Target": "job"}
    part = client.get(address, headers=asked)
    assert part.content.decode().lstrip().startswith('<section id="job"')
    Job.objects.update(state=JobState.FAILED, finished_at=timezone.now(), error="第 3 行有误。")
    ended = client.get(address, headers=asked)
    assert (ended.status_code, ended["HX-Refresh"]) == (204, "true")
    whole = client.get(address)
    assert "第 3 行有误。" in text(whole)
    assert "hx-trigger" not in whole.content.decode()
    assert "重试" in text(whole)


def test_watching_a_job_keeps_nobody_signed_in(officer):
    job = running(jobs.submit("test.file", by=officer))
    client, address = signed_in(officer), f"/console/jobs/{job.pk}/"
    page = client.get(address).content.decode()
    said = json.loads(re.search(r"""id="job"[^>]* hx-headers='([^']*)'""", page)[1])
    session = client.session
    session["seen_at"] -= 600
    session.save()
    asked = client.get(address, headers={"HX-Request": "true", "HX-Target": "job", **said})
    assert asked.content.decode().lstrip().startswith('<section id="job"')
    assert client.session["seen_at"] == session["seen_at"], "the page asked, not its reader"
    client.get(address)
    assert client.session["seen_at"] > session["seen_at"]


def test_the_buttons_stop_and_begin_anew(officer):
    job = jobs.submit("test.file", by=officer)
    client = signed_in(officer)
    assert client.post(f"/console/jobs/{job.pk}/do/cancel/").status_code == 302
    job.refresh_from_db()
    assert job.state == JobState.CANCELLED
    assert client.post(f"/console/jobs/{job.pk}/do/retry/").status_code == 302
    job.refresh_from_db()
    assert job.state == JobState.PENDING
    assert client.post(f"/console/jobs/{job.pk}/do/retry/").status_code == 409


def test_a_result_is_a_download_that_nothing_runs_in(officer, admin):
    job = jobs.submit("test.file", by=officer, name="台账 2026Q3.xlsx")
    jobs.execute(job.pk)
    client = signed_in(officer)
    assert "下载 台账 2026Q3.xlsx" in text(client.get(f"/console/jobs/{job.pk}/"))
    response = client.get(f"/console/jobs/{job.pk}/result/")
    assert b"".join(response.streaming_content) == b"ledger"
    assert response["Content-Disposition"].startswith("attachment; filename*=utf-8''")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response["Content-Security-Policy"]
    assert "no-store" in response["Cache-Control"]
    assert signed_in(admin).get(f"/console/jobs/{job.pk}/").status_code == 200
    assert signed_in(admin).get(f"/console/jobs/{job.pk}/result/").status_code == 403
    Job.objects.update(result_expires_at=timezone.now() - timedelta(days=1))
    answer = client.get(f"/console/jobs/{job.pk}/result/", follow=True)
    assert "已过保留期" in text(answer)


def test_a_result_whose_file_is_gone_says_so(officer):
    job = jobs.submit("test.file", by=officer)
    jobs.execute(job.pk)
    job.refresh_from_db()
    (Path(settings.MEDIA_ROOT) / job.result_path).unlink()
    answer = signed_in(officer).get(f"/console/jobs/{job.pk}/result/", follow=True)
    assert "已不在存储中" in text(answer)


@pytest.mark.parametrize("rows", [1, 3, 50])
def test_the_lists_cost_the_same_however_long(officer, rows, django_assert_max_num_queries):
    for _ in range(rows):
        jobs.submit("test.file", by=officer)
        notify.notify([officer.pk], title="消息")
    client = signed_in(officer)
    # session (unless Redis has it), user, grants, saved views, count, rows, unread
    with django_assert_max_num_queries(7):
        client.get("/console/jobs/")
    with django_assert_max_num_queries(7):
        client.get("/console/inbox/")


def test_the_api_tells_of_jobs_and_takes_the_same_steps(officer, admin):
    job = jobs.submit("test.file", by=officer, title="街道台账")
    jobs.submit("test.file", by=admin)
    client = signed_in(officer)
    listed = client.get("/api/v1/jobs/").json()
    assert [row["title"] for row in listed["results"]] == ["街道台账"]
    one = client.get(f"/api/v1/jobs/{job.pk}/").json()
    assert [step["name"] for step in one["transitions"]] == ["cancel"]
    done = client.post(
        f"/api/v1/jobs/{job.pk}/transitions/cancel/", content_type="application/json"
    )
    assert (done.status_code, done.json()["state"]) == (200, "cancelled")
    assert (
        signed_in(person(Role.SECURITY_AUDITOR)).get(f"/api/v1/jobs/{job.pk}/").status_code == 404
    )


# -- inbox


def test_a_message_leads_to_what_it_is_about_and_counts_as_read(officer, admin, place):
    notify.notify([officer.pk], title="有新的单位", body="请核对", about=unit(place.community))
    notify.notify([officer.pk], title="系统维护", body="周六停机")
    client = signed_in(officer)
    page = client.get("/console/inbox/")
    assert 'aria-label="收件箱，2 条"' in page.content.decode()
    assert "有新的单位" in text(page)
    first, second = Notification.objects.order_by("id")
    assert client.get(f"/console/inbox/{first.pk}/")["Location"] == first.url
    assert "周六停机" in text(client.get(f"/console/inbox/{second.pk}/"))
    assert notify.unread_count(officer) == 0
    assert "有新的单位" not in text(client.get("/console/inbox/?read=no"))
    assert signed_in(admin).get(f"/console/inbox/{first.pk}/").status_code == 404


def test_all_messages_are_marked_read_at_once(officer, admin):
    notify.notify([officer.pk, admin.pk], title="消息")
    client = signed_in(officer)
    assert client.get("/console/inbox/read/").status_code == 405
    assert "1 条已标为已读" in text(client.post("/console/inbox/read/", follow=True))
    assert (notify.unread_count(officer), notify.unread_count(admin)) == (0, 1)


# -- attachments


@pytest.fixture
def sides(place):
    return pair(place.community)


@pytest.fixture
def agreement(sides):
    return draft(sides)


def _add(client: Client, agreement, name: str, body: bytes):
    return client.post(
        f"/console/attachments/alliance.agreement/{agreement.pk}/add/",
        {"file": SimpleUploadedFile(name, body)},
    )


def test_a_file_is_added_fetched_and_removed(agreement, sides):
    client = signed_in(sides.worker)
    assert (
        client.get(f"/console/attachments/alliance.agreement/{agreement.pk}/add/").status_code
        == 200
    )
    refused = _add(client, agreement, "合影.pdf", PNG)
    assert refused.status_code == 422
    assert "看起来是 png 文件" in text(refused)
    done = _add(client, agreement, "盖章扫描件.pdf", PDF)
    assert (done.status_code, done["Location"]) == (302, agreement.get_absolute_url())
    made = agreement.attachments.get()
    response = signed_in(sides.liaison).get(f"/console/attachments/{made.pk}/")
    assert b"".join(response.streaming_content) == PDF
    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Disposition"].startswith("attachment;")
    assert response["X-Content-Type-Options"] == "nosniff"
    panel = attachments.panel(agreement, sides.worker)
    assert (panel.rows, panel.may_change, panel.why_not) == ([made], True, None)
    assert "盖章扫描件.pdf" in text(client.get(agreement.get_absolute_url()))
    form = client.get(f"/console/attachments/{made.pk}/remove/").content.decode()
    data = {"_version": re.search(r'name="_version" value="(\w+)"', form)[1], "reason": "传错了"}
    gone = client.post(f"/console/attachments/{made.pk}/remove/", data)
    assert (gone.status_code, gone["Location"]) == (302, agreement.get_absolute_url())
    assert not agreement.attachments.exists()


def test_foreign_and_unknown_attachments_answer_alike(agreement, sides, place):
    made = attachments.attach(agreement, SimpleUploadedFile("a.pdf", PDF), by=sides.worker)
    foreign = signed_in(person(Role.COMMUNITY_WORKER, place.other_community))
    unknown = "01a20000-0000-7000-8000-000000000000"
    for address in (f"{made.pk}/", f"{made.pk}/remove/", f"{unknown}/", f"{unknown}/remove/"):
        assert foreign.get(f"/console/attachments/{address}").status_code == 404
    assert _add(foreign, agreement, "b.pdf", PDF).status_code == 404
    client = signed_in(sides.worker)
    for label, pk in (
        ("alliance.agreement", "0"),
        ("alliance.agreement", "x"),
        ("accounts.user", str(sides.worker.pk)),
        ("no.such", "1"),
        ("nonsense", "1"),
    ):
        assert client.get(f"/console/attachments/{label}/{pk}/add/").status_code == 404
    looking = signed_in(person(Role.ORG_DEPARTMENT, place.city))
    fetched = looking.get(f"/console/attachments/{made.pk}/")
    assert b"".join(fetched.streaming_content) == PDF
    assert looking.get(f"/console/attachments/{made.pk}/remove/").status_code == 403
    assert _add(looking, agreement, "b.pdf", PDF).status_code == 403
    assert Attachment.objects.count() == 1


def test_nobody_fetches_anything_without_a_sign_in(agreement, sides):
    made = attachments.attach(agreement, SimpleUploadedFile("a.pdf", PDF), by=sides.worker)
    for address in (f"attachments/{made.pk}/", "jobs/", "inbox/", "workdays/"):
        assert Client().get(f"/console/{address}")["Location"].startswith("/console/sign-in/")


# -- working days


def test_a_day_is_adjusted_and_restored(admin):
    client = signed_in(admin)
    day = date(2026, 10, 8)
    data = {"day": "2026-10-08", "is_workday": "no", "note": "台风停工"}
    assert client.post("/console/workdays/add/", data).status_code == 302
    assert not workdays.is_workday(day)
    shown = text(client.get("/console/workdays/"))
    assert "2026-10-08" in shown
    assert "台风停工" in shown
    row = WorkdayOverride.objects.get()
    form = client.get(f"/console/workdays/{row.pk}/clear/").content.decode()
    version = re.search(r'name="_version" value="(\w+)"', form)[1]
    answer = client.post(f"/console/workdays/{row.pk}/clear/", {"_version": version})
    assert (answer.status_code, answer["Location"]) == (302, "/console/workdays/")
    assert workdays.is_workday(day)
    assert client.post("/console/workdays/add/", {**data, "note": ""}).status_code == 422


def test_only_the_system_administrator_adjusts(officer):
    client = signed_in(officer)
    assert client.get("/console/workdays/").status_code == 403
    assert client.get("/console/workdays/add/").status_code == 403
