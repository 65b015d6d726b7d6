"""The triggers that make the audit log append-only, on both engines.

Kept apart from the migration because the test suite lifts them to empty its tables.
"""

from __future__ import annotations

TABLE = "core_auditevent"

_POSTGRES = [
    """
    CREATE OR REPLACE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'the audit log is append-only (%)', TG_OP USING ERRCODE = 'restrict_violation';
    END $$
    """,
    f"""
    CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON {TABLE}
    FOR EACH ROW EXECUTE FUNCTION audit_append_only()
    """,
    f"""
    CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON {TABLE}
    FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()
    """,
]
_SQLITE = [
    f"""
    CREATE TRIGGER audit_no_{verb.lower()} BEFORE {verb} ON {TABLE}
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only ({verb})'); END
    """
    for verb in ("UPDATE", "DELETE")
]


def create(connection) -> None:
    """Put the triggers on the audit table."""
    with connection.cursor() as cursor:
        for statement in _POSTGRES if connection.vendor == "postgresql" else _SQLITE:
            cursor.execute(statement)


def drop(connection) -> None:
    """Take them off again (undoing the migration; emptying test tables)."""
    names = ("audit_no_change", "audit_no_truncate", "audit_no_update", "audit_no_delete")
    suffix = f" ON {TABLE}" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        for name in names:
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{suffix}")
