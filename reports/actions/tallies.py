"""What a run counted, place by place: from the records, or from the last count and what changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from core.periods import Period
from reports.catalogue import MEASURES
from reports.measures import Source
from reports.models import Run, Tally
from reports.queries import Place, place_ids
from reports.scoring import Figures


def sources_of(run: Run) -> list[Source]:
    """What the run's indicators are counted from, each once."""
    measures = (MEASURES[indicator["key"]] for indicator in run.indicators)
    return list({measure.source.name: measure.source for measure in measures}.values())


def count(run: Run, period: Period) -> Figures:
    """Every figure of every place of the run, counted from the records."""
    figures: Figures = defaultdict(dict)
    here = _here(run, period)
    for source in sources_of(run):
        _put(figures, source, source.count(period, here))
    return figures


def _here(run: Run, period: Period) -> list[int]:
    """The ids of its places, asked for once for all sources."""
    return list(place_ids(run.area, period).values_list("area_id", flat=True))


def count_changed(
    run: Run, period: Period, stood: list[Place], changed: Mapping[str, Collection[int] | None]
) -> tuple[Figures, set[int] | None]:
    """The same figures from the run's tally, with those places counted anew where the records of
    a source's room have changed (`changed`, by room; None: everywhere). Also the ids of the
    places that were; None when all may have."""
    tally = Tally.objects.filter(run=run).first() or Tally(run=run)
    here = {place.area_id for place in stood}
    appeared = here - {area for area, *_ in tally.stood}
    figures: Figures = defaultdict(dict)
    counted: set[int] | None = set() if tally.stood == _paths(stood) else None
    for source in sources_of(run):
        kept = _kept(tally, source)
        marked = changed.get(source.room(period), ())
        anew = None if kept is None or marked is None else (here.intersection(marked) | appeared)
        if anew is None or 2 * len(anew) > len(here):
            kept, found = {}, source.count(period, here)
            anew = here
        else:
            kept = {area: numbers for area, numbers in kept.items() if area not in anew}
            found = source.count(period, anew) if anew else {}
        _put(figures, source, kept)
        _put(figures, source, found)
        if counted is not None:
            counted |= anew
    return figures, counted


def keep(run: Run, stood: list[Place], figures: Figures) -> None:
    """Store what was counted, for the next time that only changes are."""
    stored = {
        source.name: {
            "figures": (names := [figure.name for figure in source.figures]),
            "places": {
                area: [own[source.name].get(name, 0) for name in names]
                for area, own in figures.items()
                if source.name in own
            },
        }
        for source in sources_of(run)
    }
    values = {"stood": _paths(stood), "figures": stored}
    Tally.objects.update_or_create(run=run, defaults=values)


def _paths(stood: list[Place]) -> list[list[int | None]]:
    return [[place.area_id, place.street_id, place.district_id] for place in stood]


def _put(figures: Figures, source: Source, found: Mapping[int, dict[str, Any]]) -> None:
    for area, numbers in found.items():
        figures[area][source.name] = numbers


def _kept(tally: Tally, source: Source) -> dict[int, dict[str, Any]] | None:
    """What the tally holds of a source; None if it was not counted, or counted otherwise."""
    stored = tally.figures.get(source.name)
    names = [figure.name for figure in source.figures]
    if stored is None or stored["figures"] != names:
        return None
    return {
        int(area): dict(zip(names, map(_number, numbers), strict=True))
        for area, numbers in stored["places"].items()
    }


def _number(stored: int | str) -> int | Decimal:
    """Sums of hours are stored as text, so that no digit is lost."""
    return Decimal(stored) if isinstance(stored, str) else stored
