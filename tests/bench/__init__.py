"""The benchmarks (`make bench`): each module reports rows of one table, scripts.bench keeps them.

A figure is a ratio: the work against a yardstick that is measured in the same run and in turns with
it, so that a busy machine slows both. Medians; the seconds beside them mean something on the one
machine only.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import time
from collections.abc import Callable

TIMES = 5


def seconds(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """What one call takes."""
    start = clock()
    work()
    return clock() - start


def medians(
    *works: Callable[[], object],
    times: int = TIMES,
    before: Callable[[], object] = lambda: None,
    clock: Callable[[], float] = time.perf_counter,
) -> list[float]:
    """Median seconds of each of `works`, called in turns, each after an untimed `before`."""
    rounds = [[(before(), seconds(work, clock))[1] for work in works] for _ in range(times)]
    return [statistics.median(found) for found in zip(*rounds, strict=True)]


def share() -> float:
    """How much of the city stands in this run: 0.1, 0.5 or 1."""
    return float(os.environ.get("BENCH_SHARE", "1"))


def peak() -> int:
    """The most memory that this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def row(
    work: str,
    took: float,
    yardstick: str,
    theirs: float,
    unit: str = "s",
    *,
    at_most: float | None = None,
    faster: float | None = None,
    memory: int | None = None,
) -> None:
    """Report one row of the table: what the work and its yardstick took, in `unit`.

    What is wanted is said as `at_most` (the work over the yardstick) or as `faster` (the yardstick
    over the work). `memory` is the most that the process held, in MB (`peak`). `work` names the row
    at every scale, so it holds no figure that follows the scale. One line of JSON, which
    scripts.bench puts into the table.
    """
    found = {key: value for key, value in locals().items() if value is not None}
    print(json.dumps(found, ensure_ascii=False), flush=True)
