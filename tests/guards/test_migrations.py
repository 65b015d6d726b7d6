"""Migrations after the first release run while the former version serves (docs/migrations.md)."""

from __future__ import annotations

import pytest
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ModelState, ProjectState
from django.db.models.functions import Now
from django.test import override_settings

from core.expand import AddConstraintBeside, AddIndexBeside
from tests.guards import migration_rules as rules
from tests.guards.project import ROOMS

# What the first release is installed with: there was no version before it that could be serving.
FIRST_RELEASE = {
    "core": 11,
    "orgs": 6,
    "accounts": 2,
    "grids": 4,
    "alliance": 2,
    "members": 3,
    "services": 4,
    "reports": 2,
    "portal": 0,
}
# (app.migration, operation as Django describes it) → why nobody notices all the same.
REASONS: dict[tuple[str, str], str] = {
    ("services.0007_hours_mended", "Raw Python operation"): (
        "reads the items once and finds nothing, unless somebody wrote past the actions; then 500"
        " rows a transaction"
    ),
}


def found() -> set[tuple[str, str, str]]:
    """(migration, operation, danger) of all that came after the first release."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    said = set()
    for (app, name), migration in loader.disk_migrations.items():
        if app in ROOMS and int(name[:4]) > FIRST_RELEASE[app]:
            state = loader.project_state((app, name), at_end=False)
            for operation, why in rules.dangers(migration, state):
                said.add((f"{app}.{name}", operation, why))
    return said


def test_no_migration_breaks_the_version_that_serves_or_keeps_it_waiting():
    open_ones = {f"{m}: {o}: {why}" for m, o, why in found() if (m, o) not in REASONS}
    assert not open_ones, "\n".join(sorted(open_ones))
    stale = set(REASONS) - {(m, o) for m, o, _ in found()}
    assert not stale, "gone: take the reason away"


def test_every_room_has_a_first_release():
    assert set(FIRST_RELEASE) == set(ROOMS)


def test_the_upgrade_that_is_tried_under_load_keeps_to_the_rules():
    """tests/faults/test_upgrade_under_load.py: what the rules let pass is what was seen to pass."""
    with override_settings(MIGRATION_MODULES={"services": "tests.faults.next_version.migrations"}):
        said = {one for one in found() if one[0].startswith("services.9")}
    assert said == {("services.9004_fill", "Raw Python operation", rules.CODE)}


CHAR = models.CharField(max_length=20, null=True)
INDEX = models.Index(fields=["name"], name="i")
CHECK = models.CheckConstraint(condition=models.Q(number__gt=0), name="c")
CASES = [
    (migrations.AddField("thing", "x", CHAR), None),
    (migrations.AddField("thing", "x", models.IntegerField(db_default=0)), None),
    (migrations.AddField("thing", "x", models.IntegerField(default=0)), rules.NOT_FILLED),
    (migrations.AddField("thing", "x", models.DateTimeField(db_default=Now())), rules.REWRITES),
    (migrations.AddField("thing", "x", models.IntegerField(null=True, unique=True)), rules.INDEXES),
    (
        migrations.AddField("thing", "x", models.ForeignKey("a.Other", models.CASCADE, null=True)),
        rules.INDEXES,
    ),
    (migrations.RemoveField("thing", "name"), rules.ASKED_FOR),
    (migrations.RenameField("thing", "name", "title"), rules.ASKED_FOR),
    (migrations.RenameModel("Thing", "Matter"), rules.ASKED_FOR),
    (migrations.DeleteModel("Thing"), rules.ASKED_FOR),
    (migrations.AlterField("thing", "name", models.CharField(max_length=40, null=True)), None),
    (migrations.AlterField("thing", "name", models.TextField(null=True)), None),
    (
        migrations.AlterField("thing", "name", models.CharField(max_length=10, null=True)),
        rules.RETYPED,
    ),
    (migrations.AlterField("thing", "name", models.CharField(max_length=20)), rules.TIGHTER),
    (migrations.AlterField("thing", "number", models.BigIntegerField()), rules.RETYPED),
    (migrations.AlterField("thing", "number", models.IntegerField("数")), None),
    (migrations.AddIndex("thing", INDEX), rules.LOCKS_INDEX),
    (AddIndexBeside("thing", INDEX), None),
    (migrations.AddConstraint("thing", CHECK), rules.LOCKS_CHECK),
    (AddConstraintBeside("thing", CHECK), None),
    (migrations.RunPython(migrations.RunPython.noop), rules.CODE),
    (migrations.RunSQL("SELECT 1"), rules.CODE),
    (migrations.AlterUniqueTogether("thing", {("name", "number")}), rules.UNKNOWN),
    (
        migrations.SeparateDatabaseAndState([migrations.RemoveField("thing", "name")]),
        rules.ASKED_FOR,
    ),
]


@pytest.mark.parametrize(
    ("operation", "danger"),
    CASES,
    ids=[f"{type(operation).__name__}-{danger}"[:60] for operation, danger in CASES],
)
def test_the_rules_tell_what_people_would_notice(operation, danger):
    state = ProjectState()
    fields = [
        ("id", models.BigAutoField(primary_key=True)),
        ("name", models.CharField(max_length=20, null=True)),
        ("number", models.IntegerField()),
    ]
    state.add_model(ModelState("a", "Thing", fields))
    state.add_model(ModelState("a", "Other", fields[:1]))
    migration = migrations.Migration("0002_next", "a")
    migration.operations = [operation]
    assert [why for _, why in rules.dangers(migration, state)] == ([danger] if danger else [])


def test_what_is_made_in_the_same_migration_may_be_indexed_there():
    migration = migrations.Migration("0002_next", "a")
    fields = [("id", models.BigAutoField(primary_key=True)), ("name", CHAR)]
    migration.operations = [
        migrations.CreateModel("Thing", fields),
        migrations.AddIndex("thing", INDEX),
    ]
    assert list(rules.dangers(migration, ProjectState())) == []


def test_an_operation_without_a_transaction_stands_alone():
    migration = migrations.Migration("0002_next", "a")
    migration.atomic = False
    fields = [("id", models.BigAutoField(primary_key=True)), ("name", CHAR)]
    state = ProjectState()
    state.add_model(ModelState("a", "Thing", fields))
    migration.operations = [AddIndexBeside("thing", INDEX), migrations.AddField("thing", "x", CHAR)]
    assert [why for _, why in rules.dangers(migration, state)] == [rules.NOT_ALONE]
