"""The workbench's figures: this quarter beside the same days of the last, one query each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.db.models import Count, DateTimeField, Model, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from core import console, places
from core.periods import period_of
from core.scope import reach_of

MOST = 4


class Days(NamedTuple):
    """From one day to another, both included."""

    first: date
    last: date

    @property
    def end(self) -> datetime:
        """The first moment after it."""
        return timezone.make_aware(datetime.combine(self.last + timedelta(days=1), time.min))

    def within(self, model: type[Model], path: str) -> Q:
        """Rows of `model` whose date or datetime at `path` falls in it."""
        if not _is_moment(model, path):
            return Q(**{f"{path}__range": (self.first, self.last)})
        start = timezone.make_aware(datetime.combine(self.first, time.min))
        return Q(**{f"{path}__gte": start, f"{path}__lt": self.end})


class Shown(NamedTuple):
    """A figure as it stands on the workbench. `value` is None where there was no occasion."""

    label: str
    value: int | None
    unit: str
    note: str
    href: str


def quarter_so_far(today: date) -> tuple[Days, Days]:
    """This quarter up to today, and as many days of the last one: equal lengths compare, a begun
    quarter and a whole one do not."""
    now = period_of(today)
    then = now.previous()
    same = min(then.first + (today - now.first), then.last)
    return Days(now.first, today), Days(then.first, same)


def shown_to(
    user: Any, place: places.Place | None, narrow: Callable[[QuerySet], QuerySet]
) -> list[Shown]:
    """The figures of the user's own level, or of the chosen place's. `narrow` keeps to it."""
    mine = [one for one in console.FIGURES if level_of(user, one.perm, place) in one.levels]
    now, then = quarter_so_far(timezone.localdate())
    return [_shown(one, narrow(one.rows(user)), now, then, place) for one in mine[:MOST]]


def level_of(user: Any, perm: str, place: places.Place | None) -> str:
    """The widest level on which `user` holds `perm`; at a chosen place that of the place."""
    reach = reach_of(user, perm)
    held = {level for level, _ in reach.areas} | ({"unit"} if reach.units else set())
    if place is not None and held - {"unit"}:
        return place.kind if place.kind in console.LEVELS else "grid"
    return next((level for level in console.LEVELS if level in held), "")


def _shown(
    one: console.Figure, rows: QuerySet, now: Days, then: Days, place: places.Place | None
) -> Shown:
    counted = rows.filter(_either(rows.model, one.on, now, then)).aggregate(
        **_counts("now", one, rows.model, now), **_counts("then", one, rows.model, then)
    )
    value, note = (_share if one.share else _count)(counted)
    query = {places.PARAM: place.pk} if place else {}
    query |= {**one.query, f"{one.span}_after": now.first, f"{one.span}_before": now.last}
    href = f"{reverse(one.page)}?{urlencode(query)}"
    unit = "" if value is None else "%" if one.share else one.unit
    return Shown(one.label, value, unit, note, href)


def _either(model: type[Model], on: str, now: Days, then: Days) -> Q:
    return now.within(model, on) | then.within(model, on)


def _counts(name: str, one: console.Figure, model: type[Model], days: Days) -> dict[str, Count]:
    within = days.within(model, one.on)
    found = {name: Count("pk", filter=within)}
    if one.share:
        found[f"{name}_part"] = Count("pk", filter=within & one.share(days.end))
    return found


def _count(counted: dict[str, int]) -> tuple[int, str]:
    now, then = counted["now"], counted["then"]
    return now, f"上季同期 {then:,}{_trend(now - then, '多', '少')}"


def _share(counted: dict[str, int]) -> tuple[int | None, str]:
    now, then = (_percent(counted[f"{k}_part"], counted[k]) for k in ("now", "then"))
    said = f"{counted['now_part']:,} / {counted['now']:,}，" if counted["now"] else "本季还没有，"
    if then is None:
        return now, f"{said}上季同期没有"
    trend = _trend(now - then, "高", "低", " 个百分点") if now is not None else ""
    return now, f"{said}上季同期 {then}%{trend}"


def _percent(part: int, whole: int) -> int | None:
    return round(100 * part / whole) if whole else None


def _trend(change: int, more: str, less: str, unit: str = "") -> str:
    if not change:
        return "，持平"
    return f"，{more if change > 0 else less} {abs(change):,}{unit}"


def _is_moment(model: type[Model], path: str) -> bool:
    *through, last = path.split("__")
    for name in through:
        model = model._meta.get_field(name).related_model
    return isinstance(model._meta.get_field(last), DateTimeField)
