"""manage.py backup FOLDER: the whole platform as one folder (docs/backup.md)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import structlog
from django.core.management.base import BaseCommand, CommandError, CommandParser

from core import outages
from core.backup import take
from core.errors import Refused

log = structlog.get_logger(__name__)


class Command(BaseCommand):
    help = "Copy database and files, as of one moment, to a new folder. Keys are not in it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("target", type=Path, help="the folder to make; must not exist")

    def handle(self, *args: Any, target: Path, **options: Any) -> None:
        try:
            made = take(target)
        except Refused as refusal:
            raise CommandError(refusal.message) from refusal
        except OSError as error:
            log.exception("backup not made")
            why = f"{outages.DISK_FULL}" if outages.is_disk_full(error) else error.strerror
            raise CommandError(f"备份没有做成，没有留下不完整的备份：{why}。") from error
        size = sum(size for size, _ in made.files.values())
        self.stdout.write(
            f"备份完成：{target}，{sum(made.rows.values())} 行、{len(made.files)} 个文件，"
            f"共 {size / 2**20:.1f} MB。密钥不在其中，请另行保管 .env。"
        )
        for path in made.missing:
            self.stderr.write(f"附件已丢失或被改动，不在备份中：{path}")
