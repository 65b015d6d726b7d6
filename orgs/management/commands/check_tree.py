"""`manage.py check_tree [--fix]`: is everything about the tree as its parent links say?"""

from __future__ import annotations

from django.core.management.base import BaseCommand, CommandError

from orgs.actions.tree.checks import faults, rebuild
from orgs.models import Area

_SHOWN = 200


class Command(BaseCommand):
    help = (
        "Hold numbers, stamps (of areas and of every fact) and history against the parent links. "
        "Names what is broken and exits 1; --fix derives it afresh."
    )

    def add_arguments(self, parser) -> None:
        parser.add_argument("--fix", action="store_true", help="derive it afresh from the links")

    def handle(self, *, fix: bool, **options) -> None:
        found = list(faults())
        for fault in found[:_SHOWN]:
            self.stdout.write(f"{fault.where}：{fault.why}")
        if len(found) > _SHOWN:
            self.stdout.write(f"……另有 {len(found) - _SHOWN} 处")
        if not found:
            self.stdout.write(f"区划树完好，共 {Area.objects.count()} 个节点。")
            return
        if not fix:
            raise CommandError(f"发现 {len(found)} 处不符。加 --fix 可按上级关系重建。")
        left = rebuild()
        if left:
            for fault in left[:_SHOWN]:
                self.stdout.write(f"{fault.where}：{fault.why}")
            raise CommandError(f"已重建，仍有 {len(left)} 处须人工处理（见上）。")
        self.stdout.write(f"已重建，{len(found)} 处不符全部修复。")
