"""A copy of the platform, and what comes back of it elsewhere: on PostgreSQL and in the trial."""

from __future__ import annotations

import secrets
import shutil
import stat
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client, override_settings

from core import attachments, imports, jobs
from core.backup import engines, take
from core.enums import ImportState, JobState
from core.models import Attachment, AuditEvent, Job, SheetImport
from orgs.sheets import UnitSheet
from scripts.throwaway import Postgres, find_program, services
from services.models import Ticket
from tests.core import kinds  # noqa: F401  (a job with a result)
from tests.core.test_content import PDF
from tests.factories import services as make
from tests.factories.accounts import person
from tests.factories.alliance import draft, pair
from tests.factories.orgs import small_city
from tests.faults.site import until

pytestmark = pytest.mark.django_db(transaction=True)
PHONE = "13912345678"
Elsewhere = Callable[[], AbstractContextManager[None]]


@pytest.fixture(scope="module")
def other_server() -> Iterator[Postgres | None]:
    if connection.vendor == "sqlite":
        yield None
        return
    with services(redis=False) as running:
        yield running.postgres


@pytest.fixture
def elsewhere(other_server: Postgres | None, tmp_path: Path) -> Elsewhere:
    """``with elsewhere():`` an empty database on another server, an empty state folder."""
    suite = connections["default"]
    at = {"NAME": str(tmp_path / "elsewhere.sqlite3")}
    if other_server:
        name = f"empty_{secrets.token_hex(4)}"
        at = {"NAME": name, "HOST": "127.0.0.1", "PORT": other_server.port, "USER": "alliance"}
        where = ["-h", "127.0.0.1", "-p", str(other_server.port), "-U", "alliance"]
        subprocess.run([find_program("createdb"), *where, name], check=True)

    @contextmanager
    def there() -> Iterator[None]:
        other = suite.copy()
        other.settings_dict.update(at)
        connections["default"] = other
        try:
            with override_settings(MEDIA_ROOT=tmp_path / "media"):
                yield
        finally:
            other.close()
            connections["default"] = suite

    return there


@pytest.fixture(autouse=True)
def _own_files(tmp_path: Path) -> Iterator[None]:
    with override_settings(MEDIA_ROOT=tmp_path / "here"):
        yield


@pytest.fixture
def world() -> SimpleNamespace:
    """A little of everything that a copy must hold, or must not."""
    place = small_city()
    sides = pair(place.community)
    agreement = draft(sides)
    pdf = attachments.attach(agreement, SimpleUploadedFile("a.pdf", PDF), by=sides.worker)
    job = jobs.submit("test.file", by=person("street_officer", place.street))
    jobs.execute(job.pk)
    ticket, _ = make.ticket(place.community, phone=PHONE)
    sheet = imports.take(
        UnitSheet,
        SimpleUploadedFile("a.csv", "统一社会信用代码,单位名称\n".encode()),
        by=person("street_officer", place.street),
    )
    # As one that waits for a day; its file would be long gone when a copy is brought back.
    SheetImport.objects.update(state=ImportState.WRONG, path="imports/lost.upload")
    Client().force_login(sides.worker, backend="django.contrib.auth.backends.ModelBackend")
    assert Session.objects.exists()
    return SimpleNamespace(
        pdf=pdf, job=job, ticket=ticket, sheet=sheet, agreement=agreement, by=sides.worker
    )


def restored(source: Path) -> str:
    said = StringIO()
    call_command("restore", source, stdout=said)
    return said.getvalue()


def test_a_copy_comes_back_elsewhere_whole(world, tmp_path, elsewhere):
    target, said = tmp_path / "copy", StringIO()
    call_command("backup", target, stdout=said)
    assert said.getvalue().startswith("备份完成")
    _assert_private(target)
    events, files = AuditEvent.objects.count(), attachments.path_of(world.pdf).read_bytes()
    with elsewhere():
        told = restored(target)
        for line in (
            "备份完好",
            "数据库已恢复",
            "文件已恢复并核对：2 个",
            "审计日志完好",
            "区划树完好",
        ):
            assert line in told
        assert AuditEvent.objects.count() == events
        assert attachments.path_of(Attachment.objects.get()).read_bytes() == files
        assert Ticket.objects.get().phone == PHONE
        job = Job.objects.get(pk=world.job.pk)
        assert job.state == JobState.DONE
        assert (Path(settings.MEDIA_ROOT) / job.result_path).read_bytes() == b"ledger"
        sheet = SheetImport.objects.get()
        assert (sheet.state, sheet.path) == (ImportState.DROPPED, "")
        assert "请重新上传" in sheet.message
        assert not Session.objects.exists()
        with pytest.raises(CommandError, match="不是空的"):
            restored(target)
    with pytest.raises(CommandError, match="已存在"):
        call_command("backup", target)


