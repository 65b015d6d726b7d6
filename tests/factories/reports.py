"""Reviews, computed as in a worker: the job's own run function, within the same fence."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from django.test import override_settings
from django.utils import timezone

from accounts.enums import Role
from core.jobs import execute, pulse
from core.periods import Period, period_of
from orgs.models import Area
from reports.actions.compute import start_run
from reports.models import Review, Run
from tests.factories.accounts import person


def this_quarter() -> Period:
    return period_of(timezone.localdate())


def run(area: Area, period: Period | None = None, by: Any = None) -> Run:
    """Start and compute a run; the message goes to no worker, it runs here. Its heart does not beat:
    another connection does not see rows that are not committed, and would take them for lost."""
    made = start_run(
        period=period or this_quarter(), area=area, by=by or person(Role.ORG_DEPARTMENT, area)
    )
    with override_settings(JOB_HEARTBEAT_SECONDS=600), patch.object(pulse, "WRITE_PROGRESS", 600):
        execute(made.job_id)
    return Run.objects.get(pk=made.pk)


def review(area: Area, period: Period | None = None) -> Review:
    """The review of one place, computed."""
    period = period or this_quarter()
    if not Review.objects.filter(area=area, period=period.text).exists():
        run(area.city, period)
    return Review.objects.get(area=area, period=period.text)
