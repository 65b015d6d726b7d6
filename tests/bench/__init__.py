"""The benchmarks (`make bench`): each module prints rows of one table, scripts.bench keeps them.

A figure is a ratio: the work against a yardstick that is measured in the same run and in turns with
it, so that a busy machine slows both. Medians; the seconds beside them mean something on the one
machine only.
"""

from __future__ import annotations

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


def peak() -> str:
    """The most memory that this process has held."""
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB"


def row(work: str, took: float, yardstick: str, theirs: float, unit: str = "s") -> None:
    """Print a line of the table: how many times the yardstick, or how much faster than it."""
    factor = took / theirs
    ratio = f"{1 / factor:.1f} × faster" if factor < 1 else f"{factor:.1f} × its cost"
    figures = " | ".join(f"{value:,.3g} {unit}" for value in (took, theirs))
    print(f"| {work} | {ratio} | {yardstick} | {figures} |", flush=True)
