"""What a request has written: the tables whose rows are not what they were."""

from __future__ import annotations

from django.apps import apps
from django.db import connection

Prints = dict[str, tuple[int, int]]


def prints() -> Prints:
    """How many rows each model's table holds and one sum over all that stands in them, by label.

    Asked of the tables and not of the statements: what an action wrote and took back again is not
    written."""
    tables = {model._meta.db_table: model._meta.label_lower for model in apps.get_models()}
    # Names of tables come from the models, and no value from anywhere.
    one = "SELECT '{0}', count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) FROM \"{0}\" t"
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(one.format(table) for table in tables))
        return {tables[table]: (rows, contents) for table, rows, contents in cursor}


def changed(before: Prints, after: Prints) -> set[str]:
    return {label for label in after if after[label] != before[label]}
