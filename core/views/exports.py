"""Export as a page: what will be in the file, in which format, and the job that makes it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.urls import reverse

from core.errors import Refused
from core.exports import FORMATS, Asked, Exporter, order_export
from core.views.base import ConsoleView

FORMAT = "format"


class ExportView(ConsoleView):
    """`path("units/export/", ExportView.as_view(exporter=UnitRegister, list_url="orgs:units"),
    name="units-export")`

    The address carries the list's own parameters (`Action(…, keep_query=True)`): the file holds
    what the list showed. An exporter's own form stands on the page.
    """

    exporter: type[Exporter] = Exporter  # given to `as_view`
    list_url = ""
    template = "console/export.html"

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.what = self.exporter()
        self.perm = self.exporter.perm
        self.title = f"导出{self.exporter.title}"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        own = self.what.form
        bound = own is not None and any(name in request.GET for name in own.base_fields)
        query = request.GET
        if own is not None and not bound:  # the page is only being opened: nothing is wrong yet
            return self.show(own(user=request.user), None)
        try:
            asked = self.what.read(query, request.user)
        except Refused as error:
            return self.show(own(query, user=request.user) if own else None, None, error.message)
        return self.show(own(query, user=request.user) if own else None, asked)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        query = self._query()
        own = self.what.form
        try:
            asked = self.what.read(query, request.user)
        except Refused as error:
            form = own(query, user=request.user) if own else None
            return self.show(form, None, error.message, status=422)
        suffix = request.POST.get(FORMAT, "xlsx")
        job = order_export(
            self.what, by=request.user, asked=asked, suffix=suffix if suffix in FORMATS else "xlsx"
        )
        return HttpResponseRedirect(job.get_absolute_url())

    def show(
        self, form: forms.Form | None, asked: Asked | None, error: str = "", status: int = 200
    ) -> HttpResponse:
        rows = self._count(asked) if asked is not None else None
        return self.page(
            status,
            subject=self.what.title,
            form=form,
            error=error,
            rows=rows,
            chips=asked.filterset.chips if asked is not None and asked.filterset else [],
            columns=(),
            formats=FORMATS.items(),
            format_name=FORMAT,
        )

    def _count(self, asked: Asked) -> int | None:
        """How many rows there will be, where a queryset says so at once."""
        if type(self.what).rows is not Exporter.rows:
            return None
        found: QuerySet = self.what.queryset(self.request.user, asked)
        return found.order_by().count()

    def _query(self) -> QueryDict:
        """The list's parameters of the address, and what the page's own form asked for."""
        query = self.request.GET.copy()
        for name in self.what.form.base_fields if self.what.form else ():
            query.setlist(name, self.request.POST.getlist(name))
        return query

    def crumbs(self) -> list[tuple[str, str]]:
        if not self.list_url:
            return []
        query = self.request.GET.urlencode()  # back to the list as it was left
        return [(self.exporter.title, reverse(self.list_url) + (f"?{query}" if query else ""))]
