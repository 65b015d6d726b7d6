"""The triggers that mark where records have changed which reviews count (`reports.models.Change`).

In the database, because there is no write that they miss: bulk writes, restamping by the tree,
a correction by hand. One statement's rows are one small insert, whatever their number. PostgreSQL
alone: on SQLite a refresh counts everything.
"""

from __future__ import annotations

# How a changed row `r` leads to the record that carries the place, which is `p`.
_OF_ITEM = "r JOIN services_item p ON p.id = r.item_id"
_OF_CLAIM = "r JOIN services_claim c ON c.id = r.claim_id JOIN services_item p ON p.id = c.item_id"
_OF_AGREEMENT = "r JOIN alliance_agreement p ON p.id = r.agreement_id"
_OF_CLAUSE = (
    "r JOIN alliance_clause c ON c.id = r.clause_id "
    "JOIN alliance_agreement p ON p.id = c.agreement_id"
)
# A grid that is struck off is no longer counted; what else is new of a place marks its records.
_OF_STATE = "p JOIN old_rows o ON o.id = p.id AND o.state <> p.state"
_ITSELF, _EVERYWHERE = "p", ""
TABLES = {
    "services_item": ("services", _ITSELF),
    "services_claim": ("services", _OF_ITEM),
    "services_rating": ("services", _OF_CLAIM),
    "alliance_agreement": ("alliance", _ITSELF),
    "alliance_clause": ("alliance", _OF_AGREEMENT),
    "alliance_fulfilment": ("alliance", _OF_CLAUSE),
    "members_reporting": ("members", _ITSELF),
    "members_servicerecord": ("members", _ITSELF),
    "grids_gridprofile": ("grids", _ITSELF),
    "grids_gridpost": ("grids", _ITSELF),
    "grids_gridstandard": ("grids", _EVERYWHERE),
    "grids_postkind": ("grids", _EVERYWHERE),
    "orgs_area": ("grids", _OF_STATE),
}
_ROWS = {
    "INSERT": "NEW TABLE AS new_rows",
    "UPDATE": "OLD TABLE AS old_rows NEW TABLE AS new_rows",
    "DELETE": "OLD TABLE AS old_rows",
}


def _mark(room: str, path: str, rows: str) -> str:
    """Mark the places of the rows of a transition table."""
    if path == _EVERYWHERE:
        return f"INSERT INTO reports_change (room, area_id) SELECT '{room}', NULL;"
    place = "COALESCE(p.community_id, p.street_id, p.district_id)"
    return (
        f"INSERT INTO reports_change (room, area_id) SELECT DISTINCT '{room}', {place} "
        f"FROM {rows} {path} WHERE {place} IS NOT NULL;"
    )


def create(connection) -> None:
    """Put the triggers on the tables of the rooms."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        for table, (room, path) in TABLES.items():
            cursor.execute(
                f"""
                CREATE FUNCTION reports_mark_{table}() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    IF TG_OP <> 'DELETE' THEN {_mark(room, path, "new_rows")} END IF;
                    IF TG_OP <> 'INSERT' THEN {_mark(room, path, "old_rows")} END IF;
                    RETURN NULL;
                END $$
                """
            )
            for event in ["UPDATE"] if path == _OF_STATE else _ROWS:
                cursor.execute(
                    f"CREATE TRIGGER reports_mark_{event.lower()} AFTER {event} ON {table} "
                    f"REFERENCING {_ROWS[event]} "
                    f"FOR EACH STATEMENT EXECUTE FUNCTION reports_mark_{table}()"
                )


def drop(connection) -> None:
    """Take them off again (undoing the migration)."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"DROP FUNCTION reports_mark_{table}() CASCADE")
