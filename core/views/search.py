"""The search over all apps, and the keys: a page each without script, a dialogue with."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from core import console, search
from core.context import KEYS_COOKIE
from core.views.base import ConsoleView

YEAR = 365 * 24 * 3600


class SearchView(ConsoleView):
    """``?q=`` finds by name, pinyin, initials, code or number."""

    title = "查找"
    template = "console/search.html"
    blocks = ("page", "dialog")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        text = request.GET.get("q", "").strip()[: search.LONGEST]
        return self.page(text=text, groups=search.find(text, request.user))


class SearchOptionsView(SearchView):
    """The same while one types: lines of a list box."""

    template = "console/search_options.html"

    def shell(self) -> dict[str, Any]:
        return {"place_suffix": self.place_suffix}


class KeysView(ConsoleView):
    """Which keys lead where. Whoever dictates or strikes keys by chance can switch the single
    ones off: a cookie, so that the next page knows it."""

    title = "快捷键"
    template = "console/keys.html"
    blocks = ("page", "dialog")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        shown = [item for item in console.MENU if item.key and item.shown_to(request.user)]
        keys = [("/", "查找"), ("?", "显示快捷键"), ("gh", "工作台")]
        keys += [(f"g{item.key}", item.label) for item in shown]
        back = request.htmx.current_url_abs_path if request.htmx else None
        return self.page(keys=keys, back=back or reverse("console:home"))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        back = request.POST.get("next", "")
        safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, request.is_secure())
        response = HttpResponseRedirect(back if safe else reverse("console:home"))
        if request.POST.get("keys") == "off":
            response.set_cookie(
                KEYS_COOKIE,
                "off",
                max_age=YEAR,
                samesite="Lax",
                httponly=True,
                secure=request.is_secure(),
            )
        else:
            response.delete_cookie(KEYS_COOKIE)
        return response
