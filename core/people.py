"""Who else can act: core knows where a right over an object is held, the room of accounts by whom.

The room of accounts registers one source at start-up (as the room of places does)::

    people.register(holders)          # holders(perm, seat) -> Holders | None
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from core.scope import Reach, Seat
from core.transitions import Machine, Transition


class Holders(NamedTuple):
    """Those who hold a right: the place or unit they hold it on, and their roles and names in
    words; only the number where they are many."""

    where: str
    who: str


class Next(NamedTuple):
    """Steps that others can take, and who; no holders: nobody holds the right."""

    steps: list[str]
    holders: Holders | None


class Anybody:
    """Stands for whoever will take a step, where a guard is asked before that is known. The id is
    nobody's: what a guard forbids to one person alone (to decide on what they reported) others
    may do."""

    pk = 0

    def reach(self, perm: str) -> Reach:
        return Reach()


Source = Callable[[str, Seat], Holders | None]
_sources: list[Source] = []


def register(source: Source) -> None:
    """Called once, by the room that owns the grants."""
    _sources[:] = [source]


def waited_for(machine: Machine, obj: Any, user: Any) -> list[Next]:
    """Who can carry `obj` on from here where `user` cannot: the table's forward steps (the
    primary ones) that no guard forbids, each with the people next to the place or of the unit
    that holds its right."""
    found: dict[Holders | None, list[str]] = {}
    asked: dict[tuple[str, Seat], Holders | None] = {}
    for step in machine.transitions.values():
        if not _others_take(step, machine, obj, user):
            continue
        seats = (step.within or type(obj).scope).seats(obj, step.perm)
        keys = [(step.perm, seat) for seat in seats]
        for key in keys:
            if key not in asked:
                asked[key] = _sources[0](*key) if _sources else None
        holding = dict.fromkeys(asked[key] for key in keys if asked[key])
        for holders in holding or ([None] if seats else []):
            found.setdefault(holders, []).append(step.label)
    return [Next(labels, holders) for holders, labels in found.items()]


def _others_take(step: Transition, machine: Machine, obj: Any, user: Any) -> bool:
    if not step.perm or step.tone != "primary" or step.permits(obj, user):
        return False
    return machine.why_not(step, obj, Anybody()) is None
