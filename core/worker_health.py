"""What a worker says of itself when `deploy/healthcheck.py worker` asks it through the broker.

A module of its own, which only workers import (core/tasks.py).
"""

from __future__ import annotations

from typing import Any

from celery.worker.control import inspect_command
from django.db import connection

from core import health


@inspect_command()
def ready(state: Any) -> dict[str, list[str]]:
    """As /healthz/ready, by the worker's own settings: a child that runs a job has no others."""
    try:
        return {"failing": health.failing()}
    finally:
        connection.close()  # children that are forked later take none with them
