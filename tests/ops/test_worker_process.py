"""The suite's own instrument: a real worker, on the test's own database and broker."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest
from django.core import mail
from django.db import transaction

from accounts.enums import Role
from core.models import Notification
from core.notify import notify
from tests.factories.accounts import person

pytestmark = pytest.mark.services


def test_a_worker_does_what_was_committed_here(celery_worker_process):
    worker = celery_worker_process("mail")
    user = person(Role.SYSTEM_ADMIN, email="a@example.org")
    with transaction.atomic():
        notify([user.pk], title="年度评估已完成")
    worker.wait_until("task_succeeded")
    assert Notification.objects.get().mailed_at
    assert not mail.outbox, "another process did it, not this one"
    worker.stop()
    assert worker.process.returncode == 0


def test_kill_takes_the_children_too(celery_worker_process):
    worker = celery_worker_process("default")
    children = Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text().split()
    assert children
    worker.kill()
    assert worker.process.returncode == -signal.SIGKILL
    deadline = time.monotonic() + 10
    while alive := [pid for pid in children if _runs(pid)]:
        assert time.monotonic() < deadline, f"still there: {alive}"
        time.sleep(0.02)


def _runs(pid: str) -> bool:
    """Whether the process is more than a zombie that waits for init to collect it."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
