"""The workbench, and the choice of light or dark."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views import View

from core import console, figures
from core.context import THEME_COOKIE, THEMES
from core.scope import reach_of
from core.views.base import ConsoleView

ROWS_OF_A_KIND = 50
AWAITED_SHOWN = 8
YEAR = 365 * 24 * 3600


class Task(NamedTuple):
    """One thing that waits for me, or that lies with `holder`."""

    kind: str
    title: str
    url: str
    due: date | None
    holder: str = ""


class Kind(NamedTuple):
    """One kind of work: how many wait, and the parameter that shows it alone."""

    label: str
    count: str
    key: str


class WorkbenchView(ConsoleView):
    """What waits for me across all apps, the nearest deadline first; what those above wait for
    and others below me hold; the figures of my level; what I come to begin. Nothing else.

    Each kind is one query for its first rows by deadline; a kind with more rows than are read
    is counted as "50+", and shown alone on request. Each figure is one query.
    """

    title = "工作台"
    template = "console/home.html"
    blocks = ("page", "list", "awaited")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        block = self.wanted_block()
        found: dict[str, Any] = {"today": timezone.localdate()}
        if block != "awaited":
            wanted = request.GET.get("kind", "")
            tasks, kinds = self._gathered(console.WAITING, wanted)
            found |= {"tasks": tasks, "kinds": kinds, "wanted": wanted}
        if block != "list":
            lying = request.GET.get("lying", "")
            others, other_kinds = self._gathered(console.AWAITED, lying)
            shown = others if lying else others[:AWAITED_SHOWN]
            found |= {"others": shown, "other_kinds": other_kinds, "lying": lying}
            found["more"] = len(others) > len(shown)
            # A unit answers to nobody for others: it has no such list.
            held = (reach_of(request.user, kind.perm) for kind in console.AWAITED)
            found["answers"] = any(reach.areas for reach in held)
        if block not in ("list", "awaited"):
            found["starts"] = [
                (one, reverse(one.url_name) + self.place_suffix)
                for one in console.STARTS
                if one.shown_to(request.user)
            ]
            found["figures"] = figures.shown_to(request.user, self.place, self.at_place)
        return self.page(**found)

    def _gathered(
        self, declared: Sequence[console.Waiting | console.Awaited], wanted: str
    ) -> tuple[list[Task], list[Kind]]:
        """The rows of all kinds that are this user's (of one, when `wanted` names it), by
        deadline, and the kinds that have any."""
        tasks: list[Task] = []
        kinds: list[Kind] = []
        for number, kind in enumerate(declared):
            if not reach_of(self.request.user, kind.perm):
                continue
            found = self._rows(kind)
            more = "+" if len(found) > ROWS_OF_A_KIND else ""
            found = found[:ROWS_OF_A_KIND]
            key = str(number)
            if found:
                kinds.append(Kind(kind.label, f"{len(found)}{more}", key))
            if wanted in ("", key):
                tasks += [self._task(kind, row) for row in found]
        tasks.sort(key=lambda task: (task.due is None, task.due or date.max))
        return tasks, kinds

    def _rows(self, kind: console.Waiting | console.Awaited) -> list:
        rows = self.at_place(kind.rows(self.request.user))
        if kind.due:
            rows = rows.order_by(kind.due, "pk")
        return list(rows[: ROWS_OF_A_KIND + 1])

    def _task(self, kind: console.Waiting | console.Awaited, row: Any) -> Task:
        address = kind.url(row) if kind.url else row.get_absolute_url()
        due = getattr(row, kind.due) if kind.due else None
        if isinstance(due, datetime):
            due = timezone.localtime(due).date()
        holder = kind.holder(row) if isinstance(kind, console.Awaited) else ""
        return Task(kind.label, kind.title(row), address + self.place_suffix, due, holder)


class ThemeView(View):
    """Light, dark or as the device has it: a cookie, so that the first paint is right."""

    def post(self, request: HttpRequest) -> HttpResponse:
        wanted, back = request.POST.get("theme", ""), request.POST.get("next", "/")
        safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, request.is_secure())
        response = HttpResponseRedirect(back if safe else "/")
        if wanted in THEMES:
            response.set_cookie(
                THEME_COOKIE,
                wanted,
                max_age=YEAR,
                samesite="Lax",
                httponly=True,
                secure=request.is_secure(),
            )
        else:
            response.delete_cookie(THEME_COOKIE)
        return response
