"""Making a copy: the files that are there, then the database at one moment, then what is new."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path

import structlog
from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from core.backup import engines, manifest
from core.backup.manifest import DATABASE, MEDIA, Manifest
from core.errors import Refused
from core.models import Attachment, Job

log = structlog.get_logger(__name__)


def take(target: Path) -> Manifest:
    """Copy the platform to the new folder `target`, beside people at work. Raises `Refused`.

    Nothing stands at `target` before it is whole.
    """
    target = target.resolve()
    if target.exists():
        raise Refused(f"{target} 已存在，备份不覆盖任何东西。请换一个名称。")
    if not target.parent.is_dir():
        raise Refused(f"{target.parent} 不是文件夹。请先建立，或换一个位置。")
    part = target.with_name(f".{target.name}-{secrets.token_hex(4)}.part")
    part.mkdir(mode=0o700)
    try:
        made = _fill(part)
        made.write(part)
        part.rename(target)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    log.info("backup made", target=str(target), files=len(made.files), missing=len(made.missing))
    return made


def named() -> dict[str, str]:
    """The files that rows name, with the hash that a row knows (empty where it knows none).

    Uploaded tables that wait for their confirmation are not kept: a register of people lies on a
    disk for a day at most, and a copy is kept for longer.
    """
    results = Job.objects.exclude(result_path="").values_list("result_path", flat=True)
    return dict.fromkeys(results, "") | dict(Attachment.objects.values_list("path", "sha256"))


def _fill(part: Path) -> Manifest:
    database = f"{DATABASE}{engines.engine().suffix}"
    copied = _copy(part, named(), {})  # most of it, before the moment: it may take long
    with engines.engine().frozen(part / database, Attachment._meta.db_table) as let_go:
        wanted = named()
        copied = _copy(part, wanted, copied)
        let_go()
        made = _describe()
    lost = sorted(path for path in wanted if path not in copied)
    for path in set(copied) - set(wanted):
        (part / MEDIA / path).unlink()
        del copied[path]
    changed = [path for path, known in wanted.items() if known and _differs(copied, path, known)]
    made.missing = sorted({*lost, *changed})
    for path in made.missing:
        log.error("backup lacks a file", path=path, why="lost" if path in lost else "changed")
    made.files = {f"{MEDIA}/{path}": found for path, found in copied.items()}
    size = (part / database).stat().st_size
    made.files[database] = [size, manifest.digest(part / database)]
    return made


def _describe() -> Manifest:
    applied = MigrationRecorder(connection).applied_migrations()
    return Manifest(
        made_at=timezone.localtime().isoformat(timespec="seconds"),
        engine=connection.vendor,
        version=manifest.version(),
        migrations=sorted(f"{app}.{name}" for app, name in applied),
        rows=engines.count_rows(),
        keys=manifest.key_prints(),
    )


def _copy(part: Path, wanted: dict[str, str], copied: dict[str, list]) -> dict[str, list]:
    """Copy what of `wanted` is not there yet; files never change once they have their name."""
    found = dict(copied)
    for path in wanted:
        if path not in found:
            try:
                source = Path(settings.MEDIA_ROOT) / path
                found[path] = manifest.copied(source, part / MEDIA / path)
            except FileNotFoundError:
                continue
    return found


def _differs(copied: dict[str, list], path: str, known: str) -> bool:
    return path in copied and copied[path][1] != known
