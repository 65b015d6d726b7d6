"""The heartbeat of a running job: a thread with a database connection of its own."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any, Self

from django.conf import settings
from django.db import Error, connection
from django.db.models.functions import Now

from core.models import Job

log = logging.getLogger(__name__)

WRITE_PROGRESS = 1.0  # seconds between two writes of progress
SQLITE_WAIT_MS = 1000  # a beat rather comes late than waits in the row of writers


class Stop(Exception):
    """The run must end. Raised out of `progress`; a run function lets it pass."""


class Cancelled(Stop):
    """Somebody asked for it."""


class Superseded(Stop):
    """Another worker holds the job: nothing that this one does counts any more."""


class OutOfTime(Stop):
    """The attempt took longer than its kind may."""


class Pulse:
    """Beats while its block runs, writes progress with the beat, and learns of cancel and loss."""

    def __init__(self, job: Job, seconds: float) -> None:
        self.progress: tuple[int, int, str] = (0, 0, "")
        self._job, self._deadline = job, time.monotonic() + seconds
        self._written = self.progress
        self._lost = self._cancelled = False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat_on, name=f"job-{job.pk}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._over.set()
        self._thread.join()

    def check(self) -> None:
        """Raise if the run must end."""
        if self._lost:
            raise Superseded
        if self._cancelled:
            raise Cancelled
        if time.monotonic() > self._deadline:
            raise OutOfTime

    def _beat_on(self) -> None:
        rhythm = settings.JOB_HEARTBEAT_SECONDS
        last = time.monotonic()
        try:
            while not self._over.wait(min(WRITE_PROGRESS, rhythm)):
                if self.progress == self._written and time.monotonic() - last < rhythm:
                    continue
                try:
                    self._beat()
                except Error as error:
                    # A database that is away for a moment: the next beat may find it again.
                    log.warning("job %s: heartbeat not written: %s", self._job.pk, error)
                    connection.close()
                else:
                    last = time.monotonic()
                if self._lost:
                    return
        finally:
            connection.close()

    def _beat(self) -> None:
        if connection.vendor == "sqlite" and connection.connection is None:
            with connection.cursor() as cursor:
                cursor.execute(f"PRAGMA busy_timeout = {SQLITE_WAIT_MS}")
        now = self.progress
        done, total, message = now
        mine = Job.objects.held(self._job)
        if not mine.update(
            heartbeat_at=Now(), suspect_at=None, done=done, total=total, message=message
        ):
            self._lost = True
            return
        self._written = now
        self._cancelled = mine.filter(cancel_asked_at__isnull=False).exists()
