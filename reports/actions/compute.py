"""The quarterly and annual review: counted set-based, kept as run, reviews and scores."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from core import audit
from core.errors import Refused
from core.jobs import Run as JobRun
from core.jobs import submit
from core.periods import Period, parse_period
from core.scope import require
from core.transitions import transit_all
from orgs.models import Area
from orgs.models.placed import stamp_all
from reports.catalogue import MEASURES
from reports.enums import AdjustmentKind, Basis, ReviewState
from reports.models import Adjustment, Band, Indicator, Review, Run, Score
from reports.queries import Place, place_ids, places

CENT = Decimal("0.01")
LEVELS = ("community", "street", "district")


@dataclass(frozen=True)
class Mark:
    """One indicator of one place: what was counted and the marks it earns."""

    part: Decimal
    whole: Decimal
    value: Decimal | None
    marks: Decimal


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
        _ensure_reviews(run, stood)
        transit_all(_reviews(run, stood), "compute", by=None)
    job.progress(1, 3, "统计各项记录")
    figures = _count(run, period)
    marks = score_places(run.indicators, stood, figures)
    job.progress(2, 3, "写入得分")
    with job.atomic():
        written = _store(run, stood, marks)
        run.counted, run.kept = written, len(stood) - written
        run.finished_at = timezone.now()
        run.save(update_fields=["counted", "kept", "finished_at"])
        audit.record("reports.run.finish", run, by=None, after=audit.snapshot(run))
    job.progress(3, 3, "完成")
    return run


def score_places(
    indicators: Iterable[dict], stood: list[Place], figures: dict[int, dict[str, dict]]
) -> dict[int, dict[str, Mark]]:
    """Marks of every place from the figures of its communities: {area id: {key: Mark}}.

    A street or district is scored on the sum of its communities, not on the mean of their
    rates. Where there was no occasion the marks follow the rate of the other indicators.
    """
    members: dict[int, list[int]] = defaultdict(list)
    for place in stood:
        for above in {place.area_id, place.street_id, place.district_id} - {None}:
            members[above].append(place.area_id)
    communities = {p.area_id for p in stood if p.kind == "community"}
    indicators = list(indicators)
    return {
        place.area_id: _score(
            indicators,
            [figures[m] for m in members[place.area_id] if m in figures],
            len(communities.intersection(members[place.area_id])),
        )
        for place in stood
    }


def _score(
    indicators: list[dict], figures: list[dict[str, dict]], communities: int
) -> dict[str, Mark]:
    marks: dict[str, Mark] = {}
    missing: list[dict] = []
    earned = possible = Decimal(0)
    for indicator in indicators:
        measure = MEASURES[indicator["key"]]
        name = measure.source.name
        part = _sum(f.get(name, {}).get(measure.part, 0) for f in figures)
        if indicator["basis"] == Basis.SHARE:
            whole = _sum(f.get(name, {}).get(measure.whole, 0) for f in figures)
        else:
            whole = Decimal(communities)
        weight = Decimal(indicator["weight"])
        if not whole:
            missing.append(indicator)
            marks[indicator["key"]] = Mark(part, whole, None, Decimal(0))
            continue
        value = part / whole * (100 if indicator["basis"] == Basis.SHARE else 1)
        got = _round(weight * min(value / Decimal(indicator["target"]), Decimal(1)))
        earned, possible = earned + got, possible + weight
        marks[indicator["key"]] = Mark(part, whole, _round(value), got)
    rate = earned / possible if possible else Decimal(0)
    for indicator in missing:
        mark = marks[indicator["key"]]
        marks[indicator["key"]] = Mark(
            mark.part, mark.whole, None, _round(Decimal(indicator["weight"]) * rate)
        )
    return marks


def retotal(review: Review) -> None:
    """Set total and band from the review's own parts. The caller holds the row and saves it."""
    given: dict[str, Decimal] = defaultdict(Decimal)
    for kind, marks in Adjustment.objects.filter(review=review).values_list("kind", "marks"):
        given[kind] += marks
    _set_total(review, given, _bands())


