"""What a migration may do while the former version still serves: one sentence for each danger."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection, migrations, models
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import NOT_PROVIDED, Value

from core.expand import AddConstraintBeside, AddIndexBeside

HARMLESS = (
    migrations.CreateModel,
    migrations.RemoveIndex,
    migrations.RemoveConstraint,
    migrations.RenameIndex,
    migrations.AlterModelOptions,
    migrations.AlterModelManagers,
    AddIndexBeside,
    AddConstraintBeside,
)
BREAKING = (
    migrations.RemoveField,
    migrations.RenameField,
    migrations.RenameModel,
    migrations.DeleteModel,
    migrations.AlterModelTable,
)
ASKED_FOR = (
    "the running version still asks for it: stop using it in one release, drop it in the next"
)
NOT_FILLED = "the running version inserts without it: null=True, or db_default"
REWRITES = "its default is computed for each row, under a lock: a plain value, and fill in batches"
INDEXES = "its index is built while nobody can write: without index first, then AddIndexBeside"
LOCKS_INDEX = "nobody can write while it is built: AddIndexBeside"
LOCKS_CHECK = "nobody can write while all rows are read: AddConstraintBeside"
TIGHTER = "the running version still writes what it forbids: a constraint in the release after"
RETYPED = "the table is rewritten under a lock: a new column, filled in batches"
CODE = "says nothing of how long it runs or whom it keeps waiting: batches, and a reason here"
UNKNOWN = "not known to these rules"
NOT_ALONE = "without a transaction it must be the only operation: a second try begins at the first"


def dangers(migration: migrations.Migration, state: ProjectState) -> Iterator[tuple[str, str]]:
    """(operation, danger) for each operation of `migration` that people would notice. `state` is
    the one before it, and is brought forward."""
    fresh = {op.name_lower for op in migration.operations if isinstance(op, migrations.CreateModel)}
    if not migration.atomic and len(migration.operations) > 1:
        yield "atomic = False", NOT_ALONE
    for operation in migration.operations:
        for one in _in_the_database(operation):
            on_fresh = getattr(one, "model_name", "").lower() in fresh
            if not on_fresh and (why := _danger(one, migration.app_label, state)):
                yield one.describe(), why
        operation.state_forwards(migration.app_label, state)


def _in_the_database(operation: Operation) -> list[Operation]:
    if isinstance(operation, migrations.SeparateDatabaseAndState):
        return [one for inner in operation.database_operations for one in _in_the_database(inner)]
    return [operation]


def _danger(operation: Operation, app: str, state: ProjectState) -> str | None:
    if isinstance(operation, HARMLESS):
        return None
    if isinstance(operation, BREAKING):
        return ASKED_FOR
    if isinstance(operation, migrations.AddField):
        return _of_new(operation.field)
    if isinstance(operation, migrations.AlterField):
        old = state.models[app, operation.model_name_lower].fields[operation.name]
        return _of_altered(old, operation.field)
    if isinstance(operation, migrations.AddIndex):
        return LOCKS_INDEX
    if isinstance(operation, migrations.AddConstraint):
        return LOCKS_CHECK
    if isinstance(operation, migrations.RunPython | migrations.RunSQL):
        return CODE
    return UNKNOWN


def _of_new(field: models.Field) -> str | None:
    if field.many_to_many:
        return None
    if not field.null and field.db_default is NOT_PROVIDED:
        return NOT_FILLED
    computed = hasattr(field.db_default, "resolve_expression")
    if computed and not isinstance(field.db_default, Value):
        return REWRITES
    return INDEXES if field.unique or field.db_index else None


def _of_altered(old: models.Field, new: models.Field) -> str | None:
    if (old.null and not new.null) or (new.unique and not old.unique):
        return TIGHTER
    if new.db_index and not old.db_index:
        return INDEXES
    before, after = (_column(field) for field in (old, new))
    return None if before == after or _is_wider(old, new) else RETYPED


def _column(field: models.Field) -> str | None:
    return None if field.is_relation else field.db_type(connection)


def _is_wider(old: models.Field, new: models.Field) -> bool:
    """Longer text, which changes no row."""
    if isinstance(new, models.TextField):
        return isinstance(old, models.CharField | models.TextField)
    both = isinstance(old, models.CharField) and isinstance(new, models.CharField)
    return both and (new.max_length or 0) >= (old.max_length or 0)
