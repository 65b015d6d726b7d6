"""Ledgers and lists out of the platform: an exporter declares, one streaming writer serves all.

::

    @exporter
    class UnitList(Exporter):
        identifier, title, perm = "units", "驻区单位名册", "units.view"
        model, filters = Unit, UnitFilter
        columns = (
            Serial(),
            Col("单位名称", "name", key=True),
            Col("统一社会信用代码", "credit_code", kind=Kind.CODE),
            Col("单位类别", "kind", show=dict(UnitKind.choices)),
            Col("所在社区", "community__name"),
        )

Exporters stand in each app's `sheets.py` and are found at start-up. Whoever runs one (a page's
job, the command `export_ledger`) passes the same gate: the rows are those that the person sees
with `perm`, at the chosen place, as filtered.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import django_filters
from django import forms
from django.db import connection, transaction
from django.db.models import Model, QuerySet
from django.http import QueryDict
from django.utils import timezone

from core import audit, places
from core.errors import Refused
from core.files import clean_name
from core.jobs import AlreadyRunning, Run, job_kind, submit
from core.models import Job
from core.scope import require
from core.sheets import layout
from core.sheets.layout import Kind, Layout
from core.sheets.resources import SheetResource
from core.sheets.writing import write_table
from core.tables import Table

EXPORTERS: dict[str, type[Exporter]] = {}
FORMATS = {"xlsx": "Excel 工作簿（.xlsx）", "csv": "CSV（.csv）"}
_CHUNK = 2000  # rows fetched at a time


@dataclass(frozen=True)
class Col(layout.Column):
    """A column and where its values come from.

    source: a path or an annotation as `values_list` takes it, or several, handed to `show`.
    show: a mapping (what is not in it stays as it is) or a function of the value(s).
    """

    source: str | tuple[str, ...] = ""
    show: Mapping[Any, Any] | Callable[..., Any] | None = None

    def __init__(
        self,
        title: str,
        source: str | tuple[str, ...] = "",
        show: Mapping[Any, Any] | Callable[..., Any] | None = None,
        **look: Any,
    ) -> None:
        super().__init__(title, **look)
        object.__setattr__(self, "source", source)
        object.__setattr__(self, "show", show)

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.source,) if isinstance(self.source, str) else self.source

    def cells(self, found: Sequence[Sequence[Any]]) -> Iterable[Any]:
        """The cells of some rows, for the values of each of `sources`."""
        if self.show is None:
            return found[0]
        if isinstance(self.show, Mapping):
            return map(self.show.get, found[0], found[0])
        return map(self.show, *found)


@dataclass(frozen=True)
class Serial(Col):
    """序号: counts the rows from 1."""

    def __init__(self, title: str = "序号", **look: Any) -> None:
        super().__init__(title, (), **{"kind": Kind.NUMBER, "width": 6, **look})


def columns_of(resource: type[SheetResource], **sources: str) -> list[Col]:
    """The columns of an import table, so that what is exported can be imported again. `sources`
    names paths that differ from the attribute, e.g. ``area="area__code"``."""
    return [
        Col(
            c.header,
            sources.get(c.attribute, c.attribute),
            None if c.attribute in sources else c.widget.render,
            kind=c.widget.kind,
            group=c.group,
            key=c.key,
        )
        for c in resource().columns
    ]


@dataclass
class Asked:
    """What is to be exported, from an address's parameters: the chosen place, the list's filters,
    the exporter's own form. `query` is what it was read from, to be handed on."""

    query: QueryDict
    place: Any = None
    values: dict[str, Any] = field(default_factory=dict)
    filterset: Any = None

    def __getitem__(self, name: str) -> Any:
        return self.values.get(name)


