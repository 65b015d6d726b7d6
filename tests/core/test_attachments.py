"""Attachments: what comes in is what it says it is; what goes out goes through the object."""

from __future__ import annotations

import hashlib
import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.http import Http404
from django.utils import timezone

from accounts.enums import Role
from core import attachments, tidying
from core.attachments import attach, detach, find
from core.errors import Refused
from core.files import clean_name
from core.models import Attachment, AuditEvent
from tests.core.test_content import PDF, PNG, office
from tests.core.test_pictures import SECRET, chunk, exif, jpeg, png, segment
from tests.factories.accounts import person
from tests.factories.alliance import draft, pair
from tests.factories.orgs import small_city, unit
from tests.processes import parallel

pytestmark = pytest.mark.django_db


def upload(name: str, body: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, body)


def files() -> list[Path]:
    folder = Path(settings.MEDIA_ROOT) / attachments.FOLDER
    return [path for path in folder.rglob("*") if path.is_file()] if folder.exists() else []


@pytest.fixture(autouse=True)
def _no_old_files():
    for path in files():
        path.unlink()


@pytest.fixture
def place():
    return small_city()


@pytest.fixture
def sides(place):
    return pair(place.community)


@pytest.fixture
def agreement(sides):
    return draft(sides)


def test_a_file_comes_in_under_its_name_and_lies_under_another(agreement, sides):
    body = office("docx")
    made = attach(agreement, upload("../协议.docx", body), by=sides.worker)
    assert (made.name, made.size) == ("协议.docx", len(body))
    assert "wordprocessingml" in made.content_type
    assert list(agreement.attachments) == [made]
    (kept,) = files()
    assert kept.read_bytes() == body
    assert "协议" not in str(kept)
    assert kept.suffix == ""
    told = AuditEvent.objects.get(action="alliance.agreement.attach")
    assert (told.object_id, told.reason) == (str(agreement.pk), "协议.docx")
    assert made.sha256 in told.after


@pytest.mark.parametrize(
    ("name", "sent", "kept"),
    [
        ("合影.jpg", jpeg(segment(0xE1, b"Exif\0\0" + exif(1))), jpeg()),
        ("合影.png", png(chunk(b"eXIf", exif(1)), chunk(b"tEXt", SECRET)), png()),
    ],
)
def test_a_picture_is_kept_summed_and_counted_without_its_place(agreement, sides, name, sent, kept):
    made = attach(agreement, upload(name, sent), by=sides.worker)
    (file,) = files()
    assert file.read_bytes() == kept
    assert (made.size, made.sha256) == (len(kept), hashlib.sha256(kept).hexdigest())
    # The same picture taken at another place is the same file.
    with pytest.raises(Refused, match="已经上传过"):
        attach(agreement, upload(f"又一次{name}", kept), by=sides.worker)


def test_what_is_refused_leaves_nothing(agreement, sides):
    for name, body in (
        ("合影.pdf", PNG),
        ("半张.jpg", jpeg()[:-2]),
        ("宏.docx", office("docx", word__vbaProject=b"x")),
    ):
        with pytest.raises(Refused) as refused:
            attach(agreement, upload(name, body), by=sides.worker)
        assert refused.value.field == "file"
    assert files() == []
    assert not agreement.attachments.exists()


def test_a_file_too_large_is_cut_off_while_it_comes(agreement, sides, monkeypatch):
    monkeypatch.setattr(attachments, "MAX_BYTES", 100)
    with pytest.raises(Refused, match="MB"):
        attach(agreement, upload("长.txt", b"a" * 200), by=sides.worker)
    assert files() == []


def test_the_same_file_twice_and_one_too_many(agreement, sides, monkeypatch):
    attach(agreement, upload("a.pdf", PDF), by=sides.worker)
    with pytest.raises(Refused, match="已经上传过"):
        attach(agreement, upload("b.pdf", PDF), by=sides.worker)
    monkeypatch.setattr(attachments, "MAX_FILES", 1)
    with pytest.raises(Refused, match="最多 1 个"):
        attach(agreement, upload("c.txt", b"c"), by=sides.worker)
    assert len(files()) == 1


