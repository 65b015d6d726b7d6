"""No room for a file: who wanted it hears of it, nothing half is left, and later it works.

A limit on the size of files stands for the full disk: any user can set it on any machine, and lift
it again from a process that runs. What the kernel says of a disk that is truly full comes from
/dev/full. A full disk under the database: test_database_full.py.
"""

from __future__ import annotations

import gc
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import Http404
from django.test import Client
from django.urls import reverse

from core import attachments, imports, jobs
from core.enums import JobState
from core.models import Attachment, SheetImport
from tests.core.test_job_workers import ended, results_of, until
from tests.factories.accounts import person
from tests.factories.alliance import draft, pair
from tests.factories.orgs import small_city

ROOM = 64 * 1024
UNLIMITED = resource.RLIM_INFINITY


def _children(pid: int) -> list[int]:
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _left_over() -> list[str]:
    """Whatever lies among the results and is no whole file."""
    folder = Path(settings.MEDIA_ROOT) / "jobs"
    return [p.name for p in folder.iterdir() if ".part" in p.name or p.name.startswith(".")]


@pytest.mark.postgres  # the trial's database is a file of the worker, and larger than this
@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_a_job_without_room_says_so_and_runs_when_there_is_room(celery_worker_process):
    owner = person("system_admin")
    worker = celery_worker_process("sheets", "default")
    (child,) = _children(worker.pid)
    resource.prlimit(child, resource.RLIMIT_FSIZE, (ROOM, UNLIMITED))
    job = jobs.submit("test.table", by=owner, rows=20_000)
    job = until(lambda: ended(job))
    assert job.state == JobState.FAILED
    assert "磁盘空间不足" in job.error
    assert "点“重试”" in job.error
    assert "File too large" in worker.log.read_text()
    with pytest.raises(Http404):
        jobs.result_of(job, owner)
    until(lambda: not results_of(job))
    assert _left_over() == []
    resource.prlimit(child, resource.RLIMIT_FSIZE, (UNLIMITED, UNLIMITED))
    jobs.retry(job, by=owner)
    job = until(lambda: ended(job))
    assert (job.state, job.error) == (JobState.DONE, "")
    assert jobs.result_of(job, owner)[0].stat().st_size > ROOM


@pytest.mark.django_db
def test_what_the_kernel_says_of_a_full_disk_is_understood():
    job = jobs.submit("test.full", by=person("system_admin"))
    jobs.execute(job.pk)
    job.refresh_from_db()
    assert job.state == JobState.FAILED
    assert "磁盘空间不足" in job.error
    assert results_of(job) == _left_over() == []


@contextmanager
def little_room(size: int) -> Iterator[None]:
    """This process can write no longer file."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def _files(folder: str) -> set[Path]:
    return {p for p in (Path(settings.MEDIA_ROOT) / folder).rglob("*") if p.is_file()}


@pytest.mark.django_db
@pytest.mark.postgres  # the trial's database is a file of this process, and larger than this
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("size", [2, 3], ids=["while it is kept", "while it comes in"])
@pytest.mark.parametrize("what", ["attachment", "import"])
def test_an_upload_without_room_is_told_and_leaves_nothing(what, size, tmp_path):
    place = small_city()
    if what == "attachment":
        agreement = draft(pair(place.community))
        user, model, folder = person("community_worker", place.community), Attachment, "attachments"
        address = reverse("core:attach", args=["alliance.agreement", agreement.pk])
    else:
        user, model, folder = person("street_officer", place.street), SheetImport, imports.FOLDER
        address = reverse("orgs:units-import")
    client = Client(raise_request_exception=False)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    before = _files(folder)

    def send():
        body = "名称,代码\n".encode() + b"x,y\n" * (size * 2**20 // 4)
        name = "a.txt" if what == "attachment" else "a.csv"
        return client.post(address, {"file": SimpleUploadedFile(name, body)})

    with little_room(2**20):
        answer = send()
        said = (answer.status_code, "磁盘空间不足" in answer.content.decode())
        del answer
        gc.collect()  # Django leaves the file that could not come in to the collector
    assert said == (507, True)
    assert not model.objects.exists()
    assert _files(folder) == before
    assert send().status_code == 302, "there is room again"
    assert attachments.Attachment.objects.exists() or SheetImport.objects.exists()


@pytest.mark.postgres  # without it the database and the cache are files, and fail as well
@pytest.mark.django_db
def test_the_probe_says_that_there_is_no_room(client):
    with little_room(0):
        answer = client.get("/healthz/ready")
    assert (answer.status_code, answer.json()["failing"]) == (503, ["state_folder"])
