"""What an app puts into the console's shell: each app's `console.py` is found at start-up.

::

    menu("驻区单位", "orgs:units", perm="units.view", order=20, icon="building")
    waiting("待审核", perm="services.review", rows=pending_items, due="due_on")
    topbar("收件箱", "core:inbox", icon="bell", count=unread)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from core.scope import reach_of


@dataclass(frozen=True)
class MenuItem:
    """One line of the side menu. `perm`: shown to those who hold it anywhere; None: to all."""

    label: str
    url_name: str
    perm: str | None
    order: int
    icon: str
    group: str

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
class TopbarItem:
    """An icon of the top bar with a number: `count` is called with the user, one query."""

    label: str
    url_name: str
    icon: str
    count: Callable[[Any], int]


MENU: list[MenuItem] = []
WAITING: list[Waiting] = []
TOPBAR: list[TopbarItem] = []


def menu(
    label: str,
    url_name: str,
    *,
    perm: str | None = None,
    order: int = 100,
    icon: str = "list",
    group: str = "",
) -> None:
    """Add a line to the side menu; lines of one `group` stand together under its name."""
    MENU.append(MenuItem(label, url_name, perm, order, icon, group))
    MENU.sort(key=lambda item: item.order)


def waiting(label: str, **spec: Any) -> None:
    """Add a kind of work to the workbench (see `Waiting`)."""
    WAITING.append(Waiting(label, **spec))
    WAITING.sort(key=lambda kind: kind.order)


def topbar(label: str, url_name: str, *, icon: str, count: Callable[[Any], int]) -> None:
    """Add an icon with a number to the top bar (see `TopbarItem`)."""
    TOPBAR.append(TopbarItem(label, url_name, icon, count))
