"""What an address asks for, read from its declaration, and what it is walked with.

One reading for all addresses, and the only one: the scope says who sees the object, the route's
`perm` who may open the page, the transition's `perm` and `within` who may take the step, the
API's `Write` who may write. The right to look is never taken for the right to write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Model
from django.urls import reverse
from django.utils import timezone

from core.attachments import attachable_of, object_of
from core.checks import CHECKS
from core.enums import JobState
from core.models import SheetImport
from core.scope import Scope, may, reach_of
from core.transitions import MACHINES, Transition
from core.views import TransitView
from orgs.enums import AreaKind
from tests.factories.rows import World
from tests.guards.project import Route, routes

# Open to everybody, signed in or not.
OPEN = {
    "health-live": "asked by the container engine",
    "health-ready": "asked by the container engine",
    "metrics": "answers to networks, not to people",
    "api:schema": "names fields and rights, no data",
    "accounts:sign-in": "the way in",
    "accounts:sign-out": "the way out: leads to the sign-in, whoever is shown it",
    "console:theme": "a cookie, also for the sign-in page",
    "console:draft-save": "the form's own token permits it, and outlasts the session on purpose",
}
OPEN_ROOMS = {"portal": "what residents reach without an account"}

# Addresses that no row stands for, and what holds them instead.
ELSEWHERE = {
    "console:draft-drop": "a draft is named by its writer's own token: tests/core/test_drafts.py",
}

_MINE = "shows and changes what is the asker's own"
_OWN_ROWS = "the scope alone decides: one's own rows, whatever one's role"
# Addresses that ask for a sign-in and for no permission, and why.
NO_PERMISSION = {
    "console:home": "what waits for me: each kind is scoped by itself",
    "console:places": "my places: the search is scoped",
    "console:place-options": "divisions are public; without `anywhere` the search is scoped",
    "console:search": "each source is scoped by itself",
    "console:search-options": "each source is scoped by itself",
    "console:keys": _MINE,
    "core:watches": _MINE,
    "core:watch": "whoever sees the object may follow it",
    "core:components": "examples of how pages look, no data",
    "accounts:profile": _MINE,
    "accounts:password": _MINE,
    "accounts:second-factor": _MINE,
    "accounts:enrol": _MINE,
    "accounts:recovery-codes": _MINE,
    "core:inbox-read": _MINE,
    "core:jobs": _OWN_ROWS,
    "core:job": _OWN_ROWS,
    "core:inbox": _OWN_ROWS,
    "core:message": _OWN_ROWS,
    "core:attachment": "whoever sees the object may fetch its files",
    "api:jobs-list": _OWN_ROWS,
    "api:jobs-detail": _OWN_ROWS,
    "api:notifications-list": _OWN_ROWS,
    "api:notifications-detail": _OWN_ROWS,
}

# Addresses whose pk is not of a row of their view's `model`, and of what it is.
ROW_OF = {
    "accounts:user-grant": "accounts.user",
    "services:item-claim": "services.item",
    "reports:evidence": "reports.review",
    "core:attachment": "core.attachment",
    "core:attach": "alliance.agreement",
    "core:watch": "services.item",
}

_LIST = "services:items"  # the list that the addresses of all lists are walked with


def _object(obj: Any) -> dict[str, Any]:
    return {"label": obj._meta.label_lower, "object_id": obj.pk}


# Parts of an address besides the pk, from its object.
PARTS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "reports:evidence": lambda review: {"key": review.scores.first().key},
    "core:attach": _object,
    "core:watch": _object,
    "core:list-export": lambda _: {"page": _LIST},
    "core:list-views": lambda _: {"page": _LIST},
    "core:list-bulk": lambda _: {"page": _LIST, "name": "publish"},
    "console:check": lambda _: {"name": "credit-code"},
}
# What a write has to say to be one at all.
SENT = {
    "grids:grids-import-check": {"step": "check"},
    "orgs:units-import-check": {"step": "check"},
    "members:members-import-check": {"step": "check"},
}


def _done_job(world: World) -> Model:
    """A job whose result was kept and is gone: its page says so, to those who may have it."""
    job = world.make("core.job")
    job.state, job.finished_at, job.result_name = JobState.DONE, timezone.now(), "结果.xlsx"
    job.save()
    return job


# Rows in a state that the address is about.
MADE: dict[str, Callable[[World], Model]] = {"core:job-result": _done_job}


class Right(NamedTuple):
    """A permission that is asked for: over the object (by `within`), or anywhere at all."""

    perm: str
    anywhere: bool = False
    within: Scope | None = None

    def held(self, user: Any, obj: Model | None) -> bool:
        if self.anywhere:
            return bool(reach_of(user, self.perm))
        return may(user, self.perm, obj, self.within)


def _add_attachments(obj: Any) -> Right:
    return Right(attachable_of(type(obj)).add)


def _divide(area: Any) -> Right:
    """Grids and what lies in them are drawn by communities, divisions by streets and above."""
    inner = area.kind in (AreaKind.GRID, AreaKind.BUILDING)
    return Right("orgs.divide" if inner else "orgs.edit")


def _divide_below(area: Any) -> Right:
    inner = area.kind in (AreaKind.COMMUNITY, AreaKind.GRID)
    return Right("orgs.divide" if inner else "orgs.edit")


def _read_result(job: Any) -> Right:
    """What the job was for, not to watch over jobs."""
    return Right(job.perm, anywhere=True)


def _anywhere(perm: str) -> Callable[[Any], Right]:
    return lambda _: Right(perm, anywhere=True)


def _open_its_list(view: Any) -> Right:
    """What a view stands for is read from its list, as its reader sees it."""
    return Right(next(r.perm for r in routes() if r.name == view.page), anywhere=True)


# Rights that hang on the object at hand, which no attribute of the view can name.
BY_OBJECT: dict[str, Callable[[Any], Right]] = {
    "core:attach": _add_attachments,
    "core:detach": _add_attachments,
    "core:job-result": _read_result,
    "core:savedview-update": _open_its_list,
    "core:list-export": _anywhere("services.view"),
    "core:list-views": _anywhere("services.view"),
    "core:list-bulk": _anywhere("services.review"),
    "console:check": _anywhere(CHECKS["credit-code"].perm),
    "orgs:area-below": _divide_below,
    "orgs:area-rename": _divide,
    "orgs:area-move": _divide,
    "orgs:area-retire": _divide,
}

LET_IN, FORBIDDEN, NOT_THERE = "let in", "403", "404"


class Address:
    """One route with an object behind it. `name` is the transition, where the address names one."""

    def __init__(self, route: Route, obj: Model | None = None, name: str = "") -> None:
        self.route, self.obj, self.name = route, obj, name
        self.url = self._url(obj.pk if obj else None)

    def _url(self, pk: Any) -> str:
        parts: dict[str, Any] = {"pk": pk} if self.route.takes_pk else {}
        if self.name:
            parts["name"] = self.name
        elif self.route.params:
            parts |= PARTS[self.route.name](self.obj)
        if "object_id" in parts:
            parts["object_id"] = pk
        return reverse(self.route.name, kwargs=parts)

    @property
    def of_nothing(self) -> str:
        """The same address with an id that no row has."""
        return self._url(UUID(int=7) if isinstance(self.obj.pk, UUID) else 987_654_321)

    @property
    def sent(self) -> dict[str, Any]:
        return SENT.get(self.route.name, {})

    @property
    def step(self) -> Transition | None:
        """The transition that this address takes, of the page or of the API."""
        if self.name:
            return MACHINES[self.route.model._meta.label_lower].transitions[self.name]
        return self.route.step

    @property
    def decider(self) -> Model | None:
        """The object whose scope decides: a file goes by what it is with."""
        return object_of(self.obj) if self.obj and not hasattr(self.obj, "scope") else self.obj

    def rights(self, method: str) -> list[Right]:
        """All that this method asks for, besides seeing the object."""
        route, found = self.route, []
        # Whoever may bring in a table may do so anywhere: each of its rows is asked for.
        wide = self.obj is None or isinstance(self.obj, SheetImport)
        if route.is_api and (write := self._write(method)):
            found.append(Right(write.perm, anywhere=wide))
        if route.perm and not (route.is_api and self.obj is None and method == "post"):
            found.append(Right(route.perm, anywhere=wide))
        if self.step and self.step.perm:
            found.append(Right(self.step.perm, within=self.step.within))
        if route.name in BY_OBJECT:
            found.append(BY_OBJECT[route.name](self.decider))
        return found

    def _write(self, method: str) -> Any:
        """The API's declaration of this write; a step asks for its own right instead."""
        if self.step:
            return None
        return {"post": self.route.view.creates, "patch": self.route.view.updates}.get(method)

    def promised(self, user: Any, method: str) -> str:
        """What the declarations promise this person."""
        decider = self.decider
        if decider is not None and not type(decider).scope.holds(decider, user):
            return NOT_THERE
        if self.step and self.step.perm is None:
            return NOT_THERE  # the system's own step has no page
        held = all(right.held(user, decider) for right in self.rights(method))
        return LET_IN if held else FORBIDDEN


