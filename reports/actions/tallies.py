"""What a run counted, place by place: from the records, or from the last count and what changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal

from core.periods import Period
from reports.catalogue import MEASURES
from reports.measures import Numbers, Source
from reports.models import Run, Tally
from reports.queries import Place, place_ids
from reports.scoring import Figures


def sources_of(run: Run) -> list[Source]:
    """What the run's indicators are counted from, each once."""
    measures = (MEASURES[indicator["key"]] for indicator in run.indicators)
    return list({measure.source.name: measure.source for measure in measures}.values())


def count(run: Run, period: Period) -> Figures:
    """Every figure of every place of the run, counted from the records."""
    here = _here(run, period)
    return {source.name: source.count(period, here) for source in sources_of(run)}


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
    figures: dict[str, Numbers] = {}
    counted: set[int] | None = set() if tally.stood == _paths(stood) else None
    for source in sources_of(run):
        kept = _kept(tally, source)
        marked = changed.get(source.room(period), ())
        anew = None if kept is None or marked is None else (here.intersection(marked) | appeared)
        if anew is None or 2 * len(anew) > len(here):
            kept, anew = {}, here
        for area in anew & kept.keys():
            del kept[area]
        figures[source.name] = kept | (source.count(period, anew) if anew else {})
        if counted is not None:
            counted |= anew
    return figures, counted


def keep(run: Run, stood: list[Place], figures: Figures) -> None:
    """Store what was counted, for the next time that only changes are."""
    stored = {
        source.name: {"figures": source.names, "places": figures[source.name]}
        for source in sources_of(run)
    }
    values = {"stood": _paths(stood), "figures": stored}
    Tally.objects.update_or_create(run=run, defaults=values)


def _paths(stood: list[Place]) -> list[list[int | None]]:
    return [[place.area_id, place.street_id, place.district_id] for place in stood]


def _kept(tally: Tally, source: Source) -> Numbers | None:
    """What the tally holds of a source; None if it was not counted, or counted otherwise."""
    stored = tally.figures.get(source.name)
    if stored is None or stored["figures"] != source.names:
        return None
    kept = {int(area): numbers for area, numbers in stored["places"].items()}
    for at in source.sums:  # stored as text, so that no digit is lost
        for numbers in kept.values():
            numbers[at] = Decimal(numbers[at])
    return kept
