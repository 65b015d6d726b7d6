"""Operations for migrations that run while the former version serves: docs/migrations.md.

On PostgreSQL they keep nobody from writing; on SQLite, where one process upgrades the trial, they
are the plain ones. Each stands alone in a migration with `atomic = False`.
"""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db.migrations import AddConstraint, AddIndex


class AddIndexBeside(AddIndexConcurrently):
    """An index that is built beside the writers. What an attempt that failed left is replaced."""

    def database_forwards(
        self, app_label: str, editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if editor.connection.vendor != "postgresql":
            AddIndex.database_forwards(self, app_label, editor, from_state, to_state)
            return
        # It waits for transactions that are older than it, and makes nobody wait meanwhile.
        editor.execute("SET lock_timeout = 0")
        if self._was_left_invalid(editor):
            editor.execute(f"DROP INDEX CONCURRENTLY {editor.quote_name(self.index.name)}")
        super().database_forwards(app_label, editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, editor: Any, from_state: Any, to_state: Any
    ) -> None:
        plain = editor.connection.vendor != "postgresql"
        way_back = AddIndex.database_backwards if plain else AddIndexConcurrently.database_backwards
        way_back(self, app_label, editor, from_state, to_state)

    def _was_left_invalid(self, editor: Any) -> bool:
        with editor.connection.cursor() as cursor:
            cursor.execute(
                "SELECT EXISTS (SELECT FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid"
                " WHERE relname = %s AND NOT indisvalid)",
                [self.index.name],
            )
            return cursor.fetchone()[0]


class AddConstraintBeside(AddConstraint):
    """A check that holds for new rows at once; the rows that are there are read afterwards, beside
    the writers. One that fails there is taken off again."""

    atomic = False

    def database_forwards(
        self, app_label: str, editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, editor, from_state, to_state)
            return
        if editor.connection.in_atomic_block:
            raise TypeError("AddConstraintBeside stands in a migration with atomic = False")
        model = to_state.apps.get_model(app_label, self.model_name)
        editor.execute(f"{self.constraint.create_sql(model, editor)} NOT VALID", params=None)
        names = map(editor.quote_name, (model._meta.db_table, self.constraint.name))
        table, name = names
        try:
            editor.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
        except Exception:
            editor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
            raise
