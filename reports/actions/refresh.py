"""Bring open reviews up to date with the records that have changed since they were computed.

Only reviews 待核 follow the records. What is reported or approved stays as it is, as in a run.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from django.db import connection

from core import audit
from core.among import Among
from core.jobs import Run as JobRun
from core.models import Job
from core.periods import parse_period
from reports.actions import store, tallies
from reports.enums import ReviewState
from reports.models import Change, Review, Run, Tally
from reports.queries import Place, places
from reports.scoring import score_places

Changed = dict[str, set[int] | None]  # places by room; None: every place
_ROOMS = ("services", "alliance", "members", "grids")


@dataclass(frozen=True)
class Refreshed:
    """How many runs had open reviews, how many reviews were scored anew, how many scores differed."""

    runs: int
    reviews: int
    scores: int


def refresh(job: JobRun) -> Refreshed | None:
    """Score open reviews anew where records have changed, in one transaction with taking the
    marks away: doing it twice, or again after a failure, gives the same rows.

    None while a run is being computed, which may have counted before a mark that is taken here:
    the marks then stay for the next time.
    """
    try:
        with job.atomic():
            return _refresh_all(job)
    except _Computing:
        return None


class _Computing(Exception):
    """Undoes the taking of the marks."""


def _refresh_all(job: JobRun) -> Refreshed:
    changed = take_changes()
    if Job.objects.active().filter(kind="reports.review").exists():
        raise _Computing
    to_check = Review.objects.filter(state=ReviewState.TO_CHECK).values("run")
    Tally.objects.exclude(run__in=to_check).delete()
    runs = list(Run.objects.filter(pk__in=to_check).select_related("area").order_by("pk"))
    done: list[tuple[int, int]] = []
    for number, run in enumerate(runs):
        job.progress(number, len(runs), f"{run.area.name} {run}")
        done.append(_refresh(run, changed))
    job.progress(len(runs), len(runs), "完成")
    return Refreshed(len(done), sum(r for r, _ in done), sum(s for _, s in done))


def take_changes() -> Changed:
    """Take the marks away and tell what they marked. Records that are counted afterwards in this
    transaction are at least as new as the marks, so none is lost."""
    if connection.vendor != "postgresql":  # no trigger marks anything there
        Change.objects.all().delete()
        return dict.fromkeys((*_ROOMS, Change.REOPENED))
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM reports_change RETURNING room, area_id")
        marks = set(cursor.fetchall())
    changed: Changed = defaultdict(set)
    for room, area in marks:
        changed[room].add(area)
    return {room: None if None in areas else areas for room, areas in changed.items()}


def _refresh(run: Run, changed: Changed) -> tuple[int, int]:
    period = parse_period(run.period)
    stood = places(run.area, period)
    figures, counted = tallies.count_changed(run, period, stood, changed)
    reviews = Review.objects.filter(run=run, state=ReviewState.TO_CHECK)
    # All are held, in the order of a run, but few are needed whole.
    held = reviews.select_for_update(of=("self",)).order_by("pk")
    bands, there = store.bands(), {place.area_id for place in stood}
    reopened = changed.get(Change.REOPENED, set())
    if counted is None or reopened is None:
        touched = there
    else:
        touched = _with_superiors(stood, counted) | reopened
    pks = [
        pk
        for pk, area, total, band in held.values_list("pk", "area_id", "total", "band")
        if area in there and (area in touched or store.band_of(total, bands) != band)
    ]
    if counted is None or counted:
        tallies.keep(run, stood, figures)
    if not pks:
        return 0, 0
    affected = list(reviews.filter(Among("pk", pks)).order_by("pk"))
    only = {review.area_id for review in affected}
    scores = store.write(run, affected, score_places(run.indicators, stood, figures, only))
    if scores:
        after = {"reviews": len(affected), "scores": scores}
        audit.record("reports.run.refresh", run, by=None, after=after)
    return len(affected), scores


def _with_superiors(stood: list[Place], counted: set[int]) -> set[int]:
    above = (
        {place.area_id, place.street_id, place.district_id}
        for place in stood
        if place.area_id in counted
    )
    return set().union(*above) - {None}
