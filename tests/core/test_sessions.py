"""A session that takes part in a transaction."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.conf import settings
from django.contrib.sessions.exceptions import SessionInterrupted
from django.core.cache import caches
from django.db import transaction

from core.errors import Refused
from core.sessions import held

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def session():
    made = store()
    made["typed"] = "楼道灯坏了"
    made.save()
    return made


def store(key: str | None = None):
    return import_module(settings.SESSION_ENGINE).SessionStore(key)


def test_what_is_changed_is_kept_with_what_is_written(session):
    with held(session):
        session["number"] = session.pop("typed")
    assert dict(store(session.session_key).items()) == {"number": "楼道灯坏了"}
    assert not session.modified, "there is nothing left to keep"


def test_an_error_leaves_it_as_it_was(session):
    def fail() -> None:
        with held(session):
            del session["typed"]
            raise Refused("不行")

    with pytest.raises(Refused):
        fail()
    for one in (session, store(session.session_key)):
        assert dict(one.items()) == {"typed": "楼道灯坏了"}


def test_it_is_read_anew(session):
    other = store(session.session_key)
    other["number"] = "7"
    other.save()
    assert "number" not in session
    with held(session):
        assert session["number"] == "7"


def test_a_transaction_around_it_that_fails_takes_it_along(session):
    with transaction.atomic():
        with held(session):
            session["number"] = "7"
        transaction.set_rollback(True)
    assert dict(store(session.session_key).items()) == {"typed": "楼道灯坏了"}


@pytest.mark.postgres
def test_who_read_it_a_moment_too_early_leaves_no_old_copy(session):
    old = dict(session.items())
    with held(session):
        session["number"] = "7"
        # They have read the row before this is committed, and put it by after.
        copies = caches[settings.SESSION_CACHE_ALIAS]
        transaction.on_commit(lambda: copies.set(session.cache_key, old))
    assert store(session.session_key).get("number") == "7"


def test_one_that_has_ended_is_not_made_again(session):
    session.model.objects.all().delete()
    with pytest.raises(SessionInterrupted), held(session):
        pytest.fail("it is over")
    assert not session.model.objects.exists()
