"""Background jobs: one row a run, sent from the row, ended once (docs/jobs.md).

::

    @job_kind("reports.review", queue="reports", title="季度评估", perm="reports.run")
    def review(job, *, run_id):
        for n, area in enumerate(areas):
            job.progress(n, len(areas), area.name)
            ...
        with job.atomic():
            ...                                   # replace what an earlier attempt left
        with job.result("考核汇总表.xlsx") as path:
            write_table(path, ...)

    job = submit("reports.review", by=user, about=area, key=f"{area.pk}-{period}", run_id=run.pk)
"""

from core.jobs.control import JOB, NotDone, cancel, result_of, retry, wait_for
from core.jobs.kinds import KINDS, Kind, job_kind
from core.jobs.outbox import AlreadyRunning, submit, sweep
from core.jobs.pulse import Cancelled, OutOfTime, Superseded
from core.jobs.running import Run, execute

__all__ = [
    "JOB",
    "KINDS",
    "AlreadyRunning",
    "Cancelled",
    "Kind",
    "NotDone",
    "OutOfTime",
    "Run",
    "Superseded",
    "cancel",
    "execute",
    "job_kind",
    "result_of",
    "retry",
    "submit",
    "sweep",
    "wait_for",
]
