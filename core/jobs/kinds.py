"""The kinds of background run: what each is called, where it queues, what runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

KINDS: dict[str, Kind] = {}
ATTEMPTS = 3


@dataclass(frozen=True)
class Kind:
    """One kind, declared by `job_kind`.

    attempts: how often a run that was cut off (killed worker, lost database) is begun anew
        before it counts as failed.
    minutes: the longest one attempt may take.
    keep_days: how long a result file can be fetched.
    abandoned: called with the `Job` in the transaction in which it ends without having done its
        work (failed, cancelled), to set right what an attempt has left. May be called again.
    """

    name: str
    title: str
    queue: str
    run: Callable[..., None]
    perm: str
    attempts: int
    minutes: float
    keep_days: int
    abandoned: Callable[[Any], None] | None


def job_kind(
    name: str,
    *,
    queue: str,
    title: str,
    perm: str = "",
    attempts: int = ATTEMPTS,
    minutes: float = 60,
    keep_days: int = 7,
    abandoned: Callable[[Any], None] | None = None,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Declare the function below it a kind of job. It stands in an app's `tasks.py`.

    It is called with the `Run` and the submitted parameters (ids and plain values), in a worker,
    perhaps twice: it writes inside `with job.atomic():` and replaces what an earlier attempt left.
    """

    def declare(run: Callable[..., None]) -> Callable[..., None]:
        if name in KINDS:
            raise ValueError(f"two kinds of job named {name}")
        KINDS[name] = Kind(name, title, queue, run, perm, attempts, minutes, keep_days, abandoned)
        return run

    return declare
