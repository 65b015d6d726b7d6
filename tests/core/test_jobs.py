"""A job from its submission to its end, in this process: the worker's own tests stand beside."""

from __future__ import annotations

import logging
import os
import socket
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.db.models import F
from django.http import Http404
from django.utils import timezone

from accounts.enums import Role
from accounts.models import Grant
from core import broker, jobs, tidying
from core.enums import JobState
from core.errors import Conflict, Refused
from core.jobs import outbox, running
from core.models import AuditEvent, Job, Notification
from core.scope import get_visible
from core.tasks import run_job
from tests.core.kinds import RESULT
from tests.factories.accounts import person
from tests.factories.orgs import small_city

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _fresh_broker():
    broker.try_again()


@pytest.fixture
def admin():
    return person(Role.SYSTEM_ADMIN, email="admin@example.com")


@pytest.fixture
def marks(tmp_path):
    folder = tmp_path / "marks"
    folder.mkdir()
    return folder


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _result_files() -> list[str]:
    folder = Path(settings.MEDIA_ROOT) / running.FOLDER
    return _names(folder) if folder.exists() else []


@pytest.fixture(autouse=True)
def _no_old_results():
    for name in _result_files():
        (Path(settings.MEDIA_ROOT) / running.FOLDER / name).unlink()


def _silence(job: Job, *, looked: bool = True) -> None:
    """As if its worker had said nothing for an hour (and one sweep had noticed)."""
    long_ago = timezone.now() - timedelta(hours=1)
    Job.objects.filter(pk=job.pk).update(
        heartbeat_at=long_ago, suspect_at=long_ago if looked else None
    )


def _claim(job: Job) -> Job:
    claimed = running._claim(job.pk)
    assert claimed is not None
    return claimed


def test_a_job_runs_and_leaves_one_result(admin, marks):
    job = jobs.submit("test.write", by=admin, marks=str(marks))
    assert job.state == JobState.PENDING
    job.refresh_from_db()
    assert job.state == JobState.DISPATCHED
    jobs.execute(job.pk)
    job.refresh_from_db()
    assert (job.state, job.done, job.total, job.percent) == (JobState.DONE, 3, 3, 100)
    assert job.message == "第 3 步"
    path, name = jobs.result_of(job, admin)
    assert (path.read_text(), name) == ("attempt 1", "结果.txt")
    assert path.parent == Path(settings.MEDIA_ROOT) / "jobs"
    assert len(_result_files()) == 1
    told = Notification.objects.get(kind="jobs.done")
    assert (told.user, told.title, told.mail_due_at) == (admin, "测试写入：已完成", None)


def test_a_deed_undone_leaves_no_job_and_sends_nothing(admin, marks):
    def undone():
        with transaction.atomic():
            jobs.submit("test.write", by=admin, marks=str(marks))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        undone()
    assert Job.objects.count() == 0


def test_an_unknown_kind_or_a_parameter_that_is_no_plain_value_fails_where_it_is_written(admin):
    with pytest.raises(KeyError):
        jobs.submit("test.no_such_kind", by=admin)
    with pytest.raises(TypeError):
        jobs.submit("test.write", by=admin, marks=admin)


def test_the_same_message_twice_runs_once(admin, marks):
    job = jobs.submit("test.write", by=admin, marks=str(marks))
    jobs.execute(job.pk)
    jobs.execute(job.pk)
    assert len(_names(marks)) == 1
    assert Notification.objects.filter(kind=RESULT).count() == 1


def test_a_key_is_taken_while_its_job_is_active(admin, marks):
    first = jobs.submit("test.write", by=admin, key="2026Q3", marks=str(marks))
    with pytest.raises(jobs.AlreadyRunning, match="正在进行") as refused:
        jobs.submit("test.write", by=admin, key="2026Q3", marks=str(marks))
    assert refused.value.job == first
    assert isinstance(refused.value, Conflict)
    jobs.submit("test.write", by=admin, key="2026Q4", marks=str(marks))
    jobs.submit("test.file", by=admin, key="2026Q3")
    jobs.submit("test.write", by=admin, marks=str(marks))
    jobs.submit("test.write", by=admin, marks=str(marks))
    jobs.execute(first.pk)
    jobs.submit("test.write", by=admin, key="2026Q3", marks=str(marks))


def test_the_database_holds_the_key_whoever_writes(admin):
    jobs.submit("test.file", by=admin, key="a")
    with pytest.raises(IntegrityError):
        Job.objects.create(kind="test.file", key="a", title="x", queue="sheets")