class Exporter:
    """The base of all exports. See the module for a declaration.

    form: parameters of its own, e.g. the period; a Django form that takes `user`.
    filters, table: those of the list that it exports, so that the file holds what the page shows,
        in its order.
    """

    identifier: ClassVar[str] = ""
    title: ClassVar[str] = ""
    perm: ClassVar[str] = ""
    model: ClassVar[type[Model]]
    form: ClassVar[type[forms.Form] | None] = None
    filters: ClassVar[type[django_filters.FilterSet] | None] = None
    table: ClassVar[type[Table] | None] = None
    columns: Sequence[Col] = ()

    # -- what a subclass may say

    def queryset(self, user: Any, asked: Asked) -> QuerySet:
        """The rows: within the person's reach, at the place, as filtered. Extend it to annotate,
        narrow and order; never start from elsewhere than `super()`."""
        rows = self.model._default_manager.all().visible_to(user, self.perm)
        if asked.place is not None:
            rows = rows.at(asked.place)
        if asked.filterset is not None:
            rows = asked.filterset.filter_queryset(rows)
        if self.table is not None:
            rows = rows.order_by(*self.table.order_by(asked.query.get("sort", "")))
        return rows

    def get_columns(self, user: Any, asked: Asked) -> Sequence[Col]:
        """The columns, where they depend on what is asked (the indicators of a scheme)."""
        return self.columns

    def rows(
        self, user: Any, asked: Asked, columns: Sequence[Col]
    ) -> tuple[int, Iterable[Sequence[Any]]]:
        """How many rows there are, and the rows. Override for what no queryset gives."""
        found = self.queryset(user, asked)
        return found.order_by().count(), _cells(found, columns)

    def heading(self, user: Any, asked: Asked) -> tuple[str, str]:
        """The title line and the line below it."""
        where = asked.place.name if asked.place is not None else ""
        period = _label(asked["period"])
        said = [f"统计期：{period}"] if period else []
        if asked.filterset is not None:
            said += [f"{chip.label}：{chip.value}" for chip in asked.filterset.chips]
        return f"{where}{self.title}", "　　".join(said)

    def foot(self, user: Any, asked: Asked) -> list[str]:
        """Who made it out of what, and room for the one who checks it."""
        period = _label(asked["period"])
        return [
            f"填报单位：{_where(user, asked)}",
            *([f"统计期：{period}"] if period else []),
            f"填报人：{user}",
            "审核人：　　　　　",
            f"日期：{timezone.localtime():%Y-%m-%d %H:%M}",
        ]

    # -- what runs it

    def read(self, query: QueryDict | Mapping[str, Any], user: Any) -> Asked:
        """The parameters, checked. Raises `Refused` naming each that is wrong. An unknown place
        and one out of reach answer alike."""
        if not isinstance(query, QueryDict):
            query = _query_of(query)
        asked = Asked(query)
        problems: list[str] = []
        key, source = query.get(places.PARAM, ""), places.source()
        if key and source is not None:
            asked.place = source.find(key, user, perm=self.perm)
            if asked.place is None:
                problems.append("没有这个区域，或不在您的管理范围内。请重新选择区域")
        for form in self._forms(query, user, asked):
            if not form.is_valid():
                problems += [
                    f"{form.fields[name].label if name in form.fields else name}：{said}"
                    for name, messages in form.errors.items()
                    for said in messages
                ]
        if problems:
            raise Refused("；".join(p.rstrip("。") for p in problems) + "。")
        return asked

    def _forms(self, query: QueryDict, user: Any, asked: Asked) -> Iterator[forms.BaseForm]:
        if self.form is not None:
            form = self.form(query, user=user)
            yield form
            asked.values = form.cleaned_data
        if self.filters is not None:
            empty = self.model._default_manager.none()
            asked.filterset = self.filters(query, queryset=empty)
            yield asked.filterset.form

    def layout(self, user: Any, asked: Asked, columns: Sequence[Col]) -> Layout:
        title, subtitle = self.heading(user, asked)
        return Layout(self.title, columns, title, subtitle, self.foot(user, asked))

    def file_name(self, asked: Asked, suffix: str = "xlsx") -> str:
        """Names the place, the period and the day, so that two files are told apart."""
        parts = [
            asked.place.name if asked.place is not None else "",
            asked["period"] or "",
            self.title,
            f"{timezone.localdate():%Y%m%d}",
        ]
        return clean_name("-".join(str(part) for part in parts if part) + f".{suffix}")


def exporter(cls: type[Exporter]) -> type[Exporter]:
    """Class decorator: offer the exporter under its identifier."""
    if not (cls.identifier and cls.title and cls.perm):
        raise ValueError(f"{cls.__name__} lacks identifier, title or perm")
    if EXPORTERS.setdefault(cls.identifier, cls) is not cls:
        raise ValueError(f"two exporters named {cls.identifier}")
    return cls


