"""The way back: the copy is read whole before anything is written, and what came of it is checked."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import structlog
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from core import imports
from core.backup import engines, manifest
from core.backup.manifest import DATABASE, MEDIA, Damaged, Manifest
from core.errors import Refused
from core.models import Attachment

log = structlog.get_logger(__name__)
Tell = Callable[[str], None]


def restore(source: Path, tell: Tell = lambda text: None) -> Manifest:
    """Bring a copy into the configured database and state folder, both of them empty, and check
    it. Raises `Refused` (`Damaged`) with nothing written, or saying what is wrong afterwards.

    tell: hears each step in Chinese.
    """
    source = source.resolve()
    made = Manifest.read(source)
    _check_place(made)
    _check_content(source, made)
    tell(f"备份完好：{made.made_at} 制作，{len(made.files)} 个文件。")
    written = _put_files(source, made)
    try:
        engines.engine().bring_back(source / f"{DATABASE}{engines.engine().suffix}")
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise
    _check_rows(made)
    tell(f"数据库已恢复：{len(made.rows)} 张表，{sum(made.rows.values())} 行。")
    call_command("migrate", interactive=False, verbosity=0)
    imports.drop_lost_files()
    _check_files(made)
    tell(f"文件已恢复并核对：{len(written)} 个。")
    for command in ("verify_audit", "check_tree"):
        tell(_checked(command))
    log.info("backup restored", source=str(source), made_at=made.made_at)
    return made


def _check_place(made: Manifest) -> None:
    if made.engine != connection.vendor:
        raise Refused(f"这份备份来自 {made.engine}，不能恢复到 {connection.vendor}。")
    if not engines.is_empty():
        raise Refused(
            "目标数据库不是空的。恢复只写入空数据库，请新建一个，并在 DATABASE_URL 中指定。"
        )
    here = Path(settings.MEDIA_ROOT)
    taken = next((p for p in here.rglob("*") if p.is_file()), None) if here.exists() else None
    if taken is not None:
        raise Refused(f"{here} 中已有文件。请指定一个空的 ALLIANCE_VAR，或先把它移开。")
    known = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    unknown = set(made.migrations) - {f"{app}.{name}" for app, name in known}
    if unknown:
        raise Refused(f"这份备份来自更新的版本（{min(unknown)} 等）。请先升级程序再恢复。")


def _check_content(source: Path, made: Manifest) -> None:
    """Every file of the manifest is there, as it was."""
    for name, (size, digest) in made.files.items():
        path = source / name
        if not path.is_file():
            raise Damaged(f"备份中缺少文件 {name}，不能恢复。请换用另一份备份。")
        if path.stat().st_size != size or manifest.digest(path) != digest:
            raise Damaged(f"备份中的文件 {name} 已损坏，不能恢复。请换用另一份备份。")


def _put_files(source: Path, made: Manifest) -> list[Path]:
    written: list[Path] = []
    try:
        for name in made.files:
            if name.startswith(f"{MEDIA}/"):
                path = Path(settings.MEDIA_ROOT) / name.removeprefix(f"{MEDIA}/")
                manifest.copied(source / name, path, settings.FILE_UPLOAD_DIRECTORY_PERMISSIONS)
                path.chmod(settings.FILE_UPLOAD_PERMISSIONS)
                written.append(path)
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise
    return written


def _check_rows(made: Manifest) -> None:
    found = engines.count_rows()
    if wrong := [table for table, count in made.rows.items() if found.get(table) != count]:
        raise Refused(f"恢复后行数与备份时不符：{'、'.join(wrong[:5])}。请勿启用，换用另一份备份。")


def _check_files(made: Manifest) -> None:
    """Each attachment's file is what was uploaded, save those that were lost before the copy."""
    for path, digest in Attachment.objects.values_list("path", "sha256"):
        file = Path(settings.MEDIA_ROOT) / path
        if path not in made.missing and not (file.is_file() and manifest.digest(file) == digest):
            raise Refused(f"恢复后附件 {path} 与记录不符。请勿启用，换用另一份备份。")


def _checked(command: str) -> str:
    """What the command says when all is well. Raises `Refused` with what it says when not."""
    said = StringIO()
    try:
        call_command(command, stdout=said, stderr=said)
    except (CommandError, SystemExit) as error:
        log.exception("restored data is not whole", command=command, said=said.getvalue()[-2000:])
        why = said.getvalue().strip().splitlines()
        raise Refused(f"恢复后核对未通过：{(why or [str(error)])[0]} 请勿启用这份数据。") from error
    return said.getvalue().strip()
