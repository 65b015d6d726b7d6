"""The stamp under which pages are kept: another one as soon as anything that they show has changed.

Every statement that writes to one of the tables counts, whoever sends it: a save, an update of many
rows, SQL of the tree's own. The stamp changes when it is committed. COPY goes past this hook; it
loads areas into a city that nobody visits yet, and a page is a minute old at most.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any
from uuid import uuid4

from django.apps import apps
from django.core.cache import cache as shared
from django.db import connections, transaction
from django.db.backends.signals import connection_created

READ = ("services.Item", "orgs.Area", "core.WorkdayOverride")  # what the pages show
KEY = "portal-stamp"


def current() -> str | None:
    """The stamp now; None while the cache does not answer. A cache that has lost it gets another
    one, so that no page of before is taken for new."""
    found = shared.get(KEY)
    if found is None:
        shared.add(KEY, uuid4().hex, timeout=None)
        found = shared.get(KEY)
    return found


def change() -> None:
    """No page that is kept anywhere is given out from now on."""
    shared.set(KEY, uuid4().hex, timeout=None)


@cache
def _writes() -> re.Pattern[str]:
    tables = "|".join(apps.get_model(label)._meta.db_table for label in READ)
    verbs = r"INSERT\s+INTO|UPDATE(?:\s+ONLY)?|DELETE\s+FROM|TRUNCATE(?:\s+TABLE)?"
    return re.compile(rf'\b(?:{verbs})\s+"?(?:{tables})\b', re.IGNORECASE)


def _watch(execute: Any, sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    done = execute(sql, params, many, context)
    text = str(sql)
    if not text.startswith("SELECT") and _writes().search(text):
        using = context["connection"].alias
        waiting = connections[using].run_on_commit
        if not any(function is change for _, function, _ in waiting):
            transaction.on_commit(change, using=using, robust=True)  # what was written stands
    return done


def _install(connection: Any, **_: Any) -> None:
    if _watch not in connection.execute_wrappers:
        connection.execute_wrappers.insert(0, _watch)


def install() -> None:
    connection_created.connect(_install, dispatch_uid="portal-stamp")
