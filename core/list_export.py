"""A list as it is shown, as a file: its filters, its place, its order, its columns.

No list declares anything for it: the run opens the list's own page class for the person who
asked (`open_list`), so that the file cannot hold what the page would not show.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, QueryDict
from django.utils import timezone

from core import tables
from core.errors import Refused
from core.exports import Asked, Col, Exporter, export_to
from core.jobs import AlreadyRunning, Run, job_kind, submit
from core.models import Job
from core.sheets.layout import Kind
from core.views.lists import ListView, open_list

_CHUNK = 500  # rows fetched at a time


class ListSheet(Exporter):
    """The exporter of one list as one person sees it at one address."""

    def __init__(self, view: ListView) -> None:
        self.view = view
        self.identifier = view.page_name
        self.title = view.title
        self.perm = view.perm or ""
        self.asked = Asked(view.request.GET, place=view.place, filterset=view.filterset)
        self.columns = [column for column in view.columns if not column.step]

    def get_columns(self, user: Any, asked: Asked) -> Sequence[Col]:
        shown = self.columns
        return [Col(c.label, kind=_kind(c), key=c is shown[0]) for c in shown]

    def rows(
        self, user: Any, asked: Asked, columns: Sequence[Col]
    ) -> tuple[int, Iterable[Sequence[Any]]]:
        return self.count(), self._lines()

    def count(self) -> int:
        return self.view.filtered().order_by().count()

    def _lines(self) -> Iterator[list[Any]]:
        view = self.view
        cells = [_cell(column, view.model) for column in self.columns]
        for chunk in _chunks(view.ordered(view.filtered(), self.columns).iterator(_CHUNK)):
            view.table.dress(chunk)
            for row in chunk:
                yield [cell(row) for cell in cells]


def order_list_export(view: ListView, *, by: Any, suffix: str) -> Job:
    """Have the list made into a file in the background; whoever asks twice for the same is led
    to the one under way."""
    sheet = ListSheet(view)
    query = view.request.GET.urlencode()
    print_of = hashlib.sha256(f"{view.page_name}?{query}#{suffix}".encode()).hexdigest()[:32]
    try:
        return submit(
            "core.list_export",
            by=by,
            perm=sheet.perm,
            key=f"{by.pk}-{print_of}",
            title=f"导出{sheet.heading(by, sheet.asked)[0]}",
            page=view.page_name,
            query=query,
            suffix=suffix,
        )
    except AlreadyRunning as running:
        return running.job


@job_kind("core.list_export", queue="sheets", title="导出列表")
def run_list_export(job: Run, *, page: str, query: str, suffix: str) -> None:
    """The list as its own run: the reach, the filters and the rows as they are now."""
    try:
        view = open_list(page, user=job.owner, query=QueryDict(query))
        sheet = ListSheet(view)
    except Http404:
        raise Refused("这个列表或所选区域已不在您的管理范围内，没有导出。") from None
    except PermissionDenied:
        raise Refused("您已没有查看这个列表的权限，没有导出。") from None
    with job.result(sheet.file_name(sheet.asked, suffix)) as path:
        export_to(path, sheet, by=job.owner, asked=sheet.asked, progress=job.progress)


def _kind(column: tables.Column) -> Kind:
    if column.render:
        return Kind.TEXT
    if column.number:
        return Kind.NUMBER
    if column.date or column.due:
        return Kind.DATE
    return Kind.MOMENT if column.time else Kind.TEXT


def _cell(column: tables.Column, model: type[Model]) -> Callable[[Model], Any]:
    """Figures and days as such, all else in the words of the page."""
    kind = _kind(column)
    if kind is Kind.TEXT:
        return tables.words(column, model)
    read = tables.reader(column)
    return (lambda row: _day(read(row))) if kind is Kind.DATE else read


def _day(value: Any) -> Any:
    return timezone.localdate(value) if isinstance(value, datetime) else value


def _chunks(rows: Iterable[Model]) -> Iterator[list[Model]]:
    found: list[Model] = []
    for row in rows:
        found.append(row)
        if len(found) == _CHUNK:
            yield found
            found = []
    if found:
        yield found
