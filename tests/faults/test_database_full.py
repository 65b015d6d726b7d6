"""The disk under PostgreSQL truly full, while people work and a job runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import psycopg2
import pytest
from django.contrib.sessions.models import Session
from django.db import OperationalError, connection
from django.utils import timezone

from accounts.middleware import SEEN
from core import jobs
from core.audit_check import Check
from core.enums import JobState
from core.models import Job, Notification
from scripts.throwaway import Postgres, Redis, Services, own_folder, started
from services.models import Item
from tests.core import kinds
from tests.factories import services as make
from tests.factories.accounts import person
from tests.factories.orgs import small_city
from tests.faults.disk import Disk, small_disk
from tests.faults.load import Load
from tests.faults.site import Person, Site, copy_database, until

pytestmark = [pytest.mark.postgres, pytest.mark.services, pytest.mark.django_db]
MEGABYTES = 200
IS_FULL = "磁盘空间不足"


class OnSmallDisk(Postgres):
    """All that it keeps lies on a small disk, its write-ahead log too; what it says does not."""

    def __init__(self, folder: Path, disk: Disk) -> None:
        self.disk = disk
        # No checkpoint but one that a test asks for: on a full disk the server does not live it out.
        rare = {"checkpoint_timeout": "1h", "min_wal_size": "32MB", "max_wal_size": "96MB"}
        super().__init__(folder, more=rare)

    def _make(self) -> None:
        room = self.disk.root / self.folder.name
        self._run(["mkdir", "--mode=700", str(room)])
        (self.folder / "data").symlink_to(room)
        super()._make()


class Small(NamedTuple):
    site: Site
    disk: Disk


@pytest.fixture(scope="module")
def _small(django_db_setup: None, django_db_blocker: Any, tmp_path_factory) -> Iterator[Small]:
    with own_folder() as folder, ExitStack() as stack:
        at = folder / "disk"
        at.mkdir()
        disk = stack.enter_context(small_disk(MEGABYTES, at))
        postgres = started(OnSmallDisk, folder, disk)
        stack.callback(postgres.stop)
        redis = started(Redis, folder)
        stack.callback(redis.stop)
        with django_db_blocker.unblock():
            copy_database(postgres.port)
        site = Site(Services(postgres, redis), tmp_path_factory.mktemp("small"))
        with site.looked_into(django_db_blocker):
            site.place = small_city()
        site.start()
        stack.callback(site.stop)
        yield Small(site, disk)


@pytest.fixture
def small(_small: Small, django_db_blocker: Any) -> Iterator[Small]:
    """The site, ready, on a disk with room; this process looks into its database."""
    with _small.site.looked_into(django_db_blocker):
        yield _small
        _small.disk.make_room()
        _small.site.stop_workers()


def _reader(site: Site) -> Person:
    """Somebody who was last seen so long ago that their next page is noted in the session."""
    who = Person(site, make.worker(site.place.community))
    session = who.session
    session[SEEN] -= 120
    session.save()
    return who


def _more_sessions() -> None:
    for number in range(10_000):
        Session.objects.create(session_key=f"none-{number}", expire_date=timezone.now())


def test_a_full_disk_refuses_writes_alone_and_says_so(small: Small, tmp_path: Path):
    site, disk = small
    gate = tmp_path / "gate"
    job = jobs.submit("test.rows", by=person("system_admin"), gate=str(gate))
    Job.objects.update(send_after=timezone.now())
    site.worker("reports", "default")
    until(lambda: Job.objects.filter(state=JobState.RUNNING).exists(), "the job's beginning")
    reader, resident = _reader(site), _reader(site)
    resident.headers["Cookie"] += f"; community={site.place.community.code}"

    with Load(site, "写满", writers=2) as load:
        with connection.cursor() as cursor:  # no row gives way to its next version
            cursor.execute("VACUUM FULL django_session")
        disk.fill()
        load.more_refused()
        with pytest.raises(OperationalError, match="No space left on device"):
            _more_sessions()  # what is free within the pages that their table has
        for path in ("/", "/console/", "/console/services/items/", "/api/v1/items/"):
            assert reader.get(path).status == 200, path
        assert "not noted as seen" in site.log.read_text()
        answered = resident.post("/need/topic/", topic="daily")  # kept in the session alone
        assert (answered.status, IS_FULL in answered.text) == (507, True)
        assert site.health("ready") == (200, {"status": "ok"}), "readers are served"
        gate.touch()
        job = until(lambda: Job.objects.filter(state=JobState.FAILED).first(), "the job's end")
        assert (job.attempt, IS_FULL in job.error) == (1, True)
        load.more_refused()
        disk.make_room()
        load.more_acknowledged()
    refused = load.refused
    load.assert_kept_once()
    assert {said.status for said in refused} == {507}
    assert all(IS_FULL in said.text for said in refused)
    kinds_of_answer = {said.headers["Content-Type"].partition(";")[0] for said in refused}
    assert kinds_of_answer == {"text/html", "application/json"}
    titles = [title for writer in load.writers for title in writer.refused]
    assert not Item.objects.filter(title__in=titles).exists(), "which said that nothing was kept"
    assert not Check().run().broken
    assert not Notification.objects.filter(kind=kinds.RESULT).exists()

    jobs.retry(job, by=job.owner)
    Job.objects.update(send_after=timezone.now())
    assert site.manage("job", "sweep").returncode == 0
    job = until(lambda: Job.objects.filter(state=JobState.DONE).first(), "the job's good end")


def test_a_checkpoint_without_room_takes_the_server_down_and_it_is_found_again(small: Small):
    """PostgreSQL's own way: it panics and recovers, which may need room too. Then it tries again, or
    takes nobody in, or gives up and is started anew by whoever watches over it."""
    site, disk = small
    postgres = site.services.postgres
    with Load(site, "检查点", writers=2) as load:
        disk.fill()
        load.more_refused()
        _checkpoint(postgres.url)
        load.more_refused(3)
        assert "PANIC" in (postgres.folder / "log").read_text()
        assert site.health("live")[0] == 200
        disk.make_room()
        until(lambda: _watched_over(postgres).answers(), "the server")
        load.more_acknowledged()
    until(site.is_ready, "ready again, with nothing of ours restarted")
    load.assert_kept_once()
    said = {answer.status: answer.text for answer in load.refused}
    assert said.keys() == {503, 507}
    assert IS_FULL in said[507]
    assert "核对是否已经保存" in said[503]
    assert not Check().run().broken


def _watched_over(postgres: Postgres) -> Postgres:
    if postgres.process.poll() is not None:
        postgres.start()
    return postgres


def _checkpoint(url: str) -> None:
    """As comes every few minutes by itself."""
    line = psycopg2.connect(url)
    line.autocommit = True
    with line.cursor() as cursor, pytest.raises(psycopg2.OperationalError):
        cursor.execute("CHECKPOINT")
    line.close()
