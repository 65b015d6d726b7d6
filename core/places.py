"""The place chooser's hook: core knows that lists follow a place, the room of places knows which.

A choice travels in the address as ``?area=<key>`` (an id, or a division code of 12 digits and
more). The room that owns the tree registers one source at start-up::

    places.register(AreaPlaces())
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple, Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.http import HttpRequest, HttpResponse

PARAM = "area"


class Place(Protocol):
    """A node of the tree as the pages use it."""

    pk: int
    name: str
    code: str
    kind: str


class Found(NamedTuple):
    """A place that a search found, and where it lies in words."""

    place: Place
    where: str


class PlaceSource(Protocol):
    """What the room of places answers. `anywhere` leaves the user's reach out of it: the
    divisions themselves are public; what happens in them is not."""

    def find(
        self, key: str, user: Any, *, perm: str | None = None, anywhere: bool = False
    ) -> Place | None:
        """The place named by an id or a code, if this user reaches it (with `perm`)."""

    def search(
        self,
        text: str,
        user: Any,
        *,
        kinds: Sequence[str] = (),
        perm: str | None = None,
        anywhere: bool = False,
    ) -> list[Found]:
        """The best few matches by name, pinyin, initials or code, higher levels first."""

    def trail(self, place: Place) -> Sequence[Place]:
        """The ancestors of `place` from the top, without itself."""

    def children(self, place: Place, user: Any) -> Sequence[Place]:
        """The places right below, in the order of their codes."""

    def among(self, keys: Sequence[int], user: Any) -> Sequence[Place]:
        """Those of the ids that are in use and in this user's reach, in the order given."""

    def own(self, user: Any) -> Sequence[Place]:
        """The places of the user's own grants: where the chooser starts."""


_sources: list[PlaceSource] = []


def register(source: PlaceSource) -> None:
    """Called once, by the room that owns the tree."""
    _sources[:] = [source]


def source() -> PlaceSource | None:
    return _sources[0] if _sources else None


RECENT_COOKIE = "places"
RECENT = 6
_RECENT_DAYS = 90


def recent(request: HttpRequest) -> list[int]:
    """Ids of the places that this person chose last, the latest first. In a signed cookie under
    the person's own salt: it is nothing to whoever else signs in at the same machine."""
    text = request.get_signed_cookie(RECENT_COOKIE, "", salt=_salt(request))
    return [int(key) for key in text.split(".") if key]


def remember(request: HttpRequest, response: HttpResponse, place: Place) -> None:
    """Put `place` in front of the recent ones."""
    before = recent(request)
    if before[:1] == [place.pk]:
        return
    keys = [place.pk, *(key for key in before if key != place.pk)][:RECENT]
    response.set_signed_cookie(
        RECENT_COOKIE,
        ".".join(map(str, keys)),
        salt=_salt(request),
        max_age=timedelta(days=_RECENT_DAYS),
        httponly=True,
        samesite="Lax",
        secure=request.is_secure(),
    )


def _salt(request: HttpRequest) -> str:
    return f"core.places.{request.user.pk}"


def address_at(address: str, place: Place | None) -> str:
    """`address` with `place` chosen (None: with no choice). Paging starts over."""
    parts = urlsplit(address)
    dropped = {PARAM, "after", "before"}
    query = [(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=False) if k not in dropped]
    if place is not None:
        query.insert(0, (PARAM, str(place.pk)))
    return urlunsplit(("", "", parts.path, urlencode(query), ""))


def written(place: Place) -> str:
    """A place as a text box holds it: its name and its code, which alone decides."""
    return f"{place.name} {place.code}"
