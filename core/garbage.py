"""Python's search for cycles, out of the way while very many objects are made at once.

::

    with no_collection():
        rows = [Row(…) for line in lines]     # tens of thousands that all stay

Each time a quarter more objects stand than before, the collector walks over every one of them; of
rows that name no one back it never finds anything. What is let go inside the block is freed as ever
(by its count), cycles after the block. Loading a city's divisions takes a tenth less (`make bench`).
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collection() -> Iterator[None]:
    """Collect no cycles inside; for the whole process, so for seconds at most. May be nested."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
