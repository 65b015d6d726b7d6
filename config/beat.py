"""celery beat, which goes on when the machine's clock is set back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import structlog
from celery.beat import PersistentScheduler

log = structlog.get_logger(__name__)

TOLERATED = timedelta(seconds=2)  # what keeping time in step may do at once


class Scheduler(PersistentScheduler):
    """Celery's own counts from when a task was last sent. After the clock was set back by an hour
    that lies an hour ahead, and nothing would be sent until it is reached; here it counts anew."""

    def tick(self, *args: Any, **options: Any) -> float:
        ahead = [
            entry
            for entry in self.schedule.values()
            if entry.last_run_at - entry.default_now() > TOLERATED
        ]
        if ahead:
            log.warning("clock was set back", entries=len(ahead))
            for entry in ahead:
                entry.last_run_at = entry.default_now()
            self._heap = None  # made again from the entries
        return super().tick(*args, **options)
