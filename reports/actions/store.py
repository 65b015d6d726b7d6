"""How reviews and their scores get into the database: many at once, or one that was adjusted."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from django.db import connection
from django.db.models import QuerySet

from core.among import Among
from core.periods import Period
from core.transitions import transit_all
from orgs.enums import STAMPS
from orgs.models import Area
from reports.enums import AdjustmentKind, ReviewState
from reports.models import Adjustment, Band, Review, Run, Score
from reports.queries import Place, place_rows
from reports.scoring import Mark

_REVIEW, _SCORE, _AREA = (model._meta.db_table for model in (Review, Score, Area))
_STAMPS = ", ".join(f"{level}_id" for level in STAMPS)
Given = dict[str, Decimal]  # kind of adjustment: marks
Bands = list[tuple[str, Decimal]]
Marks = dict[int, dict[str, Mark]]


def open_reviews(run: Run, period: Period) -> None:
    """A review for every place of the run that has none, stamped with where it stands now. On
    PostgreSQL its area is held until the transaction ends, so that a move of the tree waits."""
    places, params = place_rows(run.area, period).query.sql_with_params()
    held = "FOR SHARE OF a" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {_REVIEW} (area_id, {_STAMPS}, kind, period, level, area_name, "
            "parent_area_id, state, ordinary, bonus, deduction, total, band, note) "
            f"SELECT a.id, {', '.join(f'a.{level}_id' for level in STAMPS)}, "
            "%s, %s, a.kind, p.name, p.parent_id, %s, 0, 0, 0, 0, '', '' "
            f"FROM {_AREA} a JOIN ({places}) p ON p.area_id = a.id "
            f"WHERE NOT EXISTS (SELECT 1 FROM {_REVIEW} r WHERE r.area_id = a.id AND r.period = %s) "
            f"{held} ON CONFLICT DO NOTHING",
            [run.kind, run.period, ReviewState.WAITING, *params, run.period],
        )


def reviews_of(run: Run, stood: list[Place]) -> QuerySet[Review]:
    """The reviews of the places that stood in the run's area in its period: those that have moved
    away since are among them, those that have moved in since are not."""
    areas = [place.area_id for place in stood]
    return Review.objects.filter(Among("area_id", areas), period=run.period)


def write_all(run: Run, stood: list[Place], marks: Marks) -> int:
    """Fill the reviews of the run that are being computed; returns how many there were."""
    computing = list(
        reviews_of(run, stood)
        .filter(state=ReviewState.COMPUTING)
        .select_for_update(of=("self",))
        .order_by("pk")
    )
    write(run, computing, marks)
    transit_all(Review.objects.filter(Among("pk", [r.pk for r in computing])), "computed", by=None)
    return len(computing)


def write(run: Run, reviews: list[Review], marks: Marks) -> int:
    """Set total, band and scores of `reviews`, which the caller holds, from the marks of their
    places. Rows that say so already are not written again. Returns how many scores were."""
    given: dict[int, Given] = defaultdict(lambda: defaultdict(Decimal))
    adjustments = Adjustment.objects.filter(review__period=run.period)
    for review_id, kind, value in adjustments.values_list("review_id", "kind", "marks"):
        given[review_id][kind] += value
    now = bands()
    scores: list[tuple] = []
    for review in reviews:
        own = marks[review.area_id]
        review.run = run
        review.ordinary = sum((mark.marks for mark in own.values()), Decimal(0))
        _set_total(review, given[review.pk], now)
        scores += (
            (review.pk, key, mark.part, mark.whole, mark.value, mark.marks)
            for key, mark in own.items()
        )
    keys = [indicator["key"] for indicator in run.indicators]
    pks = [review.pk for review in reviews]
    Score.objects.filter(Among("review_id", pks)).exclude(key__in=keys).delete()
    written = _upsert_scores(scores)
    _update_reviews(reviews)
    return written


def retotal(review: Review) -> None:
    """Set total and band from the review's own parts. The caller holds the row and saves it."""
    given: Given = defaultdict(Decimal)
    for kind, marks in Adjustment.objects.filter(review=review).values_list("kind", "marks"):
        given[kind] += marks
    _set_total(review, given, bands())


def _set_total(review: Review, given: Given, bands: Bands) -> None:
    review.bonus = given.get(AdjustmentKind.BONUS, Decimal(0))
    review.deduction = given.get(AdjustmentKind.DEDUCTION, Decimal(0))
    review.total = review.ordinary + review.bonus - review.deduction
    review.band = band_of(review.total, bands)


def band_of(total: Decimal, bands: Bands) -> str:
    return next((label for label, floor in bands if total >= floor), "")


def bands() -> Bands:
    """The bands in force, the highest floor first."""
    return list(Band.objects.values_list("label", "floor"))


_SCORES = ("review_id", "key", "part", "whole", "value", "marks")
_TOTALS = ("id", "run_id", "ordinary", "bonus", "deduction", "total", "band")


def _upsert_scores(rows: list[tuple]) -> int:
    old, new = (
        ", ".join(f"{side}.{name}" for name in _SCORES[2:]) for side in (_SCORE, "excluded")
    )
    distinct = "IS DISTINCT FROM" if connection.vendor == "postgresql" else "IS NOT"
    statement = (
        f"INSERT INTO {_SCORE} ({', '.join(_SCORES)}) {{source}} ON CONFLICT (review_id, key) "
        f"DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _SCORES[2:])} "
        f"WHERE ({old}) {distinct} ({new})"
    )
    return _write(statement, "scores", _SCORE, _SCORES, rows)


def _update_reviews(reviews: list[Review]) -> int:
    rows = [tuple(getattr(review, name) for name in _TOTALS) for review in reviews]
    sets = ", ".join(f"{name} = n.{name}" for name in _TOTALS[1:])
    old, new = (", ".join(f"{side}.{name}" for name in _TOTALS[1:]) for side in ("r", "n"))
    if connection.vendor != "postgresql":
        Review.objects.bulk_update(reviews, list(_TOTALS[1:]), batch_size=100)
        return len(reviews)
    statement = (
        f"UPDATE {_REVIEW} AS r SET {sets} FROM ({{source}}) n "
        f"WHERE r.id = n.id AND ({old}) IS DISTINCT FROM ({new})"
    )
    return _write(statement, "totals", _REVIEW, _TOTALS, rows)


def _write(
    statement: str, name: str, table: str, columns: tuple[str, ...], rows: list[tuple]
) -> int:
    """Run `statement` over `rows`: on PostgreSQL by one COPY and one statement."""
    names = ", ".join(columns)
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            marks = ", ".join(["%s"] * len(columns))
            cursor.executemany(statement.format(source=f"VALUES ({marks})"), rows)
            return cursor.rowcount
        cursor.execute(
            f"CREATE TEMP TABLE {name} ON COMMIT DROP AS SELECT {names} FROM {table} LIMIT 0"
        )
        cursor.copy_expert(f"COPY {name} ({names}) FROM STDIN", io.StringIO(_lines(rows)))
        cursor.execute(statement.format(source=f"SELECT {names} FROM {name}"))
        written = cursor.rowcount
        cursor.execute(f"DROP TABLE {name}")
    return written


def _lines(rows: Iterable[tuple]) -> str:
    """Rows of numbers and of labels without a tab or backslash, for COPY."""
    return "".join(
        ["\t".join([r"\N" if cell is None else str(cell) for cell in row]) + "\n" for row in rows]
    )