def test_a_refusal_is_shown_as_it_is_and_leaves_no_file(admin):
    job = jobs.submit("test.refuse", by=admin)
    jobs.execute(job.pk)
    job.refresh_from_db()
    assert (job.state, job.error) == (
        JobState.FAILED,
        "第 3 行的代码不存在，请改正后重新提交。",
    )
    assert _result_files() == []
    told = Notification.objects.get(kind="jobs.failed")
    assert told.body == job.error
    assert told.mail_due_at


def test_a_crash_shows_a_reference_and_the_log_the_traceback(admin, caplog):
    job = jobs.submit("test.crash", by=admin, secret="internal detail")
    with caplog.at_level(logging.ERROR):
        jobs.execute(job.pk)
    job.refresh_from_db()
    assert job.state == JobState.FAILED
    assert "internal detail" not in job.error
    reference = job.error.split("编号 ")[1][:8]
    assert reference in caplog.text
    assert "ZeroDivisionError: internal detail" in caplog.text


def test_a_database_that_goes_away_gives_the_job_back_until_the_last_attempt(admin):
    job = jobs.submit("test.database_away", by=admin)
    jobs.execute(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempt) == (JobState.PENDING, 1)
    assert job.send_after > timezone.now()
    jobs.execute(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempt, job.error) == (JobState.FAILED, 2, outbox.CUT_OFF)


def test_an_attempt_past_its_time_ends_at_the_next_progress(admin):
    job = jobs.submit("test.slow", by=admin)
    jobs.execute(job.pk)
    job.refresh_from_db()
    assert job.state == JobState.FAILED
    assert "时限" in job.error


def test_a_job_that_waits_is_cancelled_and_the_late_message_does_nothing(admin, marks):
    job = jobs.submit("test.write", by=admin, marks=str(marks))
    assert jobs.cancel(job, by=admin).state == JobState.CANCELLED
    jobs.execute(job.pk)
    assert _names(marks) == []
    assert AuditEvent.objects.get(action="core.job.cancel").actor_id == admin.pk
    with pytest.raises(Conflict, match="已取消"):
        jobs.cancel(job, by=admin)


def test_a_cancelled_job_begins_anew(admin, marks):
    job = jobs.submit("test.write", by=admin, key="a", marks=str(marks))
    jobs.cancel(job, by=admin)
    rival = jobs.submit("test.write", by=admin, key="a", marks=str(marks))
    with pytest.raises(jobs.AlreadyRunning):
        jobs.retry(job, by=admin)
    jobs.execute(rival.pk)
    job = jobs.retry(job, by=admin)
    jobs.execute(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempt) == (JobState.DONE, 1)
    assert AuditEvent.objects.filter(action="core.job.retry").count() == 1
    with pytest.raises(Conflict, match="已完成"):
        jobs.retry(job, by=admin)


def test_a_stop_that_the_worker_did_not_live_to_hear_is_heard_by_the_sweep(admin, marks):
    job = jobs.submit("test.write", by=admin, marks=str(marks))
    _claim(job)
    jobs.cancel(job, by=admin)
    with pytest.raises(Refused, match="已要求停止"):
        jobs.cancel(job, by=admin)
    _silence(job)
    assert outbox.take_over_stale() == 1
    job.refresh_from_db()
    assert job.state == JobState.CANCELLED


def test_a_silent_worker_is_replaced_after_two_looks_and_shut_out(admin, marks):
    job = jobs.submit("test.write", by=admin, marks=str(marks))
    old = _claim(job)
    _silence(job, looked=False)
    assert outbox.take_over_stale() == 0
    job.refresh_from_db()
    assert job.suspect_at
    assert job.state == JobState.RUNNING
    _silence(job)
    assert outbox.take_over_stale() == 1
    job.refresh_from_db()
    assert job.state == JobState.PENDING
    assert not running._settle(old, JobState.DONE), "the old worker finishes in vain"
    jobs.execute(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempt) == (JobState.DONE, 2)
    assert not running._settle(old, JobState.FAILED, error="late")
    assert Notification.objects.filter(kind="jobs.done").count() == 1


def test_a_heartbeat_between_the_two_looks_keeps_the_job(admin, marks):
    job = jobs.submit("test.write", by=admin, marks=str(marks))
    held = _claim(job)
    _silence(job)
    with jobs.running.Pulse(held, 60) as pulse:
        pulse._beat()
    assert outbox.take_over_stale() == 0
    job.refresh_from_db()
    assert job.suspect_at is None


