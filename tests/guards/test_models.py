"""Every model is scoped or says why not; every task and every kind of job names its queue."""

from __future__ import annotations

import pytest
from django.conf import settings

from config.celery import app
from core.jobs import KINDS
from core.scope import Reach
from orgs.enums import STAMPS
from tests.guards.project import ROOMS, models

UNSCOPED = {
    "core.attachment": "seen by whoever sees the object it hangs on (core.attachments)",
    "core.auditchain": "heads of the chains: read and written by core.audit alone",
    "orgs.areahistory": "names and paths of divisions, which are public",
    "grids.postkind": "a table of names, the same for everybody",
    "grids.gridstandard": "a table of figures, the same for everybody",
    "reports.change": "marks of changed places: read and written by the refresh, shown to nobody",
    "reports.tally": "what a run counted, for the next refresh: shown to nobody",
    "services.serial": "counters of numbers: written by one action, shown to nobody",
    "reports.indicator": "the definition of a measure, the same for everybody",
    "reports.band": "the definition of a band, the same for everybody",
}


class Everyone:
    """Reaches a node of each level, a unit and a city: every rule has something to filter by."""

    pk, is_active = 1, True

    def reach(self, perm: str) -> Reach:
        return Reach(areas=tuple((level, 1) for level in STAMPS), units=(1,), cities=(1,))


def test_every_model_is_scoped_or_says_why_not():
    bare = {m._meta.label_lower for m in models() if not hasattr(m, "scope")}
    assert bare - set(UNSCOPED) == set(), "declare a scope (docs/scope.md), or give the reason here"
    assert set(UNSCOPED) - bare == set(), "scoped or gone: take the reason away"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "model", [m for m in models() if hasattr(m, "scope")], ids=lambda m: m._meta.label_lower
)
def test_every_scope_filters_by_what_is_there(model):
    """A misspelled path would pass for None in the object test and fail in the filter."""
    assert hasattr(model._default_manager, "visible_to"), "its manager lacks ScopedQuerySet"
    assert list(model._base_manager.filter(model.scope.q(Everyone()))) == []


def queues() -> set[str]:
    return {queue.name for queue in settings.CELERY_TASK_QUEUES}


def own_tasks() -> list[str]:
    app.loader.import_default_modules()
    return sorted(
        name for name, task in app.tasks.items() if task.__module__.partition(".")[0] in ROOMS
    )


def test_every_task_names_a_queue_that_is_there():
    tasks = own_tasks()
    assert tasks, "the tasks are found"
    for name in tasks:
        routed = settings.CELERY_TASK_ROUTES.get(name, {}).get("queue")
        queue = routed or getattr(app.tasks[name], "queue", None)
        assert queue in queues(), f"{name} names no queue"


def test_every_route_and_every_scheduled_task_is_there():
    tasks = set(own_tasks())
    assert set(settings.CELERY_TASK_ROUTES) <= tasks
    assert {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()} <= tasks


def test_every_kind_of_job_names_a_queue_that_is_there():
    own_tasks()
    assert KINDS
    for kind in KINDS.values():
        assert kind.queue in queues(), f"{kind.name} names no queue"
