"""A connection cut in the middle of a request, on either side of the web: all or nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.db import connection, transaction

from core import attachments
from core.models import Attachment, AuditEvent
from services.models import Item
from tests.factories import services as make
from tests.factories.alliance import draft, pair
from tests.faults.load import NEED
from tests.faults.site import CONSOLE_FORM, Answer, Person, Site, until

pytestmark = [pytest.mark.postgres, pytest.mark.services, pytest.mark.django_db]
ADD = "/console/services/items/add/"


@contextmanager
def held_before_the_audit() -> Iterator[None]:
    """Whoever writes waits here: the deed is written, its audit is not, nothing is committed."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {AuditEvent._meta.db_table} IN ACCESS EXCLUSIVE MODE")
        yield


def waiting() -> list[int]:
    """The sessions that wait for a lock of this one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_locks"
            " WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
        )
        return [pid for (pid,) in cursor.fetchall()]


@pytest.fixture
def worker(site: Site) -> Person:
    return Person(site, make.worker(site.place.community))


def kept(title: str) -> tuple[int, int]:
    """How many items of this title there are, and how many rows of the audit tell of them."""
    ids = [str(pk) for pk in Item.objects.filter(title=title).values_list("pk", flat=True)]
    told = AuditEvent.objects.filter(object_type="services.item", object_id__in=ids)
    return len(ids), told.count()


def test_a_database_connection_that_is_terminated_undoes_the_deed_and_is_replaced(worker: Person):
    said: list[Answer] = []
    title = "中断-数据库"
    asking = threading.Thread(target=lambda: said.append(worker.post(ADD, title=title, **NEED)))
    with held_before_the_audit():
        asking.start()
        (pid,) = until(waiting, "the request at the lock")
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
        asking.join(40)
    assert (said[0].status, "核对是否已经保存" in said[0].text) == (503, True)
    assert kept(title) == (0, 0)
    for _ in range(4):  # whichever thread gets them
        assert worker.post(ADD, title=title, **NEED).status == 302
    assert kept(title) == (4, 4)


def test_a_person_who_leaves_before_the_answer_has_done_it_once(worker: Person):
    title = "中断-没等到答复"
    body = urlencode({"title": title, **NEED}).encode()
    with held_before_the_audit():
        line = worker.began(ADD, body, len(body), CONSOLE_FORM)
        until(waiting, "the request at the lock")
        line.close()
    until(lambda: kept(title)[0], "the deed of the one who left")
    assert kept(title) == (1, 1)


def test_half_a_form_is_not_a_shorter_form(worker: Person, site: Site):
    title = "中断-半张表"
    body = urlencode({**NEED, "title": title, "contact": "社区居委会" * 3}).encode()
    line = worker.began(ADD, body[:-9], len(body), CONSOLE_FORM)
    _left(line, site)
    assert kept(title) == (0, 0)


def test_half_a_file_is_not_a_smaller_file(site: Site):
    sides = pair(site.place.community)
    agreement = draft(sides)
    path = f"/console/attachments/alliance.agreement/{agreement.pk}/add/"
    head = (
        b'--cut\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n'
        b"Content-Type: text/plain\r\n\r\n"
    )
    line_of_text = "会议纪要\n".encode()
    body = head + line_of_text * 1000 + b"\r\n--cut--\r\n"
    half = head + line_of_text * 500  # a file that is in order as far as it goes
    folder = Path(settings.MEDIA_ROOT) / attachments.FOLDER
    before = set(folder.rglob("*"))
    line = Person(site, sides.worker).began(
        path, half, len(body), "multipart/form-data; boundary=cut"
    )
    _left(line, site)
    assert not Attachment.objects.filter(object_id=str(agreement.pk)).exists()
    assert {p for p in set(folder.rglob("*")) - before if p.is_file()} == set()
    answer = Person(site, sides.worker).ask("POST", path, body, "multipart/form-data; boundary=cut")
    assert answer.status == 302, "the whole file is taken"
    assert agreement.attachments.count() == 1


def _left(line, site: Site) -> None:
    """The sender is gone, and the web has done with the request, whatever it made of it."""
    before = site.log.read_text().count("request_finished")
    line.close()
    until(lambda: site.log.read_text().count("request_finished") > before, "the request's end")
