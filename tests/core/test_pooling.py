"""What a pool that lends connections by transaction asks of us (docs/adr/0012-core-pooling.md)."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def _cursors_of(connection_) -> list[str]:
    with connection_.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_cursors WHERE is_holdable")
        return [name for (name,) in cursor.fetchall()]


def test_a_cursor_on_the_server_lives_within_a_transaction():
    rows = "SELECT n FROM generate_series(1, 9) n"
    with connection.chunked_cursor() as cursor:
        cursor.execute(rows)
        assert cursor.name is None
        assert _cursors_of(connection) == []
        assert len(cursor.fetchall()) == 9
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(rows)
        assert cursor.name, "a long read streams"
        assert _cursors_of(connection) == []
        assert len(cursor.fetchmany(4)) == 4
