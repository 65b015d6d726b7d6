"""`manage.py import_areas FILE.csv [--dry-run]`: load or update divisions from a file."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from core.errors import Refused
from orgs.actions.tree.files import COLUMNS, BadFile, read_lines
from orgs.actions.tree.load import load_areas
from orgs.enums import AreaKind


class Command(BaseCommand):
    help = (
        f"Create and update divisions from a CSV file (columns {','.join(COLUMNS)}; UTF-8 or GBK), "
        "all or nothing. Nodes that the file does not name stay as they are. Codes: 12 digits down "
        "to the community, 15 for grids, 18 for building groups."
    )

    def add_arguments(self, parser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE.csv")
        parser.add_argument("--dry-run", action="store_true", help="check and count, write nothing")
        parser.add_argument(
            "--on",
            type=date.fromisoformat,
            metavar="YYYY-MM-DD",
            help="the day from which the changes hold (default: today; a city that is new here "
            "counts as there before the platform)",
        )

    def handle(self, *, file: Path, dry_run: bool, on: date | None, **options) -> None:
        try:
            loaded = load_areas(read_lines(file), on=on, dry_run=dry_run, source=file.name)
        except BadFile as error:
            for bad in error.bad:
                self.stderr.write(str(bad))
            raise CommandError(str(error)) from error
        except Refused as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"文件 {file} 读不了：{error.strerror}。请核对路径。") from error
        created = "、".join(
            f"{kind.label} {loaded.created[kind]}" for kind in AreaKind if loaded.created[kind]
        )
        self.stdout.write(
            f"{'试运行，未写入：' if dry_run else ''}新增 {loaded.created.total()}"
            f"{f'（{created}）' if created else ''}，更名 {loaded.renamed}，"
            f"调整上级 {loaded.moved}，未变 {loaded.unchanged}。"
        )
