"""The one thing in which we differ from Django: a cursor on the server lives within a transaction.

Outside of one, Django declares it WITH HOLD, and it belongs to the session. Behind PgBouncer, which
lends a connection for a transaction at a time, the next FETCH may reach another session, where it is
not. Django's own switch (DISABLE_SERVER_SIDE_CURSORS) gives up all of them, and an export of
330,000 rows would be held in memory. So what is long stands in a transaction and streams; what is
not (the choices of a form) is fetched at once. See docs/adr/0012-core-pooling.md.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    def chunked_cursor(self) -> Any:
        return self.cursor() if self.get_autocommit() else super().chunked_cursor()
