"""How people name a place or a unit in a table where its code is asked for.

Names are compared half-width and without blanks, and mean what is in use: what was struck off or
has left goes by its code alone.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db.models import QuerySet

from core.among import Among
from core.formats import full_places, short_place
from core.sheets.text import compact
from orgs.enums import STAMPS, UnitState
from orgs.models import Area, Unit

_WIDE_BRACKETS = str.maketrans("()", "（）")
_SEAMS = re.compile(r"[\s/／·]+")  # 湛山街道/江西路社区, and as `orgs.places.where` writes it


@dataclass(frozen=True)
class PlaceNames:
    """A place goes by its full name, by what its residents call it, and by either behind the names
    of places above it: ``湛山街道 江西路社区``. `above`, `example`: for whoever must tell places of
    one name apart."""

    above: str
    example: str

    @property
    def hint(self) -> str:
        return f"也可填名称，重名的在前面写上{self.above}，如“{self.example}”"

    @property
    def apart(self) -> str:
        return f"请改填代码，或在前面写上{self.above}，如“{self.example}”"

    def find(self, rows: QuerySet[Area], texts: Iterable[str]) -> dict[str, list[Area]]:
        ways = {text: list(_ways(text)) for text in texts}
        shorts = {short_place(own) for some in ways.values() for own, _ in some}
        names = {name for short in shorts for name in full_places(short)}
        spelt = {*ways, *(way for name in names for way in _spelt(name))}
        index: dict[tuple[str, str], set[Area]] = defaultdict(set)
        for area in rows.active().filter(Among("name", sorted(spelt))).select_related(*STAMPS):
            over = (getattr(area, level) for level in STAMPS)
            above = {"", *(short_place(compact(place.name)) for place in over if place)}
            own = compact(area.name)
            for key in {(name, place) for name in (own, short_place(own)) for place in above}:
                index[key].add(area)
        return {
            text: list(set().union(*(_meant(index, own, above) for own, above in some)))
            for text, some in ways.items()
        }


def _ways(text: str) -> Iterator[tuple[str, list[str]]]:
    """How a text may be read: as a name with blanks in it, as a name behind those of places above
    it. Each as the name and those places."""
    yield compact(text), [""]
    parts = [compact(part) for part in _SEAMS.split(text) if part]
    if len(parts) > 1:
        yield parts[-1], [short_place(place) for place in parts[:-1]]


def _meant(index: dict[tuple[str, str], set[Area]], own: str, above: list[str]) -> set[Area]:
    """The places below all of `above` that are written so; if there are none, those that are
    called so: 江西路居委会 may be 江西路社区居委会. A short name is that of all who are called so,
    of one registered under it too."""
    written = set.intersection(*(index[own, place] for place in above))
    return written or set.intersection(*(index[short_place(own), place] for place in above))


class UnitNames:
    """A unit goes by its full name."""

    hint = "也可填单位全称"
    apart = "请改填统一社会信用代码"

    def find(self, rows: QuerySet[Unit], texts: Iterable[str]) -> dict[str, list[Unit]]:
        wanted = {text: compact(text) for text in texts}
        spelt = {way for text, name in wanted.items() for way in (text, *_spelt(name))}
        named: dict[str, list[Unit]] = defaultdict(list)
        for unit in rows.filter(Among("name", sorted(spelt)), state=UnitState.ACTIVE):
            named[compact(unit.name)].append(unit)
        return {text: named[name] for text, name in wanted.items() if name in named}


def _spelt(name: str) -> tuple[str, str]:
    """How a compact name may be registered: brackets are the signs that come in both widths."""
    return name, name.translate(_WIDE_BRACKETS)


COMMUNITIES = PlaceNames("街道", "湛山街道 江西路社区")
GRIDS = PlaceNames("社区", "江西路社区 第一网格")
COMMUNITIES_AND_GRIDS = PlaceNames("街道或社区", "江西路社区 第一网格")
UNITS = UnitNames()
