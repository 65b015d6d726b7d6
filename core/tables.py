"""Tables of the lists, declared by column and rendered fast.

::

    class UnitTable(Table):
        order = "-created_at"
        columns = (
            Column("name", "单位名称", link=True, sort=True),
            Column("kind", "类别", tag={"school": "info"}),
            Column("area__name", "所在地", sort=True),
            Column("member_count", "党员数", number=True),
            Column("due_on", "办理时限", due=True, sort=True),
            Column("phone", "联系电话", render=lambda unit: masked_phone(unit.phone)),
        )

A cell is a string built by one plain function chosen when the table is bound, not by a macro a
cell: a page of 50 rows is what a list costs (docs/views.md has the figures).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape, unescape
from operator import attrgetter
from typing import Any, NamedTuple

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Choices, Model, QuerySet
from django.urls import reverse
from markupsafe import Markup

from core import formats

_EMPTY = '<span class="none">—</span>'
_BLANK = (None, "")
_TAGS = re.compile(r"<[^>]*>")
_ANY_ID = 987654321  # stands for a row's id while an address is resolved


def _html(value: Any) -> str:
    """Escaped, unless it already is markup. Plain strings: half of what `Markup` objects cost."""
    if hasattr(value, "__html__"):
        return value.__html__()
    return escape(str(value))


@dataclass(frozen=True)
class Column:
    """One column.

    name: path of the value from the row, e.g. ``"area__name"``; choices show their label.
    link: the cell leads to the row's page. Its name, e.g. ``"orgs:unit"``, is resolved once a
        table and taken with each row's id; True asks each row's `get_absolute_url` (dearer).
    tag: shown as a tag; True, a mapping from value to tone (neutral info ok warn bad), or the
        choices themselves when their members have a `tone`.
    number, date, time: right-aligned thousands; 2026-11-21; 2026-11-21 14:05.
    due: a deadline in words, with the day. `ended` says of a row that it runs no longer: the
        day alone shows, and nobody is late any more.
    render: called with the row; the text of the cell (escaped unless it is Markup).
    sort: True to sort by `name`, or the path(s) to sort by.
    minor: left out on narrow screens, unless a person chose it.
    spare: left out until a person chooses it.
    step: the cell offers what one can do with the row; a file of the list leaves it out.
    """

    name: str
    label: str
    link: bool | str = False
    tag: bool | Mapping[str, str] | type[Choices] = False
    number: bool = False
    date: bool = False
    time: bool = False
    due: bool = False
    ended: Callable[[Any], bool] | None = None
    render: Callable[[Any], Any] | None = None
    sort: bool | str | Sequence[str] = False
    minor: bool = False
    spare: bool = False
    step: bool = False

    @property
    def paths(self) -> list[str]:
        """What to order by, ascending; empty when the column does not sort."""
        if not self.sort:
            return []
        if self.sort is True:
            return [self.name]
        return [self.sort] if isinstance(self.sort, str) else list(self.sort)

    @property
    def css(self) -> str:
        kind = next((k for k in ("number", "date", "time", "due") if getattr(self, k)), "")
        return " ".join(c for c in (f"is-{kind}" if kind else "", "is-minor" * self.minor) if c)


class Head(NamedTuple):
    """A column's head: `sort` is what a click orders by, `state` as aria-sort has it."""

    label: str
    css: str
    sort: str | None
    state: str | None


@dataclass(frozen=True)
class BoundTable:
    """A table with its rows, ready for the template. `picks`: a box to tick leads each row."""

    heads: list[Head]
    rows: list[Markup]
    caption: str
    order: list[str] = field(default_factory=list)
    picks: bool = False


