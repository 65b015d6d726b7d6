"""Files with an object: checked by content, kept under random names, served through the object.

A model that has attachments says so once::

    class Agreement(Placed):
        attachments = Attachable(add="alliance.draft")

    agreement.attachments                            # its files, oldest first (a queryset)
    attach(agreement, request.FILES["file"], by=user)
    detach(attachment, by=user, reason="传错了文件")

Whoever sees the object may fetch its files; whoever holds `add` over it may add and remove.
Its detail page shows them without further ado (docs/attachments.md).
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, models, transaction
from django.http import Http404
from django.urls import reverse

from core import audit
from core.content import ACCEPTED, identify
from core.errors import Refused
from core.files import clean_name
from core.models import Attachment
from core.pictures import strip
from core.scope import get_visible, may, require

log = logging.getLogger(__name__)

FOLDER = "attachments"  # below MEDIA_ROOT
MAX_BYTES = 20 * 2**20
MAX_FILES = 20  # with one object


@dataclass(frozen=True)
class Attachable:
    """Declares that objects of a model have attachments; on an object, the queryset of them.

    add: the permission to add and remove, over the object.
    guard: called with (object, by); a Chinese sentence that forbids a change now, or None.
    """

    add: str
    guard: Callable[[Any, Any], str | None] | None = None

    def __get__(self, obj: models.Model | None, owner: type | None = None) -> Any:
        if obj is None:
            return self
        return Attachment.objects.filter(
            object_type=obj._meta.label_lower, object_id=str(obj.pk)
        ).order_by("id")


class Panel(NamedTuple):
    """What a page shows of an object's attachments; `add_url` only for who may add."""

    rows: list[Attachment]
    add_url: str
    may_change: bool
    why_not: str | None


def attachable_of(model: type[models.Model]) -> Attachable | None:
    """The declaration of `model`, if it has attachments."""
    found = getattr(model, "attachments", None)
    return found if isinstance(found, Attachable) else None


def panel(obj: models.Model, user: Any) -> Panel | None:
    """The attachments of an object that `user` sees; None where the model has none. One query."""
    declared = attachable_of(type(obj))
    if declared is None:
        return None
    return Panel(
        rows=list(obj.attachments.select_related("uploader")),
        add_url=reverse("core:attach", args=[obj._meta.label_lower, obj.pk]),
        may_change=may(user, declared.add, obj),
        why_not=declared.guard(obj, user) if declared.guard else None,
    )


def attach(obj: models.Model, upload: UploadedFile, *, by: Any) -> Attachment:
    """Put a file with `obj`. Raises `Refused` (at field ``file``) for what is not accepted.

    The file stands before the row does, so no row ever lacks its file; a file whose row was
    rolled back is deleted here, or by the night's tidying.
    """
    declared = _declared(obj)
    name = clean_name(upload.name or "")
    with _kept(upload) as path:
        strip(path)
        # From here on it is what is kept that is looked at, not what was sent.
        content_type = identify(path, name)
        size, digest = _measured(path)
        with transaction.atomic():
            # One at a time with one object, and its state as it is now.
            locked = type(obj)._base_manager.select_for_update(of=("self",)).get(pk=obj.pk)
            _check_change(locked, declared, by)
            if locked.attachments.count() >= MAX_FILES:
                raise Refused(
                    f"一条记录最多 {MAX_FILES} 个附件。请先删除不需要的，或合并后上传。",
                    field="file",
                )
            made = Attachment(
                object_type=obj._meta.label_lower,
                object_id=str(obj.pk),
                name=name,
                content_type=content_type,
                size=size,
                sha256=digest,
                path=path.relative_to(settings.MEDIA_ROOT).as_posix(),
                uploader_id=getattr(by, "pk", None),
            )
            try:
                with transaction.atomic():
                    made.save(force_insert=True)
            except IntegrityError:
                raise Refused("这个文件已经上传过，不用重复上传。", field="file") from None
            audit.record(f"{_room(obj)}.attach", obj, by=by, after=_told(made), reason=name)
    return made


