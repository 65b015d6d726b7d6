"""The triggers that make the audit log append-only, on both engines.

Rows: never changed, removed or replaced. Heads: never removed, and never set back.
Kept apart from the migrations because the test suite lifts them to empty its tables.
"""

from __future__ import annotations

ROWS, HEADS = "core_auditevent", "core_auditchain"

_POSTGRES = [
    """
    CREATE OR REPLACE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'the audit log is append-only (% on %)', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END $$
    """,
    f"""
    CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON {ROWS}
    FOR EACH ROW EXECUTE FUNCTION audit_append_only()
    """,
    f"""
    CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON {ROWS}
    FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()
    """,
    f"""
    CREATE TRIGGER audit_head_stays BEFORE DELETE ON {HEADS}
    FOR EACH ROW EXECUTE FUNCTION audit_append_only()
    """,
    f"""
    CREATE TRIGGER audit_head_no_truncate BEFORE TRUNCATE ON {HEADS}
    FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()
    """,
    f"""
    CREATE TRIGGER audit_head_forward BEFORE UPDATE ON {HEADS} FOR EACH ROW
    WHEN (NEW.number <> OLD.number OR NEW.seq <= OLD.seq)
    EXECUTE FUNCTION audit_append_only()
    """,
]
_SQLITE = [
    *(
        f"""
        CREATE TRIGGER audit_no_{verb.lower()} BEFORE {verb} ON {ROWS}
        BEGIN SELECT RAISE(ABORT, 'the audit log is append-only ({verb})'); END
        """
        for verb in ("UPDATE", "DELETE")
    ),
    # REPLACE removes the old row without asking the trigger on DELETE.
    """
    CREATE TRIGGER audit_no_replace BEFORE INSERT ON core_auditevent
    WHEN EXISTS (
        SELECT 1 FROM core_auditevent
        WHERE id = NEW.id OR (chain = NEW.chain AND seq = NEW.seq)
    )
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only (REPLACE)'); END
    """,
    """
    CREATE TRIGGER audit_head_stays BEFORE DELETE ON core_auditchain
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only (head removed)'); END
    """,
    """
    CREATE TRIGGER audit_head_forward BEFORE UPDATE ON core_auditchain
    WHEN NEW.number <> OLD.number OR NEW.seq <= OLD.seq
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only (head set back)'); END
    """,
]
_NAMES = {
    "audit_no_change": ROWS,
    "audit_no_truncate": ROWS,
    "audit_no_update": ROWS,
    "audit_no_delete": ROWS,
    "audit_no_replace": ROWS,
    "audit_head_stays": HEADS,
    "audit_head_no_truncate": HEADS,
    "audit_head_forward": HEADS,
}


def create(connection) -> None:
    """Put the triggers on the audit tables."""
    with connection.cursor() as cursor:
        for statement in _POSTGRES if connection.vendor == "postgresql" else _SQLITE:
            cursor.execute(statement)


def drop(connection) -> None:
    """Take them off again (undoing the migration; emptying test tables)."""
    postgres = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        for name, table in _NAMES.items():
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{f' ON {table}' if postgres else ''}")