class Table:
    """Subclass with `columns`, and `order` when the newest first (``-pk``) is not wanted.

    known_by: names of the columns that tell a row from another of the same name, where rows stand by
        name alone: what is done with many of them, and its report.
    reads: columns of the row that cells read beside those they are named after. A table that says so
        (be it that there are none) has its rows fetched with those alone; another with all they hold.
    """

    columns: Sequence[Column] = ()
    order: str = "-pk"
    reads: Sequence[str] | None = None
    known_by: Sequence[str] = ()

    @classmethod
    def telling(cls, model: type[Model]) -> dict[str, Callable[[Any], str]]:
        """What `known_by` says of a row, by the columns' labels."""
        by_name = {column.name: column for column in cls.columns}
        return {by_name[n].label: words(by_name[n], model) for n in cls.known_by}

    @classmethod
    def order_by(cls, wanted: str) -> list[str]:
        """The order that an address asks for with ``?sort=name`` or ``-name``, if it is declared;
        else the table's own."""
        name = wanted.removeprefix("-")
        for column in cls.columns:
            if wanted and column.name == name and column.paths:
                sign = "-" if wanted.startswith("-") else ""
                return [f"{sign}{path}" for path in column.paths]
        return [cls.order]

    @classmethod
    def choose(cls, names: Sequence[str]) -> list[Column]:
        """The columns of these names in the table's own order, the first of all always among
        them: it leads to the row. Without a known name, those that are there from the start."""
        wanted = {column.name for column in cls.columns} & set(names)
        if not wanted:
            return [column for column in cls.columns if not column.spare]
        wanted.add(cls.columns[0].name)
        # Who chose a column wants to see it, on a narrow screen too.
        return [replace(c, minor=False) for c in cls.columns if c.name in wanted]

    @classmethod
    def related(cls, model: type[Model], columns: Sequence[Column] | None = None) -> list[str]:
        """Forward relations that the columns read, for `select_related`."""
        found = set()
        for column in cls.columns if columns is None else columns:
            head, _, rest = column.name.rpartition("__")
            if rest and head:
                found.add(head)
            elif _is_relation(model, column.name):
                found.add(column.name)
        return sorted(found)

    @classmethod
    def prepare(cls, queryset: QuerySet, columns: Sequence[Column] | None = None) -> QuerySet:
        """The queryset with what its cells need, in the same query."""
        related = cls.related(queryset.model, columns)
        found = queryset.select_related(*related) if related else queryset
        if cls.reads is None:
            return found
        # All that may be shown, for the order may be by one that is not.
        return found.only(*(c.name for c in cls.columns), *cls.reads, *related)

    @classmethod
    def dress(cls, rows: Sequence[Model]) -> None:
        """Give the rows what their cells need beside the query: one look for all of them."""

    @classmethod
    def bind(
        cls,
        model: type[Model],
        rows: Sequence[Model],
        *,
        caption: str = "",
        sort: str | None = None,
        suffix: str = "",
        columns: Sequence[Column] | None = None,
        anchors: bool = False,
        picks: bool = False,
    ) -> BoundTable:
        """Render the rows. `suffix` is appended to each row's link (the chosen place). `anchors`:
        each row has an id to come back to (``row-7``); for the one list of a page. `sort`: what its
        address asks for, so that the heads offer other orders; without it the rows stand in the
        order they are given in, as they do on a detail page, which reads no order."""
        cls.dress(rows)
        shown = [c for c in cls.columns if not c.spare] if columns is None else columns
        cells = [(_opening(c), _cell(c, model, suffix)) for c in shown]
        opening_of = _row_opening(_text(shown[0], model), anchors=anchors, picks=picks)
        order = [] if sort is None else cls.order_by(sort)
        return BoundTable(
            heads=[_head(c, order) for c in shown],
            rows=[
                Markup(  # noqa: S704  (cells are escaped one by one)
                    opening_of(row)
                    + "".join([f"{opening}{cell(row)}</td>" for opening, cell in cells])
                    + "</tr>"
                )
                for row in rows
            ],
            caption=caption,
            order=order,
            picks=picks,
        )


def plain(html: str) -> str:
    """The words of a cell, without its tags; nothing for an empty one."""
    return "" if html == _EMPTY else unescape(_TAGS.sub("", html))


def words(column: Column, model: type[Model]) -> Callable[[Any], str]:
    """A function from a row to what its cell says, as text."""
    text = _text(column, model)
    return lambda row: plain(text(row))


def reader(column: Column) -> Callable[[Any], Any]:
    """A function from a row to the value behind its cell."""
    return _reader(column.name)


def tag(text: Any, tone: str = "neutral") -> Markup:
    """A tag as the tables show it; the template component is `ui.tag`."""
    return Markup(_tag(text, tone))  # noqa: S704  (escaped there)


def due(value: Any, *, ended: bool = False) -> Markup:
    """A deadline in words with its day: the template filter `due`; `ended`: the day alone."""
    return Markup(_due(value, ended=ended))  # noqa: S704  (escaped there)


def _tag(text: Any, tone: str) -> str:
    return f'<span class="tag is-{escape(tone)}">{_html(text)}</span>'


