"""manage.py restore FOLDER: a copy into an empty database and state folder (docs/backup.md)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import structlog
from django.core.management.base import BaseCommand, CommandError, CommandParser

from core import outages
from core.backup import restore
from core.errors import Refused

log = structlog.get_logger(__name__)


class Command(BaseCommand):
    help = "Bring a copy made by `backup` into the empty database and state folder configured here."
    requires_system_checks = ()
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", type=Path, help="the folder that `backup` made")

    def handle(self, *args: Any, source: Path, **options: Any) -> None:
        try:
            restore(source, self.stdout.write)
        except Refused as refusal:
            log.exception("backup not restored")
            raise CommandError(refusal.message) from refusal
        except OSError as error:
            log.exception("backup not restored")
            why = f"{outages.DISK_FULL}" if outages.is_disk_full(error) else error.strerror
            raise CommandError(f"恢复没有完成：{why}。请处理后换一个空数据库重试。") from error
        self.stdout.write("恢复完成。启动后所有人须重新登录。")
