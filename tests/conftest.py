"""What every test shares."""

from __future__ import annotations

import io
import json
import logging.config

import pytest
from django.conf import settings
from django.db import connection
from django.test import TransactionTestCase

import config.celery  # noqa: F401  (tasks are sent through this application)
from core import briefly, logs, triggers

pytest_plugins = ["tests.fixtures_services"]


@pytest.fixture(autouse=True, scope="session")
def _audit_tables_can_be_emptied():
    """The append-only triggers forbid the flush that ends a transactional test; lift them for
    the flush alone. Tests themselves always run under the triggers."""
    flush = TransactionTestCase._fixture_teardown

    def lifted(self):
        triggers.drop(connection)
        try:
            flush(self)
        finally:
            triggers.create(connection)

    TransactionTestCase._fixture_teardown = lifted
    yield
    TransactionTestCase._fixture_teardown = flush


@pytest.fixture(autouse=True)
def _nothing_is_known_of_another_database():
    briefly.forget_all()


@pytest.fixture
def log():
    """All that production writes while the test goes on, at the most talkative; the suite's own
    logging is restored afterwards."""
    stream = io.StringIO()
    config = logs.logging_config(as_json=True, level="DEBUG")
    config["handlers"]["line"]["stream"] = stream
    logging.config.dictConfig(config)
    yield stream.getvalue
    logging.config.dictConfig(settings.LOGGING)


@pytest.fixture
def log_lines(log):
    """The same line by line, read back."""
    return lambda: [json.loads(line) for line in log().splitlines()]
