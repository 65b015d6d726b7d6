"""Kinds of job for the tests alone; the suite's workers know them too (CELERY_IMPORTS)."""

from __future__ import annotations

import time
from pathlib import Path

from django.db import OperationalError

from core.errors import Refused
from core.jobs import job_kind
from core.models import Notification
from core.sheets.layout import Column, Kind, Layout
from core.sheets.writing import write_table

RESULT = "test.result"


@job_kind("test.write", queue="reports", title="测试写入")
def write(job, *, marks: str, gate: str = "", steps: int = 3) -> None:
    """Leaves a mark for each attempt in the folder `marks`, waits until the file `gate` exists,
    then writes one row and one file: its result."""
    (Path(marks) / f"attempt-{job.attempt}-{job.job.token}").touch()
    while gate and not Path(gate).exists():
        job.progress(0, steps, "等待")
        time.sleep(0.02)
    for n in range(steps):
        job.progress(n + 1, steps, f"第 {n + 1} 步")
    with job.atomic():
        Notification.objects.create(user=job.owner, kind=RESULT, title="结果")
    with job.result("结果.txt") as path:
        path.write_text(f"attempt {job.attempt}")


@job_kind("test.deaf", queue="reports", title="测试不听劝")
def deaf(job, *, marks: str, gate: str) -> None:
    """Like `test.write`, but never asks whether it still counts until it writes."""
    (Path(marks) / f"attempt-{job.attempt}-{job.job.token}").touch()
    while job.attempt == 1 and not Path(gate).exists():
        time.sleep(0.02)
    with job.result("结果.txt") as path:
        path.write_text(f"attempt {job.attempt}")
    (Path(marks) / f"written-{job.attempt}").touch()
    with job.atomic():
        Notification.objects.create(user=job.owner, kind=RESULT, title="结果")


@job_kind("test.file", queue="sheets", title="测试导出", perm="units.view", keep_days=2)
def file(job, *, name: str = "台账.xlsx") -> None:
    with job.result(name) as path:
        path.write_bytes(b"ledger")


@job_kind("test.refuse", queue="reports", title="测试拒绝")
def refuse(job) -> None:
    with job.result("半个.txt") as path:
        path.write_text("half")
    raise Refused("第 3 行的代码不存在，请改正后重新提交。")


@job_kind("test.crash", queue="reports", title="测试出错")
def crash(job, *, secret: str) -> None:
    raise ZeroDivisionError(secret)


@job_kind("test.database_away", queue="reports", title="测试断库", attempts=2)
def database_away(job) -> None:
    raise OperationalError("server closed the connection unexpectedly")


@job_kind("test.slow", queue="reports", title="测试超时", minutes=0.0001)
def slow(job) -> None:
    while True:
        job.progress(1, 2)


@job_kind("test.stuck", queue="reports", title="测试卡住", minutes=0.02)
def stuck(job) -> None:
    time.sleep(300)


@job_kind("test.last", queue="reports", title="测试收尾")
def last(job, *, marks: str, gate: str) -> None:
    """Writes its row and its file, then waits at the very end, deaf, until the file `gate` exists."""
    with job.atomic():
        Notification.objects.filter(kind=RESULT, user=job.owner).delete()
        Notification.objects.create(user=job.owner, kind=RESULT, title="结果")
    with job.result("结果.txt") as path:
        path.write_text(f"attempt {job.attempt}")
    (Path(marks) / f"written-{job.attempt}").touch()
    while not Path(gate).exists():
        time.sleep(0.02)


@job_kind("test.table", queue="sheets", title="测试大表")
def table(job, *, rows: int) -> None:
    """A workbook of many rows that do not repeat."""
    with job.result("大表.xlsx") as path:
        lines = ([n, f"{n * 7919}号"] for n in range(rows))
        write_table(path, Layout("大表", [Column("序号", Kind.NUMBER), Column("名称")]), lines)


@job_kind("test.full", queue="sheets", title="测试写满")
def full(job) -> None:
    """Its file lies where there is never any room."""
    with job.result("结果.txt") as path:
        path.symlink_to("/dev/full")
        path.write_text("half")


@job_kind("test.rows", queue="reports", title="测试写库")
def rows(job, *, gate: str) -> None:
    """Waits until the file `gate` exists, then writes many rows: some megabytes."""
    while not Path(gate).exists():
        job.progress(0, 1, "等待")
        time.sleep(0.02)
    with job.atomic():
        Notification.objects.bulk_create(
            Notification(user=job.owner, kind=RESULT, title="结果", body="满" * 500)
            for _ in range(5000)
        )
