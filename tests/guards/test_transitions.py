"""Every table of transitions against its drawing, and against itself."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.utils.module_loading import import_string

from accounts.roles import PERMISSIONS
from core.management.commands import draw_transitions
from core.transitions import MACHINES, Machine, Transition
from orgs.enums import UnitState

TABLES = sorted(MACHINES)


def test_the_drawing_is_what_the_tables_say():
    call_command("draw_transitions", "--check")


def test_a_table_that_moved_on_makes_the_drawing_stale():
    kept = dict(MACHINES)
    try:
        MACHINES.pop("orgs.unit", None)
        Machine(
            "orgs.Unit", states=UnitState, transitions=[Transition("x", "新", ["active"], "left")]
        )
        with pytest.raises(CommandError, match="不一致"):
            call_command("draw_transitions", "--check")
    finally:
        MACHINES.clear()
        MACHINES.update(kept)


def test_the_page_keeps_what_people_wrote_above_the_mark():
    assert draw_transitions.drawn("# 前言\n" + draw_transitions.MARK + "旧图").startswith(
        "# 前言\n" + draw_transitions.MARK
    )


@pytest.mark.parametrize("label", TABLES)
def test_a_table_fits_its_model(label):
    machine = MACHINES[label]
    model = apps.get_model(label)
    field = model._meta.get_field(machine.field)
    assert [value for value, _ in field.choices] == machine.states.values
    assert model.scope, "who may is asked of the model's scope"


# States that something else than the table leads to, and why.
ELSEWHERE = {
    "core.job": "workers move their job by conditional updates on its fence (docs/jobs.md)",
}


@pytest.mark.parametrize("label", [t for t in TABLES if t not in ELSEWHERE])
def test_no_state_is_out_of_every_way(label):
    """Each state is where things begin (the field's default) or what some transition leads to."""
    machine = MACHINES[label]
    entered = {t.target for t in machine.transitions.values()}
    entered.add(machine.model._meta.get_field(machine.field).get_default())
    assert entered >= set(machine.states.values), "a state that nothing enters"


@pytest.mark.parametrize("label", TABLES)
def test_permissions_and_forms_of_a_table_exist(label):
    known = set().union(*PERMISSIONS.values())
    for t in MACHINES[label].transitions.values():
        assert t.perm is None or t.perm in known, f"{t.name}: {t.perm} is nobody's"
        if t.form:
            import_string(t.form)
