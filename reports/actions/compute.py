"""The quarterly and annual review: counted set-based, kept as run, reviews and scores."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from core import audit
from core.among import Among
from core.enums import ACTIVE
from core.errors import Refused
from core.jobs import Run as JobRun
from core.jobs import submit
from core.models import Job
from core.periods import Period, parse_period
from core.scope import require
from core.transitions import transit_all
from orgs.models import Area
from reports.actions import store, tallies
from reports.enums import ReviewState
from reports.models import Indicator, Review, Run
from reports.queries import places
from reports.scoring import score_places

LEVELS = ("community", "street", "district")


def start_run(*, period: Period, area: Area, by: Any) -> Run:
    """Open a run over `area` and all below it; the job that computes it is submitted with it.

    Raises `AlreadyRunning` while one is under way for the same place and period, `Refused` for
    a grid or building group, which is not reviewed, and for a period that has not begun.
    """
    if by is not None:
        require(by, "reports.run", area)
    if area.kind not in ("city", *LEVELS):
        raise Refused("评估对象须是城市、区县、街道或社区，请重新选择。", field="area")
    if period.first > timezone.localdate():
        raise Refused(f"{period.label}尚未开始，不能评估。", field="period")
    with transaction.atomic():
        run = Run(
            area=area,
            kind=period.kind,
            period=period.text,
            starts_on=period.first,
            ends_on=period.last,
            indicators=_scheme(),
            started_by=by,
        )
        run.save()
        job = submit(
            "reports.review",
            by=by,
            about=area,
            key=f"{period.text}-{area.pk}",
            title=f"{area.name} {period.label}评估",
            run_id=run.pk,
        )
        run.job_id = job.pk
        run.save(update_fields=["job_id"])
        audit.record("reports.run.start", run, by=by, after=audit.snapshot(run))
    return run


def compute(run: Run, job: JobRun) -> Run:
    """Count, score and store every review of the run. Running it twice gives the same rows.

    People see 计算中 while it counts; scores of all places appear in one commit, and only while
    `job` is the attempt that counts. Reviews that were reported or approved are kept as they are.
    """
    period = parse_period(run.period)
    stood = places(run.area, period)
    job.progress(0, 3, "准备评估对象")
    with job.atomic():
        if run.finished_at:  # begun anew after its end: until the next, its reviews are its own
            run.finished_at = None
            run.save(update_fields=["finished_at"])
        store.open_reviews(run, period)
        transit_all(store.reviews_of(run, stood), "compute", by=None)
    job.progress(1, 3, "统计各项记录")
    figures = tallies.count(run, period)
    marks = score_places(run.indicators, stood, figures)
    job.progress(2, 3, "写入得分")
    with job.atomic():
        written = store.write_all(run, stood, marks)
        tallies.keep(run, stood, figures)
        run.counted, run.kept = written, len(stood) - written
        run.finished_at = timezone.now()
        run.save(update_fields=["counted", "kept", "finished_at"])
        audit.record("reports.run.finish", run, by=None, after=audit.snapshot(run))
    job.progress(3, 3, "完成")
    return run


def abandon(run: Run) -> int:
    """Give the reviews back that a run was computing when it was given up: those that have a result
    keep it, the others wait. Returns how many. What another run computes is left to it, and what a
    worker that stands still has locked to `give_back`."""
    period = parse_period(run.period)
    mine = {place.area_id for place in places(run.area, period)}
    computing = Review.objects.filter(period=run.period, state=ReviewState.COMPUTING)
    free = computing.select_for_update(of=("self",), skip_locked=True)
    # Before a look at the others, who may begin now.
    pks = set(free.filter(Among("area_id", mine)).order_by("pk").values_list("pk", flat=True))
    others = Run.objects.filter(period=run.period, finished_at=None).exclude(pk=run.pk)
    under_way = Job.objects.filter(state__in=ACTIVE, pk__in=others.values("job_id"))
    for other in others.filter(job_id__in=under_way.values("pk")).select_related("area"):
        mine -= {place.area_id for place in places(other.area, period)}
    left = computing.filter(Among("pk", pks), Among("area_id", mine))
    return transit_all(left.filter(run=None), "abandon", by=None) + transit_all(
        left.exclude(run=None), "keep", by=None
    )


def give_back() -> int:
    """Give back what runs that have long ended still hold: when their jobs were given up, a worker
    that stood still had it locked. Returns how many reviews."""
    computing = Review.objects.filter(state=ReviewState.COMPUTING)
    under_way = Job.objects.filter(state__in=ACTIVE)
    open_runs = Run.objects.filter(finished_at=None, period__in=computing.values("period"))
    given = 0
    for run in open_runs.exclude(job_id__in=under_way.values("pk")).select_related("area"):
        with transaction.atomic():
            # Whoever tries the job again waits for us, or was first and is seen here.
            job = Job.objects.select_for_update().filter(pk=run.job_id).first()
            if job is None or job.state not in ACTIVE:
                given += abandon(run)
    return given


def _scheme() -> list[dict]:
    """The active indicators as plain values, weights as text so that no digit is lost."""
    fields = ("key", "label", "category", "basis", "weight", "target", "unit_label")
    return [
        {**row, "weight": str(row["weight"]), "target": str(row["target"])}
        for row in Indicator.objects.filter(is_active=True).values(*fields)
    ]