def _assert_private(target: Path) -> None:
    """Nobody else reads it, and neither the keys nor a clear phone number are in it."""
    for path in [target, *target.rglob("*")]:
        allowed = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == allowed, path
    whole = b"".join(path.read_bytes() for path in target.rglob("*") if path.is_file())
    keys = [*settings.FIELD_KEYS, settings.FIELD_INDEX_KEY, *settings.AUDIT_KEYS]
    for secret in (*keys, settings.SECRET_KEY, PHONE):
        assert secret.encode() not in whole
    assert not [p for p in target.parent.iterdir() if p.name.endswith(".part")]


def _flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _another_count(path: Path) -> None:
    """Sound JSON, and a lie."""
    text = path.read_text()
    assert '"orgs_area": 23' in text
    path.write_text(text.replace('"orgs_area": 23', '"orgs_area": 22'))


def test_a_damaged_copy_is_refused_before_anything_is_written(world, tmp_path, elsewhere):
    target = tmp_path / "copy"
    take(target)
    media = f"media/{world.pdf.path}"
    database = f"database{engines.engine().suffix}"
    with elsewhere():
        for number, (name, harm, why) in enumerate(
            [
                (database, _flipped, "已损坏"),
                (media, _flipped, "已损坏"),
                (media, Path.unlink, "缺少文件"),
                ("manifest.json", _another_count, "被改动过"),
                ("manifest.json", lambda p: p.write_text(p.read_text()[:-9]), "已损坏"),
                ("manifest.json", Path.unlink, "不是一份完整的备份"),
            ]
        ):
            harmed = tmp_path / f"harmed{number}"
            shutil.copytree(target, harmed)
            harm(harmed / name)
            with pytest.raises(CommandError, match=why):
                restored(harmed)
        for keys, named in (
            ({"AUDIT_KEYS": ["another"]}, "AUDIT_KEYS"),
            ({"FIELD_KEYS": ["YW5vdGhlci1maWVsZC1rZXktMzItYnl0ZXMtSEVSRSE="]}, "FIELD_KEYS"),
        ):
            with override_settings(**keys), pytest.raises(CommandError, match=named):
                restored(target)
        assert engines.is_empty()
        assert not list(Path(settings.MEDIA_ROOT).rglob("*"))


def test_a_copy_of_a_newer_version_is_refused(tmp_path, elsewhere):
    MigrationRecorder(connection).record_applied("core", "9999_to_come")
    try:
        take(tmp_path / "copy")
    finally:
        MigrationRecorder(connection).record_unapplied("core", "9999_to_come")
    with elsewhere(), pytest.raises(CommandError, match="更新的版本"):
        restored(tmp_path / "copy")


def test_a_file_lost_before_is_named_and_stops_neither_way(world, tmp_path, elsewhere):
    attachments.path_of(world.pdf).unlink()
    warned = StringIO()
    call_command("backup", tmp_path / "copy", stderr=warned, stdout=StringIO())
    assert world.pdf.path in warned.getvalue()
    with elsewhere():
        assert "文件已恢复并核对：1 个" in restored(tmp_path / "copy")


@pytest.mark.postgres
def test_a_file_stays_until_the_copy_that_names_it_has_it(world, tmp_path):
    """Somebody removes it just then: they wait, for the copying of what is new and not for the dump."""

    def remove() -> None:
        attachments.detach(world.pdf, by=world.by)
        connection.close()

    def somebody_waits() -> bool:
        with connections["default"].copy().temporary_connection() as cursor:
            cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
            return cursor.fetchone()[0]

    file, one = attachments.path_of(world.pdf), threading.Thread(target=remove)
    dump = tmp_path / "database.dump"
    with engines.engine().frozen(dump, Attachment._meta.db_table) as let_go:
        one.start()
        until(somebody_waits, "the one who removes it")
        assert file.exists()
        let_go()
        one.join()
        assert not file.exists()
        assert Attachment.objects.exists(), "as of the moment of the copy"
    assert not Attachment.objects.exists()
    assert dump.stat().st_size
