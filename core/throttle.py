"""Counting tries within a window, shared by all processes through the cache."""

from __future__ import annotations

from datetime import timedelta

from django.core.cache import cache
from rest_framework import throttling


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


class _ToldWithinItsSpan:
    """The framework counts by the wall clock. Once that was set back, what was asked before lies in
    the future, and whoever is refused would be sent away until then; the cache keeps it for one
    span alone."""

    def wait(self) -> float | None:
        seconds = super().wait()
        return None if seconds is None else min(seconds, self.duration)


class AnonRateThrottle(_ToldWithinItsSpan, throttling.AnonRateThrottle):
    """Of the API, by address."""


class UserRateThrottle(_ToldWithinItsSpan, throttling.UserRateThrottle):
    """Of the API, by account."""
