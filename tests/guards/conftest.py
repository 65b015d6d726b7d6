from __future__ import annotations

import pytest
from django.db import transaction

from tests.factories.rows import World


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker) -> World:
    """One small city for all tests of a module, in a transaction that is rolled back after the
    last: whatever they ask undoes itself (`tests.guards.asking`)."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield World()
        transaction.set_rollback(True)
