"""What the night clears away: rows past their keeping, and files that no row names."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from core import attachments, drafts, imports
from core.enums import ENDED
from core.jobs import running
from core.models import Job, Notification

log = logging.getLogger(__name__)

JOBS_KEPT = timedelta(days=90)
READ_KEPT = timedelta(days=180)
UNREAD_KEPT = timedelta(days=730)
UNNAMED_FILE_KEPT = timedelta(days=2)  # longer than any job or upload takes
BATCH = 500


def tidy() -> None:
    """Delete old ended jobs, old messages, and files that their transaction did not keep."""
    now = timezone.now()
    Job.objects.filter(state__in=ENDED, finished_at__lt=now - JOBS_KEPT, result_path="").delete()
    Notification.objects.filter(
        Q(read_at__lt=now - READ_KEPT) | Q(created_at__lt=now - UNREAD_KEPT)
    ).delete()
    drafts.drop_old()
    drop_unnamed(running.FOLDER, _named_results)
    drop_unnamed(attachments.FOLDER, attachments.named)


def drop_uploads() -> None:
    """Delete uploaded tables that waited for a day, and what a rollback or a kill left of others."""
    imports.drop_old_files()
    drop_unnamed(imports.FOLDER, imports.named, imports.UNNAMED_FILE_KEPT)


def _named_results(paths: list[str]) -> set[str]:
    return set(Job.objects.filter(result_path__in=paths).values_list("result_path", flat=True))


def drop_unnamed(
    folder: str, named: Callable[[list[str]], set[str]], kept: timedelta = UNNAMED_FILE_KEPT
) -> int:
    """Delete the files below `folder` of MEDIA_ROOT that are old and that `named` does not know."""
    root, dropped = Path(settings.MEDIA_ROOT), 0
    for paths in _old_files(root, folder, kept):
        known = named(paths)
        for path in paths:
            if path not in known:
                (root / path).unlink(missing_ok=True)
                dropped += 1
    if dropped:
        log.info("%s files in %s belonged to nothing", dropped, folder)
    return dropped


def _old_files(root: Path, folder: str, kept: timedelta) -> Iterator[list[str]]:
    before = time.time() - kept.total_seconds()
    batch: list[str] = []
    for path in (root / folder).rglob("*"):
        if path.is_file() and path.stat().st_mtime < before:
            batch.append(path.relative_to(root).as_posix())
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
