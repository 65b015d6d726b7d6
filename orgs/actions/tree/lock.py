"""One writer of the tree at a time, without harm to the writers of facts."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import structlog
from django.db import OperationalError, connection, transaction

from core.errors import Conflict
from orgs.querysets import tree_writable

P = ParamSpec("P")
R = TypeVar("R")

_LOCK = 0x617265  # "are": every tree write takes this one advisory lock
_PATIENCE_MS = 400  # below PostgreSQL's deadlock_timeout of 1 s: the tree yields, not the fact
_ATTEMPTS = 8
# 55P03 lock_not_available, 40P01 deadlock_detected
_CROSSED = {"55P03", "40P01"}

log = structlog.get_logger(__name__)


def tree_action(function: Callable[P, R]) -> Callable[P, R]:
    """Run an action in a transaction that holds the tree's lock; the action re-reads its nodes.

    A writer of facts holds the place it stamps from (`orgs.models.placed`) and may hold rows
    that a restamp wants, so the two can cross. The tree gives way: it waits a moment for a row,
    undoes its own step, lets the other finish and tries again. `Conflict` when that never comes
    right, e.g. during a long import of facts below the node.
    """

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with transaction.atomic(), tree_writable():
            if connection.vendor != "postgresql":  # SQLite: BEGIN IMMEDIATE is the lock
                return function(*args, **kwargs)
            before = _take_lock()
            for attempt in range(1, _ATTEMPTS + 1):
                try:
                    with transaction.atomic():
                        _set_lock_timeout(f"{_PATIENCE_MS}ms")
                        result = function(*args, **kwargs)
                        _set_lock_timeout(before)
                        return result
                except OperationalError as error:
                    if getattr(error.__cause__, "pgcode", None) not in _CROSSED:
                        raise
                    log.info("tree_write_yields", action=function.__name__, attempt=attempt)
                time.sleep(random.uniform(0.02, 0.1))  # noqa: S311 - jitter, not a secret
            raise Conflict("这一片区划下正有人成批登记资料，暂时不能调整。请过几分钟再试。")

    return run


def _take_lock() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        cursor.execute("SELECT current_setting('lock_timeout')")
        return cursor.fetchone()[0]


def _set_lock_timeout(value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [value])
