"""What was found out and stands for a minute: kept by this process, for the next who asks the same.

::

    _forecasts = Briefly()
    plan = _forecasts.get(question)
    if plan is None:
        plan = _forecasts.keep(question, find(question))

Only for what may be a minute old, and may differ by as much between two processes: never for what a
person is shown as a number, nor for whether somebody may do something.
"""

from __future__ import annotations

import time
from collections.abc import Hashable
from typing import Any
from weakref import WeakSet

SECONDS = 60
MOST = 1_000  # answers of a kind; beyond them all are forgotten

_all: WeakSet[Briefly] = WeakSet()


class Briefly:
    """Answers by question, each for `SECONDS`. Of a question only a print is kept: it holds what
    somebody searched for."""

    def __init__(self) -> None:
        self._found: dict[int, tuple[float, Any]] = {}
        _all.add(self)

    def get(self, question: Hashable) -> Any:
        """The answer that still stands, or None."""
        until, answer = self._found.get(hash(question), (0.0, None))
        return answer if until > time.monotonic() else None

    def keep(self, question: Hashable, answer: Any) -> Any:
        """Let `answer` stand from now on; it is given back."""
        if len(self._found) >= MOST:
            self._found.clear()
        self._found[hash(question)] = time.monotonic() + SECONDS, answer
        return answer

    def forget(self) -> None:
        self._found.clear()


def forget_all() -> None:
    """For tests: each begins with a database of its own."""
    for kept in _all:
        kept.forget()