def _set_total(review: Review, given: dict[str, Decimal], bands: list[tuple[str, Decimal]]) -> None:
    review.bonus = given.get(AdjustmentKind.BONUS, Decimal(0))
    review.deduction = given.get(AdjustmentKind.DEDUCTION, Decimal(0))
    review.total = review.ordinary + review.bonus - review.deduction
    review.band = next((label for label, floor in bands if review.total >= floor), "")


def _bands() -> list[tuple[str, Decimal]]:
    return list(Band.objects.values_list("label", "floor"))


def _scheme() -> list[dict]:
    """The active indicators as plain values, weights as text so that no digit is lost."""
    fields = ("key", "label", "category", "basis", "weight", "target", "unit_label")
    return [
        {**row, "weight": str(row["weight"]), "target": str(row["target"])}
        for row in Indicator.objects.filter(is_active=True).values(*fields)
    ]


def _ensure_reviews(run: Run, stood: list[Place]) -> None:
    there = set(_reviews(run, stood).values_list("area_id", flat=True))
    areas = Area.objects.in_bulk([p.area_id for p in stood if p.area_id not in there])
    new = []
    for place in stood:
        if place.area_id in there:
            continue
        review = Review(
            area=areas[place.area_id],
            kind=run.kind,
            period=run.period,
            level=place.kind,
            area_name=place.name,
            parent_area_id=place.parent_id,
        )
        new.append(review)
    stamp_all(new)
    Review.objects.bulk_create(new, batch_size=500, ignore_conflicts=True)


def _reviews(run: Run, stood: list[Place]):
    """The reviews of the run's places. By the run's area as it stands now, and by the places
    themselves for those that have moved away since."""
    inside = Review.objects.filter(period=run.period).at(run.area)
    moved = {p.area_id for p in stood} - set(inside.values_list("area_id", flat=True))
    return Review.objects.filter(period=run.period, area__in=moved) | inside if moved else inside


def _count(run: Run, period: Period) -> dict[int, dict[str, dict]]:
    figures: dict[int, dict[str, dict]] = defaultdict(dict)
    sources = {MEASURES[i["key"]].source.name: MEASURES[i["key"]].source for i in run.indicators}
    for source in sources.values():
        for place, numbers in source.count(period, place_ids(run.area, period)).items():
            figures[place][source.name] = numbers
    return figures


def _store(run: Run, stood: list[Place], marks: dict[int, dict[str, Mark]]) -> int:
    open_reviews = list(
        _reviews(run, stood)
        .filter(state=ReviewState.COMPUTING)
        .select_for_update(of=("self",))
        .order_by("pk")
    )
    given: dict[int, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    adjustments = Adjustment.objects.filter(review__period=run.period)
    for review_id, kind, value in adjustments.values_list("review_id", "kind", "marks"):
        given[review_id][kind] += value
    bands = _bands()
    computing = Review.objects.filter(pk__in=[review.pk for review in open_reviews])
    Score.objects.filter(review__in=computing).delete()
    scores = []
    for review in open_reviews:
        own = marks[review.area_id]
        review.run = run
        review.ordinary = sum((m.marks for m in own.values()), Decimal(0))
        _set_total(review, given[review.pk], bands)
        scores += [Score(review=review, key=key, **asdict(mark)) for key, mark in own.items()]
    Score.objects.bulk_create(scores, batch_size=2000)
    Review.objects.bulk_update(
        open_reviews, ["run", "ordinary", "bonus", "deduction", "total", "band"], batch_size=500
    )
    transit_all(computing, "computed", by=None)
    return len(open_reviews)


def _sum(values: Iterable[Any]) -> Decimal:
    return sum((Decimal(v) for v in values), Decimal(0))


def _round(value: Decimal) -> Decimal:
    return value.quantize(CENT, rounding=ROUND_HALF_UP)
