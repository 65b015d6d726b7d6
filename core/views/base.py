"""What all console pages share: a signed-in person, a right, a place, a shell."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth.views import redirect_to_login
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import Resolver404, resolve
from django.views import View
from django_htmx.http import HttpResponseClientRedirect

from core import console, places
from core.scope import require
from core.views.render import render

HOME = "console:home"


class ConsoleView(View):
    """A page for staff. Without a sign-in it leads there; without `perm` anywhere it is 403.

    perm: what the page needs; None means that a sign-in is enough.
    blocks: names of the template's blocks that an HTMX request may ask for, each under the id
        of the element it fills (`HX-Target`).
    """

    perm: str | None = None
    template = ""
    title = ""
    blocks: tuple[str, ...] = ("page",)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return self._sign_in_first()
        self.check_right()
        _ = self.place  # 404 before anything is written, and not on the way back from it
        return super().dispatch(request, *args, **kwargs)

    def _sign_in_first(self) -> HttpResponse:
        htmx = getattr(self.request, "htmx", None)
        if not htmx:
            return redirect_to_login(self.request.get_full_path())
        # A fragment must not be filled with the sign-in page: the whole page goes there.
        response = redirect_to_login(htmx.current_url_abs_path or self.request.get_full_path())
        return HttpResponseClientRedirect(response.url)

    def check_right(self) -> None:
        """403 for those who hold `perm` nowhere."""
        if self.perm:
            require(self.request.user, self.perm)

    @cached_property
    def place(self) -> places.Place | None:
        """The place chosen in the address; 404 when it is unknown or out of sight."""
        key = self.request.GET.get(places.PARAM, "")
        source = places.source()
        if not key or source is None:
            return None
        found = source.find(key, self.request.user)
        if found is None:
            raise Http404(f"no place {key!r} in sight of {self.request.user.pk}")
        return found

    @property
    def place_suffix(self) -> str:
        """What a link carries so that the chosen place travels on."""
        return f"?{places.PARAM}={self.place.pk}" if self.place else ""

    def page(self, status: int = 200, **context: Any) -> HttpResponse:
        """Render the template within the shell, or the block that HTMX asks for."""
        response = render(
            self.request,
            self.template,
            {**self.shell(), "title": self.title, "view": self, **context},
            block=self.wanted_block(),
            status=status,
        )
        if self.place:
            places.remember(self.request, response, self.place)
        return response

    def wanted_block(self) -> str | None:
        htmx = self.request.htmx
        if not htmx or htmx.history_restore_request or htmx.boosted:
            return None
        return htmx.target if htmx.target in self.blocks else None

    def shell(self) -> dict[str, Any]:
        """The menu, the numbers of the top bar and the place. A fragment needs none of it but
        the place."""
        user = self.request.user
        common = {"place": self.place, "place_suffix": self.place_suffix, "crumbs": self.crumbs()}
        if self.wanted_block():
            return common
        source = places.source()
        menu = [m for m in console.MENU if m.shown_to(user)]
        return {
            **common,
            "menu": menu,
            "menu_now": self._entry(menu, common["crumbs"]),
            "topbar": [(t, t.count(user)) for t in console.TOPBAR],
            "place_trail": source.trail(self.place) if source and self.place else (),
            "own_places": source.own(user) if source else (),
        }

    def _entry(self, menu: list[console.MenuItem], crumbs: list[tuple[str, str]]) -> str:
        """The address of the menu that this page is; ending in a stroke, the one that it belongs to,
        by its own name or as the way here begins."""
        own = self.request.resolver_match.view_name if self.request.resolver_match else ""
        if own == HOME or any(own == entry.url_name for entry in menu):
            return own
        names = [own]
        with suppress(Resolver404):
            names += [resolve(urlsplit(address).path).view_name for _, address in crumbs[:1]]
        above = (m.url_name for name in names for m in menu if name.startswith(m.url_name[:-1]))
        return f"{next(above, '')}/"

    def crumbs(self) -> list[tuple[str, str]]:
        """The way here as (label, address), without this page itself."""
        return []

    def at_place(self, queryset: QuerySet) -> QuerySet:
        """Narrow to the chosen place, for what lies on the tree."""
        if self.place is None:
            return queryset
        if hasattr(queryset, "at"):
            return queryset.at(self.place)
        return queryset.under(self.place) if hasattr(queryset, "under") else queryset
