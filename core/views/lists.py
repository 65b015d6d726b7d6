"""The list page: scope, place, filters, sort, columns, keyset pages and totals, from a declaration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, cached_property
from inspect import Parameter, signature
from typing import Any
from urllib.parse import urlencode

from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import NoReverseMatch, resolve, reverse

from core import pagination, places
from core.filters import FilterSet
from core.models import SavedView
from core.pagination import COUNT_LIMIT
from core.saved_views import menu_of
from core.scope import reach_of
from core.tables import Column, Table
from core.transitions import Transition, machine_of
from core.views.actions import Action
from core.views.base import ConsoleView

SORT, COLUMNS, VIEW, COUNTS = "sort", "cols", "view", "counts"
ALL_COUNTED = 1_000_000  # rows that the filters' numbers take in for whoever asks for them


class ListView(ConsoleView):
    """::

        class UnitList(ListView):
            model = Unit
            table = UnitTable
            filters = UnitFilter
            perm = "units.view"
            title = "驻区单位"
            actions = (Action("登记单位", "orgs:unit-add", perm="units.edit", tone="primary"),)
            bulk = ("approve", "return")
            empty = "还没有登记单位。请由街道或社区登记，或导入单位名册。"

    bulk: transitions of the model's table that may be taken with many rows at once.
    exports: whether the list as it is shown can be taken out as a file.

    Query count: session and user, grants, the place if one is chosen, the saved views, the count
    with the numbers of the filters, the rows, and the numbers of the top bar; never one a row.
    """

    model: type[Model]
    table: type[Table]
    filters: type[FilterSet] | None = None
    actions: Sequence[Action] = ()
    bulk: Sequence[str] = ()
    exports = True
    lead = ""
    empty = ""
    template = "console/list.html"
    blocks = ("page", "list")

    # -- what the address asks for

    def get_queryset(self) -> QuerySet:
        """The rows before scope: narrow or annotate here."""
        return self.model._default_manager.all()

    def scoped(self) -> QuerySet:
        """What this user sees at the chosen place; exports of the list start here too."""
        return self.at_place(self.get_queryset().visible_to(self.request.user, self.perm))

    @cached_property
    def filterset(self) -> FilterSet | None:
        if self.filters is None:
            return None
        return self.filters(self.request.GET, queryset=self.scoped(), request=self.request)

    def filtered(self) -> QuerySet:
        """The rows as filtered. A wrong value filters nothing and is named at its field."""
        return self.scoped() if self.filterset is None else self.filterset.qs

    @cached_property
    def sort(self) -> str:
        return self.request.GET.get(SORT, "")

    @cached_property
    def columns(self) -> list[Column]:
        """The columns that the address asks for, as ``?cols=name,kind`` or one by one."""
        return self.table.choose(self._wanted_columns())

    def ordered(self, rows: QuerySet, columns: Sequence[Column] | None = None) -> QuerySet:
        """Rows of this list with what the cells need, in the order that the pages show."""
        prepared = self.table.prepare(rows, columns)
        return pagination.ordered(prepared, self.table.order_by(self.sort))

    def kept(self) -> str:
        """The filters, the order and the columns of the address: what a saved view keeps. Not
        the place, which is each reader's own choice, and not the page."""
        asked = self.request.GET
        names = [*(self.filterset.params if self.filterset else ()), SORT]
        pairs = [(name, value) for name in names for value in asked.getlist(name) if value]
        if self._wanted_columns():
            pairs.append((COLUMNS, ",".join(column.name for column in self.columns)))
        return urlencode(pairs)

    def _wanted_columns(self) -> list[str]:
        known = {column.name for column in self.table.columns}
        return [n for n in ",".join(self.request.GET.getlist(COLUMNS)).split(",") if n in known]

    # -- what can be done from here

    @cached_property
    def page_name(self) -> str:
        """The name of the list's address, by which views are saved and files made; empty for a
        list that hangs on an object (`open_list` could not find it again)."""
        match = self.request.resolver_match
        return match.view_name if match is not None and not match.kwargs else ""

    def bulk_steps(self) -> list[Transition]:
        """The transitions of `bulk` that this person has the right to anywhere."""
        return [s for s in self.declared_steps() if reach_of(self.request.user, s.perm)]

    @classmethod
    def declared_steps(cls) -> list[Transition]:
        """The transitions of `bulk`. Those that need data of each row cannot be among them."""
        steps = [machine_of(cls.model).transitions[name] for name in cls.bulk]
        for step in steps:
            if step.perm is None or _needs_data(step.apply):
                raise ValueError(f"{cls.__name__}: {step.name} cannot be taken with many rows")
        return steps

    def links(self) -> list[tuple[Action, str]]:
        user, request = self.request.user, self.request
        return [(a, a.href(request, self.place_suffix)) for a in self.actions if a.shown_to(user)]

    @staticmethod
    def next_steps(actions: list[tuple[Action, str]]) -> list[tuple[str, str]]:
        """What an empty list offers: its own primary actions."""
        return [(action.label, href) for action, href in actions if action.tone == "primary"]

    @property
    def can_export(self) -> bool:
        """Not while something personal is asked for: the order of the file would keep it."""
        return self.exports and not (self.filterset is not None and self.filterset.is_private)

    # -- the page

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        views = self._views()
        if (opening := self._opening(views)) is not None:
            return HttpResponseRedirect(opening)
        total = self._count()
        paging = pagination.paginate(
            self.table.prepare(self.filtered(), self.columns),
            self.table.order_by(self.sort),
            after=request.GET.get("after", ""),
            before=request.GET.get("before", ""),
            total=total,
            counted=self.filterset.counted if self.filterset else None,
        )
        steps = self.bulk_steps() if self.page_name else []
        bound = self.table.bind(
            self.model,
            paging.rows,
            caption=self.title,
            sort=self.sort,
            suffix=self.place_suffix,
            columns=self.columns,
            anchors=True,
            picks=bool(steps),
        )
        return self.page(
            table=bound,
            paging=paging,
            filterset=self.filterset,
            counted=total is not None,
            actions=self.links(),
            steps=steps,
            views=views,
            current=next((v for v in views if str(v.pk) == request.GET.get(VIEW)), None),
            kept=self.kept(),
            fragment=bool(self.wanted_block()),
        )

    def hidden(self) -> list[tuple[str, str]]:
        """What the form of the filters hands on of the address beside the filters themselves."""
        asked = self.request.GET
        names = (places.PARAM, SORT, COLUMNS, VIEW, COUNTS)
        return [(name, value) for name in names for value in asked.getlist(name) if value]

    def address_of(self, view: SavedView) -> str:
        """The list as `view` has it, at the place that is chosen now."""
        return places.address_at(view.get_absolute_url(), self.place)

    def _views(self) -> Sequence[SavedView]:
        if not self.page_name:
            return ()
        return menu_of(self.request.user, self.page_name, self.request.GET.get(VIEW, ""))

    def _opening(self, views: Sequence[SavedView]) -> str | None:
        """Where an address without any wish leads: to the view that this person opens with. Once
        a wish is in the address, be it ``?view=0`` for the whole list, it stands."""
        request = self.request
        if request.htmx or set(request.GET) - {places.PARAM}:
            return None
        view = next((v for v in views if v.is_default), None)
        return self.address_of(view) if view else None

    def _count(self) -> int | None:
        """How many rows there are, if the filters' numbers tell."""
        if self.filterset is None:
            return None
        asked = self.request.GET.get(COUNTS) == "1"
        return self.filterset.count(ALL_COUNTED if asked else COUNT_LIMIT)


