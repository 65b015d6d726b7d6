"""State machines as tables: one declaration drives the buttons, the API and the drawing.

::

    ITEM = Machine(
        "services.Item",
        states=ItemState,
        transitions=[
            Transition("submit", "提交审核", [S.DRAFT, S.RETURNED], S.PENDING, perm="services.draft"),
            Transition("return", "退回", [S.PENDING], S.RETURNED, perm="services.review", reason=True),
        ],
    )

    transit(item, "return", by=user, reason="缺少联系时段")   # the one way to change a state
    ITEM.offers(item, user)                                  # buttons, with why one is disabled

Tables stand in each app's `transitions.py`; they are found at start-up. How to declare, call,
show and draw one: docs/transitions.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from inspect import signature
from typing import Any, NamedTuple

from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.db import models, transaction

from core import audit
from core.among import Among
from core.errors import Conflict, Refused
from core.logs import leave_unnamed
from core.scope import Scope, may

MACHINES: dict[str, Machine] = {}


@dataclass(frozen=True)
class Transition:
    """One row of a table.

    perm: who, as a permission over the object (by `within`, else the model's own scope);
        None means the system alone.
    system: the system (`by=None`: a job, a schedule, a resident without an account) may take
        it beside those who hold `perm`. Said in the table, because a caller that has lost its
        user must not thereby gain every right.
    reason: the person must say why.
    confidential: neither the audit row nor the log names who took it (a rating, a ballot).
    guard: called with (object, by); a Chinese sentence that forbids it, or None. `by` may also be
        `core.people.Anybody`, when a page asks what others could do.
    apply: called with (locked object, by, **data) before the save; sets further fields. It may
        write other rows through their own actions: all is one transaction. One that has a
        parameter `reason` is given it.
    then: called with (saved object, by) once the step stands in the log, in the same transaction:
        what follows from it, and stands after it in a timeline.
    tell: called with (object, by); ids of the users whose inbox hears of it.
    say: called with (object, by); what the message says beneath its title and the reason.
    form: dotted path of a form class for the data that `apply` takes, if it takes any.
    """

    name: str
    label: str
    sources: Sequence[str]
    target: str
    perm: str | None = None
    system: bool = False
    reason: bool = False
    confidential: bool = False
    guard: Callable[[Any, Any], str | None] | None = None
    apply: Callable[..., None] | None = None
    then: Callable[[Any, Any], None] | None = None
    tell: Callable[[Any, Any], Iterable[int]] | None = None
    say: Callable[[Any, Any], str] | None = None
    within: Scope | None = None
    form: str | None = None
    tone: str = "primary"  # primary | default | danger: how the button looks
    hint: str = ""  # one sentence under the button's dialogue: what will happen

    @property
    def by_system(self) -> bool:
        return self.perm is None or self.system

    @property
    def confirmation(self) -> str:
        """What the button that takes it says: 确认上报, and 确认报到 of 确认报到."""
        return self.label if self.label.startswith("确认") else f"确认{self.label}"

    def permits(self, obj: Any, by: Any) -> bool:
        if by is None:
            return self.by_system
        return self.perm is not None and may(by, self.perm, obj, self.within)


class Offer(NamedTuple):
    """A transition from the object's present state, and why it cannot be taken now, if so."""

    transition: Transition
    why_not: str | None

    @property
    def allowed(self) -> bool:
        return self.why_not is None


class Machine:
    """The transitions of one aggregate. `model` is its label, `field` the column of its state;
    `deeds` are the words that a timeline has for its other audited actions (``{"resize": …}``);
    a model without a table has them as an attribute of its own (core.deeds)."""

    def __init__(
        self,
        model: str,
        *,
        states: type[models.TextChoices],
        transitions: Sequence[Transition],
        field: str = "state",
        deeds: Mapping[str, str] | None = None,
    ) -> None:
        self.label, self.states, self.field = model, states, field
        self.deeds = dict(deeds or {})
        self.transitions = {t.name: t for t in transitions}
        if len(self.transitions) != len(transitions):
            raise ValueError(f"{model}: two transitions of one name")
        for t in transitions:
            if unknown := {*t.sources, t.target} - set(states.values):
                raise ValueError(f"{model}.{t.name}: no such state {sorted(unknown)}")
        if model.lower() in MACHINES:
            raise ValueError(f"{model}: a second table for one aggregate")
        MACHINES[model.lower()] = self

    @property
    def model(self) -> type[models.Model]:
        return apps.get_model(self.label)

    def offers(self, obj: Any, user: Any) -> list[Offer]:
        """What this user may do from here. Those forbidden by right are left out; those that a
        guard forbids stay, with the guard's sentence, so that the page can say why."""
        state = getattr(obj, self.field)
        return [
            Offer(t, t.guard(obj, user) if t.guard else None)
            for t in self.transitions.values()
            if state in t.sources and t.perm is not None and t.permits(obj, user)
        ]

    def why_not(self, step: Transition, obj: Any, user: Any) -> str | None:
        """Why `step` cannot be taken with `obj` as it stands, in a sentence; the right apart."""
        state = getattr(obj, self.field)
        if state not in step.sources:
            return f"当前状态是“{self.states(state).label}”，不能{step.label}。"
        return step.guard(obj, user) if step.guard else None

    def drawing(self) -> str:
        """The table as a Mermaid state diagram (docs/transitions.md is made of these)."""
        lines = ["stateDiagram-v2"]
        lines += [f"    {s.value}: {s.label}" for s in self.states]
        lines += [
            f"    {source} --> {t.target}: {t.label}{_notes(t)}"
            for t in self.transitions.values()
            for source in t.sources
        ]
        return "\n".join(lines)


def _notes(t: Transition) -> str:
    notes = ["系统"] if t.by_system else []
    notes += ["须填理由"] if t.reason else []
    return f"（{'，'.join(notes)}）" if notes else ""


def machine_of(obj: Any) -> Machine | None:
    """The machine of a model or an instance, if its app declares one."""
    return MACHINES.get(obj._meta.label_lower)


def transit(obj: Any, name: str, *, by: Any, reason: str = "", **data: Any) -> Any:
    """Take one transition: lock the row, check state, right and guard again, save, audit, tell.

    Returns the fresh, saved object; the one passed in stays as it was read. Raises `Conflict`
    when the state has changed meanwhile, `Refused` when the reason is missing or a guard
    forbids it, `PermissionDenied` without the right. `by=None` is the system. Nothing is
    written unless all of it is.
    """
    machine = machine_of(obj)
    if machine is None or name not in machine.transitions:
        raise LookupError(f"{obj._meta.label} has no transition {name!r}")
    step = machine.transitions[name]
    reason = reason.strip()
    if step.confidential:  # the audit row leads to the log by the request's number
        leave_unnamed()
    with transaction.atomic():
        locked = _lock(obj)
        _check(machine, step, locked, by, reason)
        before, columns = audit.snapshot(locked), _columns(locked)
        setattr(locked, machine.field, step.target)
        if step.apply:
            if "reason" in signature(step.apply).parameters:
                data["reason"] = reason
            step.apply(locked, by, **data)
        # Named fields: a column that `apply` moved by a query of its own is not written back old.
        locked.save(update_fields=_changed(locked, columns))
        audit.record(
            f"{machine.label.lower()}.{name}",
            locked,
            by=None if step.confidential else by,
            before=before,
            after=audit.snapshot(locked),
            reason=reason,
        )
        if step.then:
            step.then(locked, by)
        _tell(step, locked, by, reason)
    return locked


def _tell(step: Transition, obj: models.Model, by: Any, reason: str) -> None:
    """The inboxes of those whom the table names, then of those who follow the object."""
    from core import watching  # here: both read models, which need the registry
    from core.notify import notify

    title, known = f"{step.label}：{obj}", {getattr(by, "pk", None)}
    body = "\n".join(filter(None, [reason, step.say(obj, by) if step.say else ""]))
    if step.tell:
        people = set(step.tell(obj, by)) - known
        notify(people, title=title, body=body, about=obj)
        known |= people
    watching.tell(obj, title=title, body=body, except_for=known)


def _lock(obj: models.Model) -> models.Model:
    try:
        return type(obj)._base_manager.select_for_update(of=("self",)).get(pk=obj.pk)
    except type(obj).DoesNotExist:
        raise Conflict(f"“{obj}”已被删除，请返回列表刷新后再看。") from None


def _check(machine: Machine, step: Transition, locked: Any, by: Any, reason: str) -> None:
    if not step.permits(locked, by):
        raise PermissionDenied(f"{by!r} may not {step.name} {locked!r}")
    state = getattr(locked, machine.field)
    if state not in step.sources:
        now = machine.states(state).label
        raise Conflict(
            f"当前状态是“{now}”，不能{step.label}。可能已有人处理，请刷新页面查看最新进展。"
        )
    if step.reason and not reason:
        raise Refused(f"{step.label}须填写理由。", field="reason")
    if step.guard and (why := step.guard(locked, by)):
        raise Refused(why)


def _columns(obj: models.Model) -> dict[str, Any]:
    """The stored values, copied: a JSON column may be changed in place."""
    return {c.name: deepcopy(getattr(obj, c.attname)) for c in obj._meta.concrete_fields}


def _changed(obj: models.Model, before: dict[str, Any]) -> list[str]:
    return [
        c.name
        for c in obj._meta.concrete_fields
        if getattr(c, "auto_now", False) or getattr(obj, c.attname) != before[c.name]
    ]


def transit_all(rows: models.QuerySet, name: str, *, by: Any, reason: str = "") -> int:
    """Take one transition with every row of `rows` at once; returns how many moved.

    For steps that ask for no guard and set no further field: the lock, the check of the state,
    the update and the audit are one statement each. Rows in another state stay as they are.
    """
    machine = machine_of(rows.model)
    step = machine.transitions[name]
    if step.guard or step.apply or step.then or step.tell or step.say or step.perm:
        raise ValueError(f"{machine.label}.{name} looks at each row: use transit()")
    with transaction.atomic():
        locked = list(
            rows.filter(**{f"{machine.field}__in": step.sources})
            .select_for_update(of=("self",))
            .order_by("pk")
        )
        held = rows.model._base_manager.filter(Among("pk", [row.pk for row in locked]))
        held.update(**{machine.field: step.target})
        audit.record_many(
            f"{machine.label.lower()}.{name}",
            [
                audit.Entry(
                    row,
                    {machine.field: getattr(row, machine.field)},
                    {machine.field: step.target},
                )
                for row in locked
            ],
            by=by,
            reason=reason,
        )
        from core import watching  # here: it reads models, which need the registry

        for row in locked:
            setattr(row, machine.field, step.target)
        watching.tell_many(locked, label=step.label)
    return len(locked)
