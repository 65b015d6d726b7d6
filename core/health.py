"""What machines ask: is the process alive, is it ready for work, what do its figures say.

Answers name what fails and nothing else; the log tells why. A worker is asked through the broker:
core/worker_health.py.
"""

from __future__ import annotations

import hmac
import tempfile
from collections.abc import Callable
from functools import cache
from ipaddress import ip_address, ip_network

import structlog
from celery import current_app
from django.conf import settings
from django.core.cache import caches
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from core import fields
from core.cache import try_again
from core.metrics import page

logger = structlog.get_logger(__name__)


class NotReady(Exception):
    """A check found something missing; the message is for the log."""


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


@cache  # a yes is final for this process, because its code does not change; a no is not kept
def _migrations() -> None:
    executor = MigrationExecutor(connection)
    if plan := executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise NotReady(f"{len(plan)} migrations are not applied: run manage.py migrate")


@cache  # a yes is final for this process, because its keys do not change
def _keys() -> None:
    fields.try_keys()


def _cache() -> None:
    try_again()  # each process waits by itself: after an outage one would say yes, the next no
    caches["default"].set("healthz", "1", 5)
    if caches["default"].get("healthz") != "1":
        raise NotReady("the cache forgot at once what it was told")


def _broker() -> None:
    with current_app.connection_for_write() as broker:
        broker.ensure_connection(max_retries=1, interval_start=0, timeout=2)


def _state_folder() -> None:
    with tempfile.NamedTemporaryFile(dir=settings.VAR_DIR) as probe:
        probe.write(b"1")


CHECKS: dict[str, Callable[[], None]] = {
    "database": _database,
    "migrations": _migrations,
    "keys": _keys,
    "cache": _cache,
    "broker": _broker,
    "state_folder": _state_folder,
}
OF_TABLES = ("migrations", "keys")  # which need all that stands before them


def failing() -> list[str]:
    """The names of what this very process lacks to do its work; none when it is ready."""
    found: list[str] = []
    for name, check in CHECKS.items():
        if name in OF_TABLES and found:
            continue  # nothing can be said of the tables, and one cause has one name
        try:
            check()
        except Exception:
            logger.warning("not_ready", check=name, exc_info=True)
            found.append(name)
    return found


@never_cache
@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """The process answers. Touches nothing else, so that a lost database restarts nobody."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """200 when a person's request can be served, else 503 with the names of what fails."""
    if found := failing():
        return JsonResponse({"status": "failing", "failing": found}, status=503)
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus' figures, for METRICS_ALLOW or the bearer of METRICS_TOKEN; else 403."""
    if not (_bears_token(request) or _asks_from_inside(request)):
        return HttpResponseForbidden("not public\n", content_type="text/plain")
    body, content_type = page()
    return HttpResponse(body, content_type=content_type)


def _bears_token(request: HttpRequest) -> bool:
    given = request.headers.get("Authorization", "").encode()
    wanted = f"Bearer {settings.METRICS_TOKEN}".encode()
    return bool(settings.METRICS_TOKEN) and hmac.compare_digest(given, wanted)


def _asks_from_inside(request: HttpRequest) -> bool:
    """Whether the asker's own address is allowed. What a proxy passes on comes from outside."""
    if "X-Forwarded-For" in request.headers:
        return False
    try:
        address = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    return any(address in ip_network(n, strict=False) for n in settings.METRICS_ALLOW)
