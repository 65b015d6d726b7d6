"""Background work of the reviews. Jobs are rows (core.jobs); beat asks for what is due."""

from __future__ import annotations

import contextlib

from celery import shared_task

from core.errors import Refused
from core.jobs import AlreadyRunning, job_kind, submit
from core.models import Job
from core.periods import last_finished, parse_period
from orgs.models import Area
from reports.actions.compute import abandon, compute, give_back, start_run
from reports.actions.refresh import refresh
from reports.actions.review import raise_all
from reports.enums import ReviewKind
from reports.models import Run

SHOWN = 5  # reasons or names told in the job's message
_WORDS = {"report": ("上报", "没有算完"), "approve": ("审定", "没有上报")}


def _abandoned(job: Job) -> None:
    abandon(Run.objects.select_related("area").get(pk=job.params["run_id"]))


@job_kind(
    "reports.review",
    queue="reports",
    title="评估计算",
    perm="reports.run",
    minutes=30,
    abandoned=_abandoned,
)
def review(job, *, run_id: int) -> None:
    compute(Run.objects.select_related("area").get(pk=run_id), job)


@job_kind("reports.report", queue="reports", title="批量上报", perm="reports.submit")
def report_all(job, *, period: str) -> None:
    """Report every checked review of the job's area, from the communities up."""
    _raise(job, period, "report")


@job_kind("reports.approve", queue="reports", title="批量审定", perm="reports.approve")
def approve_all(job, *, period: str) -> None:
    """Approve every reported review of the job's area, from the communities up."""
    _raise(job, period, "approve")


@job_kind("reports.refresh", queue="reports", title="更新待核的评估结果", minutes=30)
def refresh_open(job) -> None:
    """Score open reviews anew where records have changed. While a run is computed it does
    nothing: the next night finds the same marks."""
    refresh(job)


def _raise(job, period: str, step: str) -> None:
    """Each review moves in a transaction of its own and only once: a second attempt goes on
    where the first was cut off. Those that may not move keep their place; the owner reads why."""
    moved, refused, early = raise_all(
        area=job.about,
        period=parse_period(period),
        step=step,
        by=job.owner,
        progress=job.progress,
    )
    verb, before = _WORDS[step]
    said = f"已{verb} {moved} 个"
    if early:
        said += f"；{len(early)} 个还{before}，没有{verb}：{_some(early, '、')}"
    if refused:
        raise Refused(f"{said}；{len(refused)} 个未能{verb}：{_some(refused, '；')}")
    job.progress(moved, moved, f"{said}。")


def _some(said: list[str], between: str) -> str:
    more = f" 等 {len(said)} 个" if len(said) > SHOWN else ""
    return between.join(said[:SHOWN]) + more


@shared_task(name="reports.open_finished_periods", queue="reports")
def open_finished_periods() -> int:
    """Start the review of each city's newest finished quarter and year, once. Beat calls it
    every night; a period that has a run already is left alone, so calling it twice is harmless."""
    started = 0
    for kind in ReviewKind.values:
        period = last_finished(kind)
        for city in Area.objects.active().filter(kind="city"):
            if not Run.objects.filter(area=city, period=period.text).exists():
                with contextlib.suppress(AlreadyRunning):  # two beats at once
                    start_run(period=period, area=city, by=None)
                    started += 1
    return started


@shared_task(name="reports.refresh_open_reviews", queue="reports")
def refresh_open_reviews() -> bool:
    """Submit the nightly refresh of open reviews; False if one is under way. Beat calls it."""
    try:
        submit("reports.refresh", by=None, key="open")
    except AlreadyRunning:
        return False
    return True


@shared_task(name="reports.give_back_reviews", queue="reports")
def give_back_reviews() -> int:
    """Give back the reviews that no run computes any more. Beat calls it."""
    return give_back()
