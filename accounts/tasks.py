"""Background work on trust: reading the audit log against its hashes."""

from __future__ import annotations

import contextlib

from celery import shared_task
from django.db import transaction

from accounts.enums import Role
from accounts.models import User
from core.audit_check import Check
from core.errors import Refused
from core.jobs import AlreadyRunning, job_kind, submit
from core.notify import notify

VERIFY = "accounts.verify_audit"


@job_kind(VERIFY, queue="default", title="核对审计日志", perm="audit.view")
def verify_audit(job) -> None:
    """Ends as done when the log is whole; as failed, with the first broken row, when it is not,
    and then the auditors are told."""
    check = Check().run()
    job.progress(check.rows, check.rows, f"共核对 {check.rows} 条记录")
    if not check.broken:
        return
    first = check.broken[0]
    why = (
        f"审计日志被破坏：第 {first.chain} 链第 {first.seq} 条，{first.fault.chinese}。"
        f"共 {len(check.broken)} 条链受损，请立即停止写入、保全数据库现场。"
    )
    with transaction.atomic():
        auditors = User.objects.holding(Role.SECURITY_AUDITOR)
        notify(auditors.values_list("pk", flat=True), title=why, kind="audit.broken")
    raise Refused(why)


@shared_task(ignore_result=True)
def verify_nightly() -> None:
    """The clock's own reading of the log."""
    with contextlib.suppress(AlreadyRunning):
        submit(VERIFY, by=None, key="whole")
