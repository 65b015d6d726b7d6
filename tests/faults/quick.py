"""The suite's settings with sweeps that come every two seconds: a test need not wait for ten."""

from config.settings.test import *  # noqa: F403
from config.settings.test import CELERY_BEAT_SCHEDULE

SWEEP_EVERY = 2
CELERY_BEAT_SCHEDULE = {
    **CELERY_BEAT_SCHEDULE,
    "sweep-jobs": {**CELERY_BEAT_SCHEDULE["sweep-jobs"], "schedule": SWEEP_EVERY},
}
