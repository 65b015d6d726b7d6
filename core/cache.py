"""The cache in Redis, which may be lost at any time: then it knows nothing and keeps nothing.

Sessions stand in the database too, and what else is kept here is counts of tries. So a page is
served without it, slower; /healthz/ready says that the cache fails.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import structlog
from django.core.cache.backends.redis import RedisCache as DjangoRedisCache
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

log = structlog.get_logger(__name__)

PAUSE = 5  # seconds without another try after a failure: a frozen Redis costs a page one wait


class _Pause:
    """Shared by the threads of a process, as Django makes a cache object for each of them."""

    until = 0.0


def try_again() -> None:
    """Forget this process' pause: who looks whether Redis is back is there to try."""
    _Pause.until = 0.0


class RedisCache(DjangoRedisCache):
    """Django's, but a lost Redis is an empty one. Counting what is not there raises `ValueError`,
    as it always does."""

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self._asked(default, super().get, key, default, version)

    def set(self, key: Any, value: Any, *args: Any, **options: Any) -> None:
        self._asked(None, super().set, key, value, *args, **options)

    def add(self, key: Any, value: Any, *args: Any, **options: Any) -> bool:
        return self._asked(False, super().add, key, value, *args, **options)

    def delete(self, key: Any, version: int | None = None) -> bool:
        return self._asked(False, super().delete, key, version)

    def has_key(self, key: Any, version: int | None = None) -> bool:
        return self._asked(False, super().has_key, key, version)

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        found = self._asked(None, super().incr, key, delta, version)
        if found is None:
            raise ValueError("the cache is away")
        return found

    def _asked(self, otherwise: Any, ask: Callable[..., Any], *args: Any, **options: Any) -> Any:
        if time.monotonic() < _Pause.until:
            return otherwise
        try:
            return ask(*args, **options)
        except (RedisConnectionError, RedisTimeoutError) as error:
            _Pause.until = time.monotonic() + PAUSE
            log.warning("cache_away", error=str(error))
            return otherwise
