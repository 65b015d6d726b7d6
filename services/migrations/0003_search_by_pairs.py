"""Words of two characters are found by an index (services/lookups.py), and lists by date walk one.

PostgreSQL alone: SQLite knows no index of this kind, nor one in which empty dates stand last.
"""

from django.db import migrations

from services import lookups


def on_postgresql(*statements):
    def run(apps, editor):
        if editor.connection.vendor == "postgresql":
            for statement in statements:
                editor.execute(statement)

    return run


# A small pending list: a search reads the whole of it, and whoever writes next empties it.
CREATE_PAIRS = "CREATE INDEX {} ON services_item USING gin ({}) WITH (gin_pending_list_limit = 256)"

# As the lists order by date, both ways (core/pagination.py): fifty rows without sorting a city's.
BY_DATE = {
    "item_due": "(due_on ASC NULLS LAST, id)",
    "item_due_last": "(due_on DESC NULLS LAST, id DESC)",
}
CREATE_BY_DATE = "CREATE INDEX {} ON services_item {}"


class Migration(migrations.Migration):
    dependencies = [("services", "0002_item_initials")]

    operations = [
        migrations.RunPython(
            on_postgresql(
                lookups.CREATE,
                *(CREATE_PAIRS.format(*index) for index in lookups.INDEXES.items()),
                *(CREATE_BY_DATE.format(*index) for index in BY_DATE.items()),
            ),
            on_postgresql(
                *(f"DROP INDEX {name}" for name in (*lookups.INDEXES, *BY_DATE)), lookups.DROP
            ),
        ),
    ]