def test_writes_of_a_worker_that_was_replaced_are_undone(admin, marks):
    job = jobs.submit("test.write", by=admin, marks=str(marks))
    old = _claim(job)
    run = jobs.Run(old, jobs.KINDS[job.kind], jobs.running.Pulse(old, 60))
    _silence(job)
    outbox.take_over_stale()

    def write():
        with run.atomic():
            Notification.objects.create(user=admin, kind=RESULT, title="迟到")

    with pytest.raises(jobs.Superseded):
        write()
    assert not Notification.objects.filter(kind=RESULT).exists()


def test_after_the_last_attempt_a_job_fails_and_can_be_retried(admin, marks):
    job = jobs.submit("test.write", by=admin, marks=str(marks))
    for _ in range(3):
        _claim(job)
        _silence(job)
        outbox.take_over_stale()
    job.refresh_from_db()
    assert (job.state, job.error) == (JobState.FAILED, outbox.CUT_OFF)
    jobs.execute(jobs.retry(job, by=admin).pk)
    job.refresh_from_db()
    assert (job.state, job.error) == (JobState.DONE, "")


def test_a_message_that_got_lost_is_sent_again_but_not_at_once(admin, marks):
    job = jobs.submit("test.write", by=admin, marks=str(marks))
    assert outbox.send_due() == 0
    Job.objects.filter(pk=job.pk).update(send_after=F("send_after") - outbox.SEND_AGAIN)
    assert outbox.send_due() == 1
    job.refresh_from_db()
    assert job.sends == 2
    assert job.send_after > timezone.now() + outbox.SEND_AGAIN


def test_a_broker_that_is_down_delays_and_loses_nothing(admin, marks, broker_down):
    with broker_down():
        job = jobs.submit("test.write", by=admin, marks=str(marks))
        job.refresh_from_db()
        assert job.state == JobState.PENDING
        assert broker.is_away(), "the next request does not wait for it"
        jobs.sweep()
        job.refresh_from_db()
        assert job.state == JobState.PENDING
    assert job.send_after <= timezone.now() + outbox.BROKER_WAIT
    Job.objects.update(send_after=timezone.now())
    jobs.sweep()
    job.refresh_from_db()
    assert job.state == JobState.DISPATCHED


def test_a_broker_that_accepts_and_never_answers_holds_a_request_for_seconds(
    admin, marks, monkeypatch
):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        changes = run_job.app.conf.changes
        address = f"redis://127.0.0.1:{mute.getsockname()[1]}/0"
        monkeypatch.setitem(changes, "broker_transport", "redis")
        monkeypatch.setitem(changes, "broker_write_url", address)
        began = time.monotonic()
        first = jobs.submit("test.write", by=admin, marks=str(marks))
        waited = time.monotonic() - began
        assert broker.is_away()
        began = time.monotonic()
        jobs.submit("test.write", by=admin, marks=str(marks))
        assert time.monotonic() - began < waited
    assert waited < 6 * broker.TIMEOUT
    first.refresh_from_db()
    assert first.state == JobState.PENDING


def test_the_command_lists_cancels_and_begins_anew(admin, marks, capsys):
    job = jobs.submit("test.refuse", by=admin, title="季度评估")
    jobs.execute(job.pk)
    call_command("job", "list", "--state", "failed")
    assert f"{job.pk}" in (said := capsys.readouterr().out)
    assert "第 3 行的代码不存在" in said
    who = ("--as", admin.username)
    call_command("job", "retry", str(job.pk), *who)
    call_command("job", "cancel", str(job.pk), *who)
    assert "季度评估：已取消" in capsys.readouterr().out
    assert AuditEvent.objects.get(action="core.job.cancel").actor_id == admin.pk
    call_command("job", "sweep")
    with pytest.raises(CommandError, match="已取消"):
        call_command("job", "cancel", str(job.pk), *who)
    with pytest.raises(CommandError, match="看不到编号为"):
        call_command("job", "retry", "nonsense", *who)
    stranger = person(Role.SECURITY_AUDITOR).username
    with pytest.raises(CommandError, match="看不到编号为"):
        call_command("job", "retry", str(job.pk), "--as", stranger)
    with pytest.raises(CommandError, match="没有登录名为"):
        call_command("job", "retry", str(job.pk), "--as", "nobody")
    with pytest.raises(CommandError, match="worker"):
        call_command("job", "retry", str(job.pk), "--wait", "--timeout", "0.1", *who)


def test_the_owner_and_the_administrators_see_a_job_and_nobody_else(admin):
    place = small_city()
    mine, other = person("org_department", place.city), person("org_department", place.city)
    job = jobs.submit("test.file", by=mine)
    assert get_visible(Job.objects, mine, pk=job.pk) == job
    assert get_visible(Job.objects, admin, pk=job.pk) == job
    with pytest.raises(Http404):
        get_visible(Job.objects, other, pk=job.pk)
    with pytest.raises(PermissionDenied):
        jobs.cancel(job, by=other)