class OfListView(ConsoleView):
    """A page about a list at one of its addresses: ``<str:page>`` names the list, the query is
    the list's own with what this page adds (`added`)."""

    added: Sequence[str] = ()

    def check_right(self) -> None:
        """404 for what is no list, 403 without the right to it."""
        self.list = open_list(self.kwargs["page"], user=self.request.user, query=self.request.GET)

    def query(self) -> str:
        """The list's own part of the address's query."""
        asked = self.request.GET.copy()
        for name in self.added:
            asked.pop(name, None)
        return asked.urlencode()

    def list_address(self) -> str:
        query = self.query()
        return self.list.request.path + (f"?{query}" if query else "")

    def crumbs(self) -> list[tuple[str, str]]:
        return [(self.list.title, self.list_address())]


def open_list(name: str, *, user: Any, query: QueryDict) -> ListView:
    """The list at the address of this name as `user` would see it with `query`: what exports,
    deeds with many rows and saved views go by. 404 when there is no such list, 403 without the
    right to it."""
    try:
        path = reverse(name)
    except NoReverseMatch:
        raise Http404(f"no list {name!r}") from None
    match = resolve(path)
    found = getattr(match.func, "view_class", None)
    if found is None or not issubclass(found, ListView):
        raise Http404(f"{name!r} is no list")
    request = HttpRequest()
    request.method, request.path, request.user, request.GET = "GET", path, user, query
    request.resolver_match = match
    view = found(**match.func.view_initkwargs)
    view.setup(request)
    view.check_right()
    return view


@cache
def _needs_data(apply: Callable[..., Any] | None) -> bool:
    """Whether what a transition writes is not complete without a form of its own."""
    if apply is None:
        return False
    given = list(signature(apply).parameters.values())[2:]
    return any(p.default is Parameter.empty for p in given if p.name != "reason")