def is_open(route: Route) -> bool:
    return route.name in OPEN or route.name.partition(":")[0] in OPEN_ROOMS


def closed() -> list[Route]:
    """The routes that ask for a sign-in."""
    return [route for route in routes() if not is_open(route) and route.name not in ELSEWHERE]


def is_transit(route: Route) -> bool:
    return isinstance(route.view, type) and issubclass(route.view, TransitView)


def label_of(route: Route) -> str | None:
    """The model whose row an address is about; None for a list, a new object, a page of its own."""
    if route.name in ROW_OF:
        return ROW_OF[route.name]
    return route.model._meta.label_lower if route.takes_pk and route.model else None


def addresses(world: World) -> list[Address]:
    """Each closed address with its row; one that takes a transition, once for each of the table."""
    return [address for route in closed() for address in _of(route, _row(route, world))]


def own_addresses(user: Any) -> list[Address]:
    """The addresses of accounts and grants with the asker's own."""
    own = {"accounts.user": user, "accounts.grant": user.grants.first()}
    return [
        address
        for route in closed()
        if label_of(route) in own
        for address in _of(route, own[label_of(route)])
    ]


def _of(route: Route, obj: Model | None) -> Iterator[Address]:
    if not is_transit(route):
        yield Address(route, obj)
        return
    for name in MACHINES[route.model._meta.label_lower].transitions:
        yield Address(route, obj, name)


def _row(route: Route, world: World) -> Model | None:
    if route.takes_pk and (resource := route.declared.get("resource")):
        return world.upload(resource)
    if route.name in MADE:
        return MADE[route.name](world)
    label = label_of(route)
    return world.one(label) if label else None
