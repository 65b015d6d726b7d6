"""manage.py verify_audit: does the audit log still say what was written?"""

from __future__ import annotations

import sys
from typing import Any

import structlog
from django.core.management.base import BaseCommand

from core.audit_check import Check

log = structlog.get_logger(__name__)


class Command(BaseCommand):
    help = "Read the whole audit log against its hashes; exit 1 naming the first broken row."

    def handle(self, *args: Any, **options: Any) -> None:
        check = Check().run()
        if not check.broken:
            log.info("audit log verified", rows=check.rows)
            self.stdout.write(f"审计日志完好：共核对 {check.rows} 条记录。")
            return
        for broken in check.broken:
            log.error(
                "audit log broken",
                chain=broken.chain,
                seq=broken.seq,
                event_id=broken.event_id,
                why=broken.fault.english,
            )
            row = f"记录编号 {broken.event_id}" if broken.event_id else "记录已不存在"
            self.stderr.write(
                f"审计日志被破坏：第 {broken.chain} 链第 {broken.seq} 条（{row}），"
                f"{broken.fault.chinese}。"
            )
        self.stderr.write(
            f"共核对 {check.rows} 条，{len(check.broken)} 条链受损。"
            "请立即停止写入、保全数据库现场，并报告安全审计员。"
        )
        sys.exit(1)