def test_a_result_is_fetched_by_right_and_not_by_having_asked_for_it(admin):
    place = small_city()
    officer = person("street_officer", place.street)
    job = jobs.submit("test.file", by=officer, about=place.street, perm="orgs.view")
    jobs.execute(job.pk)
    job.refresh_from_db()
    assert jobs.result_of(job, officer)[1] == "台账.xlsx"
    with pytest.raises(PermissionDenied):
        jobs.result_of(job, admin)
    Grant.objects.filter(user=officer).update(area=place.other_street)
    moved = type(officer).objects.get(pk=officer.pk)
    with pytest.raises(PermissionDenied):
        jobs.result_of(job, moved)


def test_a_result_without_a_right_of_its_own_is_its_owners(admin, marks):
    other = person(Role.SECURITY_AUDITOR)
    job = jobs.submit("test.write", by=other, marks=str(marks))
    jobs.execute(job.pk)
    job.refresh_from_db()
    assert jobs.result_of(job, other)
    with pytest.raises(PermissionDenied):
        jobs.result_of(job, admin)


def test_a_right_that_ended_since_the_submission_stops_the_run():
    place = small_city()
    officer = person("street_officer", place.street)
    job = jobs.submit("test.file", by=officer, about=place.street)
    Grant.objects.filter(user=officer).delete()
    jobs.execute(job.pk)
    job.refresh_from_db()
    assert job.state == JobState.FAILED
    assert "权限" in job.error


def test_a_result_goes_when_its_day_is_over_and_says_so():
    place = small_city()
    officer = person("street_officer", place.street)
    job = jobs.submit("test.file", by=officer)
    jobs.execute(job.pk)
    job.refresh_from_db()
    assert timedelta(days=1) < job.result_expires_at - timezone.now() <= timedelta(days=2)
    Job.objects.update(result_expires_at=timezone.now())
    job.refresh_from_db()
    with pytest.raises(Refused, match="保留期"):
        jobs.result_of(job, officer)
    jobs.sweep()
    assert _result_files() == []
    job.refresh_from_db()
    assert (job.state, job.result_path, job.result_name) == (JobState.DONE, "", "台账.xlsx")
    with pytest.raises(Refused, match="保留期"):
        jobs.result_of(job, officer)


def test_a_result_name_cannot_lead_anywhere():
    place = small_city()
    officer = person("street_officer", place.street)
    job = jobs.submit("test.file", by=officer, name="../../etc/台账\r\n\u202e:2026.xlsx")
    jobs.execute(job.pk)
    job.refresh_from_db()
    path, name = jobs.result_of(job, officer)
    assert name == "台账_2026.xlsx"
    assert path.parent == Path(settings.MEDIA_ROOT) / "jobs"


def test_waiting_ends_with_the_job_and_tells_the_truth(admin, marks):
    job = jobs.submit("test.write", by=admin, marks=str(marks))
    with pytest.raises(jobs.NotDone, match="worker") as waited:
        jobs.wait_for(job, 0)
    assert waited.value.job == job
    jobs.execute(job.pk)
    seen = []
    assert jobs.wait_for(job, 5, seen.append).state == JobState.DONE
    assert [row.state for row in seen] == [JobState.DONE]
    failed = jobs.submit("test.refuse", by=admin)
    jobs.execute(failed.pk)
    with pytest.raises(jobs.NotDone, match="第 3 行"):
        jobs.wait_for(failed, 5)


def test_the_night_clears_old_rows_and_files_that_no_row_names(admin, marks):
    old, fresh = (jobs.submit("test.write", by=admin, marks=str(marks)) for _ in range(2))
    for job in (old, fresh):
        jobs.execute(job.pk)
    folder = Path(settings.MEDIA_ROOT) / running.FOLDER
    kept = {Path(path).name for path in Job.objects.values_list("result_path", flat=True)}
    (folder / "young").touch()
    (folder / "orphan").touch()
    ancient = (timezone.now() - timedelta(days=9)).timestamp()
    for name in (*kept, "orphan"):
        os.utime(folder / name, (ancient, ancient))
    Job.objects.filter(pk=old.pk).update(
        finished_at=timezone.now() - timedelta(days=91), result_expires_at=timezone.now()
    )
    tidying.tidy()
    assert set(_result_files()) == kept | {"young"}
    assert Job.objects.count() == 2, "a row stays as long as its file"
    jobs.sweep()
    tidying.tidy()
    assert list(Job.objects.all()) == [fresh]
