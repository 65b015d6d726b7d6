"""Secrets that the trial makes for itself, each in a file under the state folder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path


def kept(folder: Path, name: str, make: Callable[[], str]) -> str:
    """The secret `name`: read from its file, or made by `make` and written there (mode 600).

    Web, worker and beat may all start first; a lock lets one of them write and the rest read.
    """
    path = folder / name
    if path.exists():
        return path.read_text()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            fresh = folder / f".{name}.new"
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
                f.write(make())
            fresh.replace(path)
    return path.read_text()