def export_to(
    path: Path | str,
    what: Exporter,
    *,
    by: Any,
    asked: Asked,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Write the export to `path`, an .xlsx or .csv by its suffix; how many rows.

    403 for those who hold the exporter's right nowhere, if it asks for one. All rows are of one moment. The file
    appears whole or not at all; who took what is on the audit log.
    """
    if what.perm:
        require(by, what.perm)
    with one_moment():
        columns = what.get_columns(by, asked)
        total, rows = what.rows(by, asked, columns)
        if progress is not None:
            rows = _told(rows, total, progress)
        count = write_table(path, what.layout(by, asked, columns), rows)
    with transaction.atomic():
        said = {"export": what.identifier, "query": asked.query.urlencode(), "rows": count}
        audit.record("core.export", by, by=by, after=said)
    return count


@contextlib.contextmanager
def one_moment() -> Iterator[None]:
    """All reads inside see the database as it is now, and its cursor stays on the server.

    PostgreSQL alone, and not inside another transaction. SQLite would keep every writer waiting;
    there each single query is a snapshot of itself.
    """
    if connection.vendor != "postgresql" or connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            # A ledger's many subqueries are compiled for 3 s, and then take as long as before.
            cursor.execute("SET LOCAL jit = off")
        yield


def order_export(what: Exporter, *, by: Any, asked: Asked, suffix: str = "xlsx") -> Job:
    """Have the export made in the background; the job that makes it, which has the file.

    Whoever asks twice for the same is led to the one under way.
    """
    require(by, what.perm)
    query = asked.query.urlencode()
    print_of = hashlib.sha256(f"{what.identifier}?{query}#{suffix}".encode()).hexdigest()[:32]
    try:
        with transaction.atomic():
            return submit(
                "core.export",
                by=by,
                perm=what.perm,
                key=f"{by.pk}-{print_of}",
                title=f"导出{what.heading(by, asked)[0]}",
                exporter=what.identifier,
                query=query,
                suffix=suffix,
            )
    except AlreadyRunning as running:
        return running.job


@job_kind("core.export", queue="sheets", title="导出表格")
def run_export(job: Run, *, exporter: str, query: str, suffix: str) -> None:
    """The export as its own run: the reach, the filters and the rows as they are now."""
    what = EXPORTERS[exporter]()
    asked = what.read(QueryDict(query), job.owner)
    with job.result(what.file_name(asked, suffix)) as path:
        export_to(path, what, by=job.owner, asked=asked, progress=job.progress)


def _cells(found: QuerySet, columns: Sequence[Col]) -> Iterator[Sequence[Any]]:
    paths = list(dict.fromkeys(source for column in columns for source in column.sources))
    places_of = [[paths.index(source) for source in column.sources] for column in columns]
    if not found.ordered:
        found = found.order_by("pk")
    plan = list(zip(columns, places_of, strict=True))
    rows = found.values_list(*paths).iterator(_CHUNK)
    done = 0
    while some := list(islice(rows, _CHUNK)):
        values = list(zip(*some, strict=True))
        numbers = range(done + 1, done + len(some) + 1)
        yield from zip(
            *(
                column.cells([values[place] for place in where]) if where else numbers
                for column, where in plan
            ),
            strict=True,
        )
        done += len(some)


def _told(rows: Iterable, total: int, progress: Callable[[int, int], None]) -> Iterator:
    done = 0
    for done, row in enumerate(rows, start=1):
        if done % 100 == 1:
            progress(done - 1, max(total, done))
        yield row
    progress(done, done)


def _label(period: Any) -> str:
    """A period in words, if it has them (第三季度), else as it is named (2026Q3)."""
    return str(getattr(period, "label", period) or "")


def _where(user: Any, asked: Asked) -> str:
    if asked.place is not None:
        return asked.place.name
    source = places.source()
    return "、".join(place.name for place in source.own(user)) if source else ""


def _query_of(values: Mapping[str, Any]) -> QueryDict:
    query = QueryDict(mutable=True)
    for name, value in values.items():
        many = value if isinstance(value, list | tuple) else [value]
        query.setlist(name, [str(one) for one in many])
    return query
