"""Handing a task to the broker from a web request: quickly or not at all.

Nothing is lost when the broker is away, because what must happen stands in a row (a job, a due
e-mail) and a sweep sends it again. So a send is tried once, with short timeouts, and after a
failure this process does not try again for a while: a page must not wait for a dead broker twice.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from celery import Task
from kombu.exceptions import KombuError

log = logging.getLogger(__name__)

TIMEOUT = 2  # seconds, to connect and for each answer
PAUSE = 10  # seconds without another try after a failure
_FAST = {
    "socket_connect_timeout": TIMEOUT,
    "socket_timeout": TIMEOUT,
    "connect_retries_timeout": TIMEOUT,
    "max_retries": 0,
}


class _Pause:
    """Shared by the threads of a process: what one of them found, the others need not."""

    until = 0.0


def send(task: Task, *args: Any, **options: Any) -> bool:
    """Put one message on the task's queue; False (and a line in the log) when the broker does not take it.

    Call it on commit. `options` are those of `apply_async`.
    """
    if is_away():
        return False
    try:
        with task.app.connection_for_write() as connection:
            connection.transport_options.update(_FAST)
            task.apply_async(args=args, connection=connection, retry=False, **options)
    except (KombuError, OSError) as error:
        _Pause.until = time.monotonic() + PAUSE
        log.warning("broker did not take %s: %s", task.name, error)
        return False
    return True


def is_away() -> bool:
    """Whether the broker failed a moment ago, so that another send would not even be tried."""
    return time.monotonic() < _Pause.until


def try_again() -> None:
    """Forget the pause after a failure: a sweep is there to try."""
    _Pause.until = 0.0
