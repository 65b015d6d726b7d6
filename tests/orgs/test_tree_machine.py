"""Random lives of a tree, held against a plain Python model of it after every step.

Every operation is given the instance that was read when the node was new, so all of them are
stale; numbers are laid out close together, so that gaps run out; and each life is dated, so that
its history can be read back day by day.
"""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from core.errors import Refused
from orgs.actions.tree import create_area, move_area, numbers, rename_area, retire_area
from orgs.actions.tree.checks import faults
from orgs.enums import SIGNIFICANT, STAMPS, AreaKind
from orgs.models import Area, AreaHistory
from tests.factories.orgs import late_unit

KINDS = list(AreaKind)
FIRST_DAY = date(2024, 1, 1)


class Node:
    """What the model knows of one area."""

    def __init__(self, area: Area, parent: Node | None) -> None:
        self.area, self.parent, self.kind, self.code = area, parent, area.kind, area.code
        self.successor: Node | None = None
        self.retired = False

    def path(self) -> dict[str, int | None]:
        """Who answers for it: its successor's path, or its parent's and itself."""
        if self.successor:
            return self.successor.path()
        path = self.parent.path() if self.parent else dict.fromkeys(STAMPS)
        if self.kind in STAMPS:
            path[self.kind] = self.area.pk
        return path

    def above(self) -> list[Node]:
        return [self, *self.parent.above()] if self.parent else [self]


class Lives(RuleBasedStateMachine):
    nodes = Bundle("nodes")

    @initialize(target=nodes)
    def plant(self):
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.model: list[Node] = []
        self.facts: list[tuple] = []
        self.day = FIRST_DAY
        self.days: dict[date, dict[int, dict]] = {}
        city = self._create(None, "11")
        grown = [city]
        for width in (2, 2, 1, 1, 1):
            grown = [self._create(node, str(n)) for node in grown for n in range(1, width + 1)]
        return multiple(*self.model)

    def teardown(self):
        if hasattr(self, "atomic"):
            self._read_the_days_back()
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)

    @rule(target=nodes, parent=nodes, digits=st.integers(1, 12))
    def create(self, parent, digits):
        if parent.kind == AreaKind.BUILDING:
            return self.create_city(digits)
        return self._create(parent, f"{digits:03d}") or parent

    @rule(target=nodes, digits=st.integers(12, 14))
    def create_city(self, digits):
        return self._create(None, f"{digits}") or self.model[0]

    def _create(self, parent: Node | None, digits: str) -> Node | None:
        kind = KINDS[KINDS.index(parent.kind) + 1] if parent else AreaKind.CITY
        above = SIGNIFICANT[parent.kind] if parent else 2
        wide = SIGNIFICANT[kind] - above
        code = (parent.code[:above] if parent else "37") + digits[-wide:].rjust(wide, "0")
        code = code.ljust(12, "0")
        fields = {"kind": kind, "code": code, "name": f"节点{code}"}
        taken = any(n.code == code for n in self.model)
        hollow = not code[above : SIGNIFICANT[kind]].strip("0")
        if taken or hollow or (parent and parent.retired):
            with pytest.raises(Refused):
                create_area(**fields, parent=parent and parent.area, by=None)
            return None
        area = create_area(**fields, parent=parent and parent.area, by=None, valid_from=self.day)
        self.model.append(Node(area, parent))
        return self.model[-1]

    @rule(node=nodes, parent=nodes)
    def move(self, node, parent):
        possible = (
            not node.retired
            and not parent.retired
            and parent is not node.parent
            and AreaKind(node.kind).parent_kind == parent.kind
        )
        if not possible:
            with pytest.raises(Refused):
                move_area(area=node.area, parent=parent.area, on=self.day, by=None)
            return
        move_area(area=node.area, parent=parent.area, on=self.day, by=None)
        node.parent = parent

    @rule(node=nodes, pick=st.integers(0, 50))
    def move_where_it_can_go(self, node, pick):
        wanted = AreaKind(node.kind).parent_kind
        others = [n for n in self.model if n.kind == wanted and not n.retired]
        if others:
            self.move(node, others[pick % len(others)])

    @rule(node=nodes, last=st.integers(1, 99))
    def rename(self, node, last):
        wide = SIGNIFICANT[node.kind]
        code = (node.code[: wide - 2] + f"{last:02d}").ljust(12, "0")
        taken = any(n.code == code for n in self.model if n is not node)
        fields = {"name": f"改名{last}", "code": code, "on": self.day}
        if node.retired or taken:
            with pytest.raises(Refused):
                rename_area(area=node.area, by=None, **fields)
            return
        rename_area(area=node.area, by=None, **fields)
        node.code = code

    @rule(node=nodes, pick=st.none() | st.integers(0, 50))
    def retire(self, node, pick):
        rivals = [n for n in self.model if n.kind == node.kind and n is not node and not n.retired]
        heir = rivals[pick % len(rivals)] if rivals and pick is not None else None
        children = [n for n in self.model if n.parent is node and not n.retired]
        if node.retired or (children and not heir):
            with pytest.raises(Refused):
                retire_area(area=node.area, successor=heir and heir.area, on=self.day, by=None)
            return
        retire_area(area=node.area, successor=heir and heir.area, on=self.day, by=None)
        for child in children:
            child.parent = heir
        node.retired, node.successor = True, heir

    @rule(node=nodes)
    def record_a_fact(self, node):
        self.facts.append((late_unit(node.area), node))

    @rule(days=st.integers(1, 40))
    def time_passes(self, days):
        self.days[self.day] = {n.area.pk: n.path() for n in self.model}
        self.day += timedelta(days=days)

    @invariant()
    def whole(self):
        if hasattr(self, "model"):
            assert list(faults()) == []

    @invariant()
    def as_the_model_says(self):
        if not hasattr(self, "model"):
            return
        stored = {a.pk: a for a in Area.objects.all()}
        assert len(stored) == len(self.model)
        for node in self.model:
            area = stored[node.area.pk]
            assert (area.code, area.state == "retired") == (node.code, node.retired)
            assert area.parent_id == (node.parent.area.pk if node.parent else None)
            assert {level: getattr(area, f"{level}_id") for level in STAMPS} == node.path()
        drawn = [a.code for a in Area.objects.in_order()]
        cities = sorted((n for n in self.model if not n.parent), key=lambda n: n.area.pk)
        assert drawn == [code for city in cities for code in self._draw(city)]
        for fact, node in self.facts:
            fact.refresh_from_db()
            assert {level: getattr(fact, f"{level}_id") for level in STAMPS} == node.path()

    def _draw(self, node: Node) -> list[str]:
        children = sorted((n for n in self.model if n.parent is node), key=lambda n: n.code)
        return [node.code] + [code for child in children for code in self._draw(child)]

    def _read_the_days_back(self):
        for day, paths in self.days.items():
            rows = {h.area_id: h for h in AreaHistory.objects.on(day)}
            for pk, path in paths.items():
                assert {level: getattr(rows[pk], f"{level}_id") for level in STAMPS} == path


@pytest.mark.django_db
@pytest.mark.parametrize("step", [3, 1 << 24])
def test_a_random_life_of_a_tree(monkeypatch, step):
    monkeypatch.setattr(numbers, "STEP", step)
    run_state_machine_as_test(
        Lives,
        settings=settings(
            max_examples=12,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
