"""The wall clock of real processes, set while they run; PostgreSQL and Redis keep the true one."""

from __future__ import annotations

import struct
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from scripts.throwaway import need

SOURCE = Path(__file__).with_suffix(".c")


class Clock:
    """Of all processes that are started in `environment`. It shows the true time until it is set."""

    def __init__(self, folder: Path) -> None:
        library, self._file = folder / "clock.so", folder / "clock"
        _compile(library)
        self._by = timedelta()
        self._file.write_bytes(bytes(struct.calcsize("l")))
        self.environment = {"LD_PRELOAD": str(library), "CLOCK_SET_BY": str(self._file)}

    def set_by(self, by: timedelta) -> None:
        """By so much from where it is."""
        self._by += by
        with self._file.open("r+b") as file:
            file.write(struct.pack("l", round(self._by.total_seconds())))

    def set_to(self, hour: int, minute: int) -> None:
        """To a time of today, in the zone of the platform."""
        now = timezone.localtime() + self._by
        self.set_by(now.replace(hour=hour, minute=minute) - now)


def _compile(library: Path) -> None:
    command = [need("gcc"), "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(f"no clock (it takes Debian's build-essential):\n{done.stderr}")
