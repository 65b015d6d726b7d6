"""Counting tries within a window, shared by all processes through the cache."""

from __future__ import annotations

from datetime import timedelta

from django.core.cache import cache


def one_more_try(name: str, who: str, window: timedelta) -> int:
    """Count one try of `who` and return how many there were since the window opened.

    `who` must say nothing of a person in clear (a keyed digest, not a number or an address).
    """
    key = f"tries:{name}:{who}"
    cache.add(key, 0, window.total_seconds())
    try:
        return cache.incr(key)
    except ValueError:  # the window ended between the two calls
        return 1


def forget_tries(name: str, who: str) -> None:
    """Start counting anew, after a try that was right."""
    cache.delete(f"tries:{name}:{who}")
