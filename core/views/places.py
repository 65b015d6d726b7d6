"""The place chooser: a page without script, a dialogue with, a tree that opens node by node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from core import places
from core.views.base import ConsoleView


class Node(NamedTuple):
    """A line of the tree: its place, whether more lies below, and what is open below it."""

    place: places.Place
    href: str
    opens: str | None
    children: list[Node]
    chosen: bool


LEAF = "building"


class PlaceChooserView(ConsoleView):
    """``?next=`` is where the choice leads, ``?open=`` the node whose children show, ``?q=`` a
    search. With script, a node asks for its children alone (``HX-Target`` ``branch-<id>``)."""

    title = "选择地点"
    template = "console/places.html"
    blocks = ("page", "dialog", "found")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.source = places.source()
        if self.source is None:
            raise Http404("no room of places is installed")
        self.next = self._next()
        opened = self._opened()
        text = request.GET.get("q", "").strip()[:40]
        own = self.source.own(request.user)
        return self.page(
            text=text,
            found=[(f, self.href(f.place)) for f in self.source.search(text, request.user)],
            recent=[] if text else self._recent(own),
            tree=[] if text else [self._node(place, opened) for place in own],
            branch=self._below(opened[-1], opened) if opened else [],
            next=self.next,
            everywhere=places.address_at(self.next, None),
        )

    def _recent(self, own: Sequence[places.Place]) -> list[tuple[places.Place, str]]:
        """What this person chose last and still reaches, but for where the tree starts anyway."""
        tops = {place.pk for place in own}
        keys = [key for key in places.recent(self.request) if key not in tops]
        near = self.source.among(keys, self.request.user)
        return [(place, self.href(place)) for place in near]

    def shell(self) -> dict[str, Any]:
        """Without the button that leads here: a chooser of choosers would never end."""
        return {**super().shell(), "own_places": ()}

    def wanted_block(self) -> str | None:
        target = self.request.htmx.target if self.request.htmx else None
        return "branch" if target and target.startswith("branch-") else super().wanted_block()

    def href(self, place: places.Place) -> str:
        return places.address_at(self.next, place)

    def _next(self) -> str:
        """Where the choice leads: the page that asked. Never another host."""
        wanted = self.request.GET.get("next", "")
        if self.request.htmx and not wanted:
            wanted = self.request.htmx.current_url_abs_path or ""
        host = self.request.get_host()
        safe = url_has_allowed_host_and_scheme(wanted, {host}, self.request.is_secure())
        return wanted if safe and wanted.startswith("/") else reverse("console:home")

    def _opened(self) -> list[places.Place]:
        """The node to open, behind its ancestors; the chosen place when none is named."""
        key = self.request.GET.get("open", "")
        place = self.source.find(key, self.request.user) if key else self.place
        if key and place is None:
            raise Http404(f"no place {key!r} in sight of {self.request.user.pk}")
        return [*self.source.trail(place), place] if place else []

    def _node(self, place: places.Place, opened: list[places.Place]) -> Node:
        below = any(place.pk == o.pk for o in opened)
        query = "?" + urlencode({"open": place.pk, "next": self.next})
        return Node(
            place=place,
            href=self.href(place),
            opens=None if place.kind == LEAF else reverse("console:places") + query,
            children=self._below(place, opened) if below else [],
            chosen=self.place is not None and self.place.pk == place.pk,
        )

    def _below(self, place: places.Place, opened: list[places.Place]) -> list[Node]:
        return [self._node(p, opened) for p in self.source.children(place, self.request.user)]


class PlaceSuggestView(ConsoleView):
    """The matches for a `PlaceField` while one types: lines of a list box."""

    template = "console/place_options.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        source = places.source()
        found = []
        if source:
            found = source.search(
                request.GET.get("q", "")[:40],
                request.user,
                kinds=[k for k in request.GET.get("kinds", "").split(",") if k],
                perm=request.GET.get("perm") or None,
                anywhere="anywhere" in request.GET,
            )
        return self.page(options=[(places.written(f.place), f) for f in found])

    def shell(self) -> dict[str, Any]:
        return {}
