"""The list page: scope, place, filters, sort, keyset pages and totals, from a declaration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse

from core.filters import FilterSet
from core.pagination import paginate
from core.tables import Table
from core.views.actions import Action
from core.views.base import ConsoleView


class ListView(ConsoleView):
    """::

        class UnitList(ListView):
            model = Unit
            table = UnitTable
            filters = UnitFilter
            perm = "units.view"
            title = "驻区单位"
            actions = (Action("登记单位", "orgs:unit-add", perm="units.edit", tone="primary"),)
            empty = "还没有登记单位。请由街道或社区登记，或导入单位名册。"

    Query count: session and user, grants, the place if one is chosen, the count, the rows, and
    the numbers of the top bar; never one a row.
    """

    model: type[Model]
    table: type[Table]
    filters: type[FilterSet] | None = None
    actions: Sequence[Action] = ()
    lead = ""
    empty = ""
    template = "console/list.html"
    blocks = ("page", "list")

    def get_queryset(self) -> QuerySet:
        """The rows before scope: narrow or annotate here."""
        return self.model._default_manager.all()

    def scoped(self) -> QuerySet:
        """What this user sees at the chosen place; exports of the list start here too."""
        return self.at_place(self.get_queryset().visible_to(self.request.user, self.perm))

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        queryset = self.scoped()
        filterset = None
        if self.filters:
            filterset = self.filters(request.GET, queryset=queryset, request=request)
            # A wrong value filters nothing and is named at its field.
            queryset = filterset.qs
        sort = request.GET.get("sort", "")
        page = paginate(
            self.table.prepare(queryset),
            self.table.order_by(sort),
            after=request.GET.get("after", ""),
            before=request.GET.get("before", ""),
        )
        bound = self.table.bind(
            self.model, page.rows, caption=self.title, sort=sort, suffix=self.place_suffix
        )
        return self.page(
            table=bound,
            paging=page,
            filterset=filterset,
            actions=self.links(),
            sort=sort,
        )

    def links(self) -> list[tuple[Action, str]]:
        user, request = self.request.user, self.request
        return [(a, a.href(request, self.place_suffix)) for a in self.actions if a.shown_to(user)]

    @staticmethod
    def next_steps(actions: list[tuple[Action, str]]) -> list[tuple[str, str]]:
        """What an empty list offers: its own primary actions."""
        return [(action.label, href) for action, href in actions if action.tone == "primary"]
