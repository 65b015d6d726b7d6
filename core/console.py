"""What an app puts into the console's shell: each app's `console.py` is found at start-up.

::

    menu("驻区单位", "orgs:units", perm="units.view", order=20, icon="building", key="u")
    waiting("待审核", perm="services.review", rows=pending_items, due="due_on")
    awaited("差评待整改", perm="services.accept", rows=with_others, due="due_on", holder=provider)
    start("认领事项", "services:offers", perm="services.claim", icon="handshake")
    figure("发布事项", levels=COMMUNITY, perm="services.view", rows=own_items, on="published_at", …)
    searchable("驻区单位", perm="units.view", find=units_like, note=where)
    topbar("收件箱", "core:inbox", icon="bell", count=unread)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from core.scope import reach_of


@dataclass(frozen=True)
class MenuItem:
    """One line of the side menu. `perm`: shown to those who hold it anywhere; None: to all.
    `key`: the letter that leads there after `g`."""

    label: str
    url_name: str
    perm: str | None
    order: int
    icon: str
    group: str
    key: str = ""

    def shown_to(self, user: Any) -> bool:
        return self.perm is None or bool(reach_of(user, self.perm))


@dataclass(frozen=True)
class Waiting:
    """One kind of work on the workbench.

    perm: who may do it; others are not asked.
    rows: called with the user; a queryset already scoped to what this user is to do. When its
        model is placed, the workbench narrows it to the chosen place.
    due: the date or datetime field by which the work is due, if it has one.
    title: text of a row (default: `str(obj)`); `url`: its page (default: `get_absolute_url`).
    """

    label: str
    perm: str
    rows: Callable[[Any], QuerySet]
    due: str | None = None
    title: Callable[[Any], str] = str
    url: Callable[[Any], str] | None = None
    order: int = 100


@dataclass(frozen=True)
class Awaited:
    """One kind of what those above wait for, while it lies with somebody else below.

    perm: who answers for it upwards.
    rows: called with the user; a queryset of what lies within this user's reach and that others
        have to do next. What the user may do themself belongs to `waiting`.
    holder: called with a row; with whom it lies, in words.
    due, title, url: as for `Waiting`.
    """

    label: str
    perm: str
    rows: Callable[[Any], QuerySet]
    holder: Callable[[Any], str]
    due: str | None = None
    title: Callable[[Any], str] = str
    url: Callable[[Any], str] | None = None
    order: int = 100


# The levels of the tree and beside them the member units, the widest first.
LEVELS = ("city", "district", "street", "community", "grid", "unit")
DEPARTMENT, STREET, COMMUNITY, UNIT = (
    ("city", "district"),
    ("street",),
    ("community", "grid"),
    ("unit",),
)


@dataclass(frozen=True)
class Start:
    """What people come to begin, one click from the workbench. `perm`: shown to those who hold it
    anywhere."""

    label: str
    url_name: str
    perm: str
    icon: str
    tone: str

    def shown_to(self, user: Any) -> bool:
        return bool(reach_of(user, self.perm))


@dataclass(frozen=True)
class Figure:
    """A number that matters at some levels: this quarter beside the same days of the last.

    levels: for whom it is. `perm`: what shows the rows; by it the user's own level is found.
    rows: called with the user: the rows of the list behind it, already scoped.
    on: the date or datetime that says in which quarter a row falls.
    share: None counts the rows. Otherwise called with a moment: the condition, as it stood
        then, under which a row counts; the figure is their per cent of the rows.
    page, query, span: the list behind it, the filters that give the same rows, and the name of
        its `DayRange` over `on`.
    """

    label: str
    levels: tuple[str, ...]
    perm: str
    rows: Callable[[Any], QuerySet]
    on: str
    page: str
    span: str
    unit: str = ""
    share: Callable[[datetime], Q] | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    order: int = 100


@dataclass(frozen=True)
class Searchable:
    """What the one search box finds of an app.

    perm: who is shown it at all.
    find: called with the text and the user: a scoped queryset, the exact code or number first.
        The search takes a handful of its rows; nobody learns how many more there are.
    title, url: as for `Waiting`. `note`: what tells one from another of the same name.
    """

    label: str
    perm: str
    find: Callable[[str, Any], QuerySet]
    title: Callable[[Any], str] = str
    url: Callable[[Any], str] | None = None
    note: Callable[[Any], str] = lambda found: ""
    order: int = 100


@dataclass(frozen=True)
class TopbarItem:
    """An icon of the top bar with a number: `count` is called with the user, one query."""

    label: str
    url_name: str
    icon: str
    count: Callable[[Any], int]


MENU: list[MenuItem] = []
WAITING: list[Waiting] = []
AWAITED: list[Awaited] = []
STARTS: list[Start] = []
FIGURES: list[Figure] = []
SEARCHABLE: list[Searchable] = []
TOPBAR: list[TopbarItem] = []


def menu(
    label: str,
    url_name: str,
    *,
    perm: str | None = None,
    order: int = 100,
    icon: str = "list",
    group: str = "",
    key: str = "",
) -> None:
    """Add a line to the side menu; lines of one `group` stand together under its name."""
    if key and any(item.key == key for item in MENU):
        raise ValueError(f"two lines of the menu have the key {key!r}")
    MENU.append(MenuItem(label, url_name, perm, order, icon, group, key))
    MENU.sort(key=lambda item: item.order)


def waiting(label: str, **spec: Any) -> None:
    """Add a kind of work to the workbench (see `Waiting`)."""
    WAITING.append(Waiting(label, **spec))
    WAITING.sort(key=lambda kind: kind.order)


def awaited(label: str, **spec: Any) -> None:
    """Add a kind of what those above wait for (see `Awaited`)."""
    AWAITED.append(Awaited(label, **spec))
    AWAITED.sort(key=lambda kind: kind.order)


def start(label: str, url_name: str, *, perm: str, icon: str = "", tone: str = "default") -> None:
    """Put a button that begins something on the workbench (see `Start`)."""
    STARTS.append(Start(label, url_name, perm, icon, tone))


def figure(label: str, **spec: Any) -> None:
    """Add a number to the workbench of some levels (see `Figure`)."""
    FIGURES.append(Figure(label, **spec))
    FIGURES.sort(key=lambda one: one.order)


def searchable(label: str, **spec: Any) -> None:
    """Add what the search finds (see `Searchable`)."""
    SEARCHABLE.append(Searchable(label, **spec))
    SEARCHABLE.sort(key=lambda kind: kind.order)


def topbar(label: str, url_name: str, *, icon: str, count: Callable[[Any], int]) -> None:
    """Add an icon with a number to the top bar (see `TopbarItem`)."""
    TOPBAR.append(TopbarItem(label, url_name, icon, count))
