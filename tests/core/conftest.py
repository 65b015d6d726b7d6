from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest

from core import broker
from core.tasks import run_job
from tests.core import kinds  # noqa: F401  (registers the kinds of job that only tests run)


@pytest.fixture
def broker_down(monkeypatch) -> Callable[[], contextlib.AbstractContextManager]:
    """``with broker_down():`` this process finds nobody at the broker's address."""

    @contextlib.contextmanager
    def down():
        with monkeypatch.context() as patch:
            changes = run_job.app.conf.changes
            patch.setitem(changes, "broker_transport", "redis")
            patch.setitem(changes, "broker_write_url", "redis://127.0.0.1:1/0")
            yield

    broker.try_again()
    yield down
    broker.try_again()
