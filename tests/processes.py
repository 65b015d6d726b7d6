"""Run a function of the tests in several processes at once, on the test database.

A process has its own connection, so locks and triggers answer as they do between two web
workers. Needs committed rows: `@pytest.mark.django_db(transaction=True)`.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any

from django.db import connection


def parallel(function: Callable[..., Any], arguments: list[tuple]) -> list[Future]:
    """Call `function(*args)` for each of `arguments`, one process each, all at once.

    `function` stands at the top of a module. Returns finished futures, in order: `.result()` or
    `.exception()` of each.
    """
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        len(arguments),
        mp_context=spawn,
        initializer=_connect,
        initargs=(connection.settings_dict["NAME"], spawn.Barrier(len(arguments))),
    ) as pool:
        return [pool.submit(_start_together, function, args) for args in arguments]


_shared: dict[str, Any] = {}  # of one process: the barrier that all of them wait at


def _connect(database: str, barrier: Any) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
    import django

    django.setup()
    import config.celery  # noqa: F401  (tasks are sent through this application)

    connection.settings_dict["NAME"] = database
    _shared["barrier"] = barrier


def _start_together(function: Callable[..., Any], args: tuple) -> Any:
    _shared["barrier"].wait(timeout=60)
    try:
        return function(*args)
    finally:
        connection.close()