def detach(attachment: Attachment, *, by: Any, reason: str = "") -> models.Model:
    """Take a file away from its object, which is returned. The audit keeps its name and sum."""
    obj = object_of(attachment)
    if obj is None:
        raise Http404("what it was with is gone")
    declared = _declared(obj)
    with transaction.atomic():
        locked = type(obj)._base_manager.select_for_update(of=("self",)).get(pk=obj.pk)
        _check_change(locked, declared, by)
        if not Attachment.objects.filter(pk=attachment.pk).delete()[0]:
            raise Refused("这个附件已被他人删除。")
        why = "：".join(filter(None, (attachment.name, reason)))
        audit.record(f"{_room(obj)}.detach", obj, by=by, before=_told(attachment), reason=why)
        file = path_of(attachment)
        transaction.on_commit(lambda: file.unlink(missing_ok=True), robust=True)
    return obj


def object_of(attachment: Attachment) -> models.Model | None:
    """What the file is with; None when it is gone or its model has attachments no more."""
    try:
        model = apps.get_model(attachment.object_type)
    except LookupError:
        return None
    if attachable_of(model) is None:
        return None
    return model._base_manager.filter(pk=attachment.object_id).first()


def find(user: Any, pk: UUID) -> tuple[Attachment, models.Model]:
    """An attachment and its object, through the object's scope; 404 for unknown and foreign alike."""
    found = Attachment.objects.select_related("uploader").filter(pk=pk).first()
    obj = object_of(found) if found else None
    if obj is None:
        raise Http404(f"no attachment {pk}")
    return found, get_visible(type(obj)._default_manager, user, pk=obj.pk)


def find_object(user: Any, label: str, pk: str) -> models.Model:
    """The object that a file is to be added to: seen by `user` (404) and changed by them (403)."""
    try:
        model = apps.get_model(label)
    except (LookupError, ValueError):
        raise Http404(f"no model {label}") from None
    declared = attachable_of(model)
    if declared is None:
        raise Http404(f"{label} has no attachments")
    try:
        obj = get_visible(model._default_manager, user, pk=pk)
    except ValidationError:  # an id that is none
        raise Http404(f"no {label} {pk}") from None
    require(user, declared.add, obj)
    return obj


def path_of(attachment: Attachment) -> Path:
    """Where the file lies."""
    return Path(settings.MEDIA_ROOT) / attachment.path


def named(paths: list[str]) -> set[str]:
    """Which of these files have a row; for the night's tidying."""
    return set(Attachment.objects.filter(path__in=paths).values_list("path", flat=True))


def _declared(obj: models.Model) -> Attachable:
    declared = attachable_of(type(obj))
    if declared is None:
        raise TypeError(f"{type(obj)} has no attachments")
    return declared


def _check_change(obj: models.Model, declared: Attachable, by: Any) -> None:
    require(by, declared.add, obj)
    if declared.guard and (why := declared.guard(obj, by)):
        raise Refused(why)


def _room(obj: models.Model) -> str:
    return obj._meta.label_lower


def _told(attachment: Attachment) -> dict[str, Any]:
    return {"attachment": attachment.name, "size": attachment.size, "sha256": attachment.sha256}


@contextlib.contextmanager
def _kept(upload: UploadedFile) -> Iterator[Path]:
    """The upload on disk under a random name; deleted again on any error."""
    name = secrets.token_hex(20)
    folder = Path(settings.MEDIA_ROOT) / FOLDER / name[:2]
    folder.mkdir(parents=True, exist_ok=True, mode=0o750)
    path = folder / name
    try:
        _copy(upload, path)
        yield path
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _copy(upload: UploadedFile, path: Path) -> None:
    size = 0
    with path.open("xb") as file:
        for block in upload.chunks():
            size += len(block)
            if size > MAX_BYTES:
                limit = MAX_BYTES // 2**20
                raise Refused(f"文件超过 {limit} MB。请压缩图片或拆分后上传。", field="file")
            file.write(block)
    path.chmod(0o640)


def _measured(path: Path) -> tuple[int, str]:
    """Size and SHA-256 of the file as it now lies there, on the disk for good."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return path.stat().st_size, digest


ACCEPT = ",".join(f".{suffix}" for suffix in ACCEPTED)  # for the file chooser
