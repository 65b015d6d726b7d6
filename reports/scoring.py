"""The arithmetic of a review: from what was counted to marks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from operator import add
from typing import Any, NamedTuple

from reports.catalogue import MEASURES
from reports.enums import Basis
from reports.measures import Numbers
from reports.queries import Place

CENT, _NONE = Decimal("0.01"), Decimal(0)
Figures = Mapping[str, Numbers]  # by the source's name


@dataclass(frozen=True, slots=True)
class Mark:
    """One indicator of one place: what was counted and the marks it earns."""

    part: Decimal
    whole: Decimal
    value: Decimal | None
    marks: Decimal


class _Rule(NamedTuple):
    """An indicator, and where its figures stand among those of a place, all sources in a row
    (`whole` None: the number of communities)."""

    key: str
    part: int
    whole: int | None
    weight: Decimal
    target: Decimal


def score_places(
    indicators: Iterable[dict],
    stood: list[Place],
    figures: Figures,
    only: Container[int] | None = None,
) -> dict[int, dict[str, Mark]]:
    """Marks of every place (or of those in `only`) from the figures of its communities:
    {area id: {key: Mark}}.

    A street or district is scored on the sum of its communities, not on the mean of their
    rates. Where there was no occasion the marks follow the rate of the other indicators.
    """
    starts: dict[str, int] = {}
    counted: list[tuple[Numbers, list[int]]] = []  # of each source: its numbers, and none
    width = 0
    rules = []
    for indicator in indicators:
        source = MEASURES[indicator["key"]].source
        if source.name not in starts:
            starts[source.name] = width
            counted.append((figures.get(source.name, {}), [0] * len(source.figures)))
            width += len(source.figures)
        rules.append(_rule(indicator, starts[source.name]))
    sums = {place.area_id: [0] * width for place in stood}
    communities: Counter[int] = Counter()
    for place in stood:
        above = {place.area_id, place.street_id, place.district_id} & sums.keys()
        if place.kind == "community":
            communities.update(above)
        own: list[Any] = []
        for numbers, none in counted:
            own += numbers.get(place.area_id, none)
        if any(own):
            for area in above:
                sums[area] = list(map(add, sums[area], own))
    return {
        place.area_id: _score(rules, sums[place.area_id], communities[place.area_id])
        for place in stood
        if only is None or place.area_id in only
    }


def _rule(indicator: dict, start: int) -> _Rule:
    measure = MEASURES[indicator["key"]]
    names = measure.source.names
    share = indicator["basis"] == Basis.SHARE
    return _Rule(
        indicator["key"],
        start + names.index(measure.part),
        start + names.index(measure.whole) if share else None,
        Decimal(indicator["weight"]),
        Decimal(indicator["target"]),
    )


def _score(rules: list[_Rule], sums: list[Any], communities: int) -> dict[str, Mark]:
    marks: dict[str, Mark] = {}
    missing: list[_Rule] = []
    earned = possible = _NONE
    for rule in rules:
        part = Decimal(sums[rule.part])
        whole = Decimal(communities if rule.whole is None else sums[rule.whole])
        if not whole:
            missing.append(rule)
            marks[rule.key] = Mark(part, whole, None, _NONE)
            continue
        value = part / whole * (1 if rule.whole is None else 100)
        got = _round(rule.weight * min(value / rule.target, Decimal(1)))
        earned, possible = earned + got, possible + rule.weight
        marks[rule.key] = Mark(part, whole, _round(value), got)
    rate = earned / possible if possible else _NONE
    for rule in missing:
        mark = marks[rule.key]
        marks[rule.key] = Mark(mark.part, mark.whole, None, _round(rule.weight * rate))
    return marks


def _round(value: Decimal) -> Decimal:
    return value.quantize(CENT, rounding=ROUND_HALF_UP)
