"""The detail page: the object, what can be done now and why not, what happened to it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse

from core import attachments, audit, deeds, people, watching
from core.models import AuditEvent
from core.scope import get_visible, require
from core.transitions import Machine, machine_of
from core.views.actions import Action
from core.views.base import ConsoleView

TIMELINE_LENGTH = 50


class Step(NamedTuple):
    """One state on the way, for `ui.steps`: done, now or ahead."""

    label: str
    stage: str


class Happening(NamedTuple):
    """One line of a timeline. `changes` are (field, before, after) in words."""

    at: Any
    who: str
    what: str
    reason: str
    changes: list[tuple[str, str, str]]


class ObjectView(ConsoleView):
    """A page about one object: 404 outside the user's sight, 403 without `perm` over it."""

    model: type[Model]
    related: Sequence[str] = ()
    list_url = ""  # the list that the breadcrumb leads back to
    list_label = ""

    def check_right(self) -> None:
        """Left to `get_object`: what is out of sight answers 404 whoever asks."""

    def get_queryset(self) -> QuerySet:
        queryset = self.model._default_manager.all()
        return queryset.select_related(*self.related) if self.related else queryset

    def get_object(self) -> Model:
        """The object, through the gate."""
        found = get_visible(self.get_queryset(), self.request.user, pk=self.kwargs["pk"])
        if self.perm:
            require(self.request.user, self.perm, found)
        return found

    def crumbs(self) -> list[tuple[str, str]]:
        name = self.list_url or _route(self.model, plural=True)
        try:
            address = reverse(name)
        except NoReverseMatch:
            return []
        label = self.list_label or str(self.model._meta.verbose_name)
        return [(label, address + self.place_suffix)]


class DetailView(ObjectView):
    """::

        class UnitDetail(DetailView):
            model = Unit
            template = "orgs/unit.html"      # extends console/detail.html
            perm = "units.view"
            path = ("draft", "pending", "published", "closed")
            actions = (Action("修改", "orgs:unit-edit", perm="units.edit"),)

            def extra(self):
                return {"posts": self.object.posts.visible_to(self.request.user)}

    The template fills the blocks `facts` and `related`.
    """

    actions: Sequence[Action] = ()
    path: Sequence[str] = ()  # the states of the ordinary course, in order
    template = "console/detail.html"
    blocks = ("page",)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.object = self.get_object()
        self.title = str(self.object)
        machine = machine_of(self.object)
        return self.page(
            object=self.object,
            offers=machine.offers(self.object, request.user) if machine else [],
            transit_url=transit_urls(self.object, self.place_suffix),
            waited_for=people.waited_for(machine, self.object, request.user) if machine else [],
            steps=self.steps(machine) if machine else [],
            state=machine.states(getattr(self.object, machine.field)) if machine else None,
            timeline=happenings(*self.story()),
            follows=self._follows(),
            files=attachments.panel(self.object, request.user),
            actions=[
                (a, a.href(request, self.place_suffix, self.object))
                for a in self.actions
                if a.shown_to(request.user, self.object)
            ],
            **self.extra(),
        )

    def _follows(self) -> bool | None:
        """Whether this person follows the object; None where nobody can."""
        if not watching.can_be_followed(self.object):
            return None
        return watching.follows(self.object, self.request.user)

    def steps(self, machine: Machine) -> list[Step]:
        """The way of the object; where it depends on the object, a page says so here."""
        return path_of(machine, self.object, self.path)

    def story(self) -> list[Model]:
        """Whose events the timeline tells: the object's, and those of what hangs on it without a
        page of its own."""
        return [self.object]

    def extra(self) -> dict[str, Any]:
        """More for the template."""
        return {}


def path_of(machine: Machine, obj: Model, path: Sequence[str]) -> list[Step]:
    """Steps along `path`; none while the object has left it (returned, ended early)."""
    state = getattr(obj, machine.field)
    if state not in path:
        return []
    now = list(path).index(state)
    stages = ["done"] * now + ["now"] + ["ahead"] * (len(path) - now - 1)
    return [Step(machine.states(s).label, t) for s, t in zip(path, stages, strict=True)]


def transit_urls(obj: Model, suffix: str):
    """A function from a transition's name to its address, ``app:noun-transit`` with id and name."""
    name = f"{_route(type(obj))}-transit"
    return lambda transition: reverse(name, args=[obj.pk, transition]) + suffix


def happenings(*objects: Model) -> list[Happening]:
    """The latest of what happened to these objects, newest first, in words."""
    # A look for each: of an OR over several, sorted, PostgreSQL may read the whole log backwards.
    events = [
        (event, obj)
        for obj in objects
        for event in audit.timeline(obj).order_by("-id")[:TIMELINE_LENGTH]
    ]
    events.sort(key=lambda found: found[0].pk, reverse=True)
    return [
        Happening(
            at=event.at,
            who=event.actor_name,
            what=deeds.said(event.action, obj._meta.label_lower),
            reason=event.reason,
            changes=_changes(event, obj),
        )
        for event, obj in events[:TIMELINE_LENGTH]
    ]


def _changes(event: AuditEvent, obj: Model) -> list[tuple[str, str, str]]:
    """What differs, by the fields' own names. A new object's fields are on the page itself."""
    before, after = json.loads(event.before), json.loads(event.after)
    if not before or not after:
        return []
    found = []
    for field in obj._meta.concrete_fields:
        if field.attname in after and field.editable and not field.is_relation:
            labels = dict(field.flatchoices or ())
            old, new = (_plain(v.get(field.attname), labels) for v in (before, after))
            found.append((str(field.verbose_name), old, new))
    return found


def _plain(value: Any, labels: dict) -> str:
    return "空" if value in (None, "") else str(labels.get(value, value))


def _route(model: type[Model], *, plural: bool = False) -> str:
    return f"{model._meta.app_label}:{model._meta.model_name}{'s' if plural else ''}"
