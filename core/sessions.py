"""What a session holds, kept together with what is written beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

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
    before = dict(session.items())
    try:
        with transaction.atomic():
            before = _locked(session)
            _replace(session, before)
            yield
            session.save()
            _forget_copy(session)  # made before this transaction ends, and wrong if it does not …
            # … and what somebody read meanwhile is old when it does.
            transaction.on_commit(partial(_forget_copy, session), robust=True)
    except BaseException:
        _replace(session, before)
        raise
    session.modified = False  # nothing is left that the answer might fail to keep


def _locked(session: SessionStore) -> dict[str, Any]:
    """What the database holds of it now."""
    rows = session.model.objects.select_for_update().filter(session_key=session.session_key)
    if (row := rows.first()) is None:
        raise SessionInterrupted("the session ended before its form came")
    return session.decode(row.session_data)


def _replace(session: SessionStore, held: dict[str, Any]) -> None:
    session.clear()
    session.update(held)


def _forget_copy(session: SessionStore) -> None:
    """The next request asks the database."""
    if hasattr(session, "cache_key"):
        caches[settings.SESSION_CACHE_ALIAS].delete(session.cache_key)
