"""The place chooser's hook: core knows that lists follow a place, the room of places knows which.

A choice travels in the address as ``?area=<key>`` (an id, or a division code of 12 digits and
more). The room that owns the tree registers one source at start-up::

    places.register(AreaPlaces())
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

PARAM = "area"


class Place(Protocol):
    """A node of the tree as the pages use it."""

    pk: int
    name: str
    kind: str


class PlaceSource(Protocol):
    chooser_url: str  # the name of the page that lets one choose

    def find(self, key: str, user: Any) -> Place | None:
        """The place named by an address, if this user may see it."""

    def trail(self, place: Place) -> Sequence[Place]:
        """The ancestors of `place` from the top, without itself."""

    def own(self, user: Any) -> Sequence[Place]:
        """The places of the user's own grants: where the chooser starts."""


_sources: list[PlaceSource] = []


def register(source: PlaceSource) -> None:
    """Called once, by the room that owns the tree."""
    _sources[:] = [source]


def source() -> PlaceSource | None:
    return _sources[0] if _sources else None
