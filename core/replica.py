"""Reads that may go to a streaming standby (REPLICA_URL): residents' pages and reports.

Only safe requests of the rooms in `STANDBY_READS`, outside transactions, and only while the standby
is known to be fresh. All else goes to the primary: whatever writes or locks, sessions, who one is and
what one may do, jobs, commands. Who has just written reads from the primary until the standby must
have it (a cookie). Why so, and the arithmetic: docs/adr/0018-core-standby-reads.md.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseBase

log = logging.getLogger(__name__)

STANDBY = "standby"
COOKIE = "fresh"
ASK_EVERY = 1.0  # seconds between two looks at the standby, a process
ASK_AGAIN = 5.0  # … at one that did not answer: who asks waits for its silence
_SAFE = ("GET", "HEAD")
# Who is here and what they may do is asked where it was last changed.
_PRIMARY_ALONE = frozenset({"sessions", "accounts", "otp_totp", "otp_static", "axes"})


@dataclass
class _Turn:
    """One request: whether its reads may go to the standby, and whether it wrote."""

    standby: bool = False
    wrote: bool = False


_turn: ContextVar[_Turn | None] = ContextVar("turn", default=None)


def note_write() -> None:
    """What this person sees next must hold what has just been done, here or by their job."""
    if turn := _turn.get():
        turn.wrote, turn.standby = True, False


class Router:
    """Where a query goes. Both aliases are one database, so any two rows may meet."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str:
        turn = _turn.get()
        if turn is None or not turn.standby or model._meta.app_label in _PRIMARY_ALONE:
            return DEFAULT_DB_ALIAS
        if connections[DEFAULT_DB_ALIAS].in_atomic_block:
            turn.standby = False  # what follows may rest on what was read or written in there
            return DEFAULT_DB_ALIAS
        return STANDBY

    def db_for_write(self, model: type[Model], **hints: Any) -> str:
        if model._meta.app_label not in _PRIMARY_ALONE:
            note_write()
        return DEFAULT_DB_ALIAS

    def allow_relation(self, one: Model, other: Model, **hints: Any) -> bool:
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return db != STANDBY


class Watch:
    """How old what the standby shows may be, at most; looked at once a second by one request.

    The primary's position in its log is noted with the time. Once the standby has replayed past a
    note, it shows all that was acknowledged before that time. No clock but ours is asked, an idle
    primary makes no lag, and a cut line shows as what it is (the standby itself would not know).
    """

    def __init__(self) -> None:
        self._notes: deque[tuple[float, int]] = deque(maxlen=32)
        self._asking = threading.Lock()
        self._asked = self._due = -math.inf
        self._fresh = False

    def fresh(self) -> bool:
        """Whether the standby may be read now. Never waits for another request's look at it."""
        if time.monotonic() >= self._due and self._asking.acquire(blocking=False):
            try:
                begun, fresh = time.monotonic(), self._look()
                if fresh is not self._fresh:
                    log.warning("reads go to the %s", "standby" if fresh else "primary alone")
                self._asked, self._fresh = begun, fresh
            finally:
                self._asking.release()
        return self._fresh and time.monotonic() - self._asked < 2 * ASK_EVERY

    def lost(self) -> None:
        """It failed a query: not asked again for a while."""
        self._fresh, self._due = False, time.monotonic() + ASK_AGAIN
        connections[STANDBY].close()

    def _look(self) -> bool:
        self._due = time.monotonic() + ASK_EVERY
        try:
            noted = time.monotonic()
            (position,) = _ask(DEFAULT_DB_ALIAS, "SELECT pg_current_wal_lsn() - '0/0'")
            self._notes.append((noted, position))
            recovers, replayed = _ask(
                STANDBY, "SELECT pg_is_in_recovery(), pg_last_wal_replay_lsn() - '0/0'"
            )
        except Error as error:
            log.warning("the standby cannot be compared with the primary: %s", error)
            self.lost()
            return False
        if not recovers:  # promoted, or no standby at all: it goes its own way
            return False
        passed = [at for at, position in self._notes if position <= replayed]
        return bool(passed) and time.monotonic() - max(passed) <= settings.REPLICA_MAX_LAG


def _ask(alias: str, sql: str) -> tuple:
    with connections[alias].cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()


WATCH = Watch()


class StandbyReads:
    """Opens the standby to the reads of one request, and remembers who wrote.

    Stands last, so that a view that loses the standby under its hands is run again on the primary
    before anybody else hears of it: nothing was written, and nothing has been sent.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        turn = _Turn(wrote=request.method not in _SAFE)
        token = _turn.set(turn)
        try:
            response = self.get_response(request)
        finally:
            _turn.reset(token)
        if turn.wrote:
            response.set_cookie(
                COOKIE,
                "1",
                max_age=math.ceil(settings.REPLICA_MAX_LAG + 2 * ASK_EVERY),
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )
        return response

    def process_view(self, request: HttpRequest, view: Callable, args: Any, kwargs: Any) -> None:
        turn = _turn.get()
        turn.standby = (
            not turn.wrote
            and not getattr(
                request, "reads_primary", False
            )  # whoever keeps what is answered says so
            and COOKIE not in request.COOKIES
            and not settings.STANDBY_READS.isdisjoint(request.resolver_match.app_names)
            and WATCH.fresh()
        )

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        turn = _turn.get()
        if not turn.standby or not isinstance(error, Error):
            return None
        log.warning("the standby failed a request, which is run again on the primary: %s", error)
        turn.standby = False
        WATCH.lost()
        found = request.resolver_match
        return found.func(request, *found.args, **found.kwargs)