def _due(value: Any, *, ended: bool = False) -> str:
    found = formats.deadline(value)
    if found is None:
        return _EMPTY
    if ended:
        return f'<span class="due">{found.day}</span>'
    return f'<span class="due is-{found.tone}">{found.text}</span> <small>{found.day}</small>'


def _deadlines(read: Callable[[Any], Any], ended: Callable[[Any], bool]) -> Callable[[Any], str]:
    """Many rows of a page share a day, and what is said of it."""
    said: dict[tuple, str] = {}

    def cell(row: Any) -> str:
        key = read(row), ended(row)
        if key not in said:
            said[key] = _due(key[0], ended=key[1])
        return said[key]

    return cell


def _head(column: Column, order: list[str]) -> Head:
    paths = column.paths
    if not paths or not order:
        return Head(column.label, column.css, None, None)
    if order == paths:
        return Head(column.label, column.css, f"-{column.name}", "ascending")
    if order == [f"-{p}" for p in paths]:
        return Head(column.label, column.css, column.name, "descending")
    return Head(column.label, column.css, column.name, "none")


def _row_opening(name: Callable[[Any], str], *, anchors: bool, picks: bool) -> Callable[[Any], str]:
    """The function that begins a row; `name` is what its first cell says."""
    if not anchors and not picks:
        return lambda row: "<tr>"
    if not picks:
        return lambda row: f'<tr id="row-{row.pk}">'
    return lambda row: (
        f'<tr id="row-{row.pk}"><td class="is-pick"><input type="checkbox" name="row"'
        f' value="{row.pk}" aria-label="选择 {escape(plain(name(row)))}"></td>'
    )


def _opening(column: Column) -> str:
    css = f' class="{column.css}"' if column.css else ""
    return f'<td{css} data-label="{escape(column.label)}">'


def _cell(column: Column, model: type[Model], suffix: str) -> Callable[[Any], str]:
    """The function that makes the inside of one column's cells."""
    text = _text(column, model)
    if not column.link:
        return text
    tail = escape(suffix)
    if column.link is True:
        return lambda row: f'<a href="{escape(row.get_absolute_url())}{tail}">{text(row)}</a>'
    before, _, after = escape(reverse(column.link, args=[_ANY_ID])).rpartition(str(_ANY_ID))
    return lambda row: f'<a href="{before}{row.pk}{after}{tail}">{text(row)}</a>'


def _text(column: Column, model: type[Model]) -> Callable[[Any], str]:
    if column.render:
        render = column.render
        return lambda row: _EMPTY if (v := render(row)) in _BLANK else _html(v)
    read = _reader(column.name)
    labels = _labels(model, column.name)
    if column.tag:
        tones = _tones(column.tag)
        return lambda row: (
            _EMPTY
            if (v := read(row)) in _BLANK
            else _tag(labels.get(v, v), tones.get(v, "neutral"))
        )
    if column.due:
        return _deadlines(read, column.ended or (lambda row: False))
    write = _writer(column)
    if write:
        return lambda row: _EMPTY if (v := read(row)) is None else write(v)
    if labels:
        return lambda row: _EMPTY if (v := read(row)) in _BLANK else _html(labels.get(v, v))
    return lambda row: _EMPTY if (v := read(row)) in _BLANK else _html(v)


def _tones(given: bool | Mapping[str, str] | type[Choices]) -> Mapping[str, str]:
    if isinstance(given, type):
        return {choice.value: choice.tone for choice in given}
    return given if isinstance(given, Mapping) else {}


def _writer(column: Column) -> Callable[[Any], str] | None:
    if column.number:
        return formats.number
    if column.date:
        return formats.day
    return formats.moment if column.time else None


def _reader(name: str) -> Callable[[Any], Any]:
    get = attrgetter(name.replace("__", "."))
    if "__" not in name:
        return get

    def through_links(row: Any) -> Any:
        try:
            return get(row)
        except AttributeError:  # an empty link on the way
            return None

    return through_links


def _field(model: type[Model], name: str):
    found = None
    for part in name.split("__"):
        try:
            found = model._meta.get_field(part)
        except FieldDoesNotExist:
            return None
        model = found.related_model or model
    return found


def _labels(model: type[Model], name: str) -> dict[Any, str]:
    found = _field(model, name)
    return dict(getattr(found, "flatchoices", ()) or ())


def _is_relation(model: type[Model], name: str) -> bool:
    found = _field(model, name)
    return bool(found and (found.many_to_one or found.one_to_one) and found.concrete)