def test_who_does_not_hold_the_right_over_the_object_adds_nothing(agreement, place):
    foreign = person(Role.COMMUNITY_WORKER, place.other_community)
    looking = person(Role.ORG_DEPARTMENT, place.city)
    for user in (foreign, looking):
        with pytest.raises(PermissionDenied):
            attach(agreement, upload("a.pdf", PDF), by=user)
    assert files() == []


def test_an_attachment_is_seen_through_its_object(agreement, sides, place):
    made = attach(agreement, upload("a.pdf", PDF), by=sides.worker)
    for user in (sides.worker, sides.liaison, person(Role.ORG_DEPARTMENT, place.city)):
        assert find(user, made.pk) == (made, agreement)
    foreign = person(Role.UNIT_LIAISON, unit(place.community))
    with pytest.raises(Http404):
        find(foreign, made.pk)
    with pytest.raises(Http404):
        find(sides.worker, agreement.pk)
    Attachment.objects.update(object_type="accounts.user", object_id=str(sides.worker.pk))
    with pytest.raises(Http404):
        find(sides.worker, made.pk)


def test_a_removed_attachment_takes_its_file_along_and_stays_in_the_audit(
    agreement, sides, django_capture_on_commit_callbacks
):
    made = attach(agreement, upload("a.pdf", PDF), by=sides.worker)
    foreign = person(Role.SYSTEM_ADMIN)
    with pytest.raises(PermissionDenied):
        detach(made, by=foreign)
    with django_capture_on_commit_callbacks(execute=True):
        assert detach(made, by=sides.liaison, reason="传错了") == agreement
    assert files() == []
    told = AuditEvent.objects.get(action="alliance.agreement.detach")
    assert told.reason == "a.pdf：传错了"
    assert made.sha256 in told.before
    with pytest.raises(Refused, match="已被他人删除"):
        detach(made, by=sides.worker)


@pytest.mark.django_db(transaction=True)
def test_a_file_whose_row_was_rolled_back_goes_with_the_night(agreement, sides):
    def undone():
        with transaction.atomic():
            attach(agreement, upload("a.pdf", PDF), by=sides.worker)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        undone()
    kept = attach(agreement, upload("b.txt", b"b"), by=sides.worker)
    assert len(files()) == 2
    ancient = (timezone.now() - timedelta(days=9)).timestamp()
    for path in files():
        os.utime(path, (ancient, ancient))
    tidying.tidy()
    assert [path.relative_to(settings.MEDIA_ROOT).as_posix() for path in files()] == [kept.path]


def _attach_one(agreement_id: int, user_id: int, n: int) -> str:
    from accounts.models import User
    from alliance.models import Agreement

    found = Agreement.objects.get(pk=agreement_id)
    try:
        attach(found, upload(f"{n}.txt", b"the same"), by=User.objects.get(pk=user_id))
    except Refused as refusal:
        return refusal.message
    return ""


@pytest.mark.django_db(transaction=True)
def test_of_parallel_uploads_of_one_file_one_stays(agreement, sides):
    arguments = [(agreement.pk, sides.worker.pk, n) for n in range(4)]
    said = sorted(done.result() for done in parallel(_attach_one, arguments))
    assert said[0] == ""
    assert all("已经上传过" in why for why in said[1:])
    assert len(files()) == agreement.attachments.count() == 1


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\文档\\协议.docx", "协议.docx"),
        ("a\x00b\r\n.pdf", "ab.pdf"),
        ("账单\u202efdp.exe", "账单fdp.exe"),
        ("con.txt", "_con.txt"),
        (" .. ", "文件"),
        ("", "文件"),
        ('a<b>:"|?*.txt', "a_b______.txt"),
        ("长" * 300 + ".xlsx", "长" * 48 + ".xlsx"),
    ],
)
def test_names_are_made_safe(given, kept):
    assert clean_name(given) == kept
    assert len(clean_name(given).encode()) <= 150
