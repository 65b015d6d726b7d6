"""The platform's own figures on /metrics, beside django-prometheus' of requests and answers.

They are counted in the database when asked for: web, worker and beat are processes of their own,
and the rows are what all of them agree on.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import structlog
from django.db import Error, connection
from django.db.models import Count, Min
from django.utils import timezone
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from core.enums import ACTIVE, WAITING
from core.models import Job, Notification

logger = structlog.get_logger(__name__)


class WorkCollector(Collector):
    """Jobs under way by queue and state, how long the oldest waits, and e-mail that is due."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            yield from self._count()
        except Error:  # the figures of requests are wanted all the more
            logger.warning("work_not_counted", exc_info=True)

    def _count(self) -> list[GaugeMetricFamily]:
        now = timezone.now()
        jobs = GaugeMetricFamily(
            "alliance_jobs", "Background jobs not yet ended", labels=["queue", "state"]
        )
        active = Job.objects.filter(state__in=ACTIVE).values_list("queue", "state")
        for queue, state, number in active.annotate(Count("pk")).order_by():
            jobs.add_metric([queue, state], number)
        waits = GaugeMetricFamily(
            "alliance_jobs_oldest_wait_seconds", "Age of the oldest waiting job", labels=["queue"]
        )
        waiting = Job.objects.filter(state__in=WAITING, send_after__lte=now).values_list("queue")
        for queue, since in waiting.annotate(Min("created_at")).order_by():
            waits.add_metric([queue], (now - since).total_seconds())
        mail = GaugeMetricFamily("alliance_mail_due", "Messages whose e-mail is due")
        mail.add_metric([], Notification.objects.mail_due().count())
        return [jobs, waits, mail, *_clock()]


def _clock() -> list[GaugeMetricFamily]:
    """How far this machine's clock is ahead of the database's (the trial has but one)."""
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
        ahead = time.time() - float(cursor.fetchone()[0])
    skew = GaugeMetricFamily(
        "alliance_clock_ahead_seconds", "This machine's clock before the database's"
    )
    skew.add_metric([], ahead)
    return [skew]


def page() -> tuple[bytes, str]:
    """All figures as Prometheus reads them, and the content type."""
    own = CollectorRegistry()
    own.register(WorkCollector())
    requests = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:  # several web processes: deploy/gunicorn.conf.py
        requests = CollectorRegistry()
        MultiProcessCollector(requests)
    return generate_latest(requests) + generate_latest(own), CONTENT_TYPE_LATEST
