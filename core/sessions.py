"""What a session holds, kept together with what is written beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.exceptions import SessionInterrupted
from django.core.cache import caches
from django.db import transaction


@contextmanager
def held(session: SessionStore) -> Iterator[None]:
    """A transaction that the session takes part in: what is changed of it in here is kept if, and
    only if, all that is written in here is.

    The session is read anew and locked. Who sends the same form twice at once waits for the first
    and then finds what that left. An error leaves the session as it was.
    """
    with transaction.atomic():
        rows = session.model.objects.select_for_update()
        row = rows.filter(session_key=session.session_key).first()
        if row is None:
            raise SessionInterrupted("the session ended before its form came")
        session.clear()
        session.update(session.decode(row.session_data))
        before = dict(session.items())
        try:
            yield
        except BaseException:
            session.clear()
            session.update(before)
            raise
        session.save()
        session.modified = False  # nothing is left that the answer might fail to keep
        if hasattr(session, "cache_key"):
            # Kept there before this transaction ends, and wrong if it does not: asked of the
            # database next time.
            caches[settings.SESSION_CACHE_ALIAS].delete(session.cache_key)
