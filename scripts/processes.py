"""Our own programs beside a service: a web, a worker, a clock; here or on a machine of its own."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import threading
from contextlib import suppress
from pathlib import Path

from scripts import prepare
from scripts.throwaway import HERE, Place

BIN = prepare.VENV / "bin"
_CELERY = [str(BIN / "celery"), "-A", "config"]
_QUIET = ["--without-gossip", "--without-mingle"]
WEB = [str(BIN / "gunicorn"), "-c", "deploy/gunicorn.conf.py"]
BEAT = [*_CELERY, "beat", "--pidfile="]


def worker(name: str, concurrency: int) -> list[str]:
    return [
        *_CELERY,
        "worker",
        "--hostname",
        f"{name}@%h",
        "--concurrency",
        f"{concurrency}",
        *_QUIET,
    ]


class Process:
    """One program in a process group of its own; its log is kept under `logs`."""

    def __init__(
        self, name: str, command: list[str], environment: dict, logs: Path, place: Place = HERE
    ) -> None:
        self.name, self.command, self.environment, self.place = name, command, environment, place
        self.log = logs / f"{name}.log"
        self.running: subprocess.Popen | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(
                [*self.place.inside, *self.command],
                cwd=prepare.ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches the program that started it, which ends it
            )

    @property
    def lives(self) -> bool:
        return self.running is not None and self.running.poll() is None

    def kill(self) -> None:
        """As a power cut: its children go with it."""
        if self.lives:
            os.killpg(self.running.pid, signal.SIGKILL)
            self.running.wait()

    def stop(self) -> None:
        """Ask it to finish what it has at hand; for a while."""
        if self.lives:
            self.running.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.running.wait(20)
            self.kill()


class Memory(threading.Thread):
    """Once a minute, what each program holds with its children: MB, shared pages in parts."""

    def __init__(self, programs: list[Process]) -> None:
        super().__init__(daemon=True)
        self.programs, self.over = programs, threading.Event()
        self.seen: dict[str, list[float]] = {one.name: [] for one in programs}

    def run(self) -> None:
        while True:
            for one in self.programs:
                self.seen[one.name].append(_held(one.running.pid))
            print("  ".join(f"{n} {s[-1]:.0f} MB" for n, s in self.seen.items()), flush=True)
            if self.over.wait(60):
                return

    def rows(self) -> list[tuple[str, list[int], float]]:
        """(program, MB minute by minute, slope in MB a minute over the second half)."""
        found = []
        for name, seen in self.seen.items():
            half = seen[len(seen) // 2 :]
            slope = statistics.linear_regression(range(len(half)), half).slope if half[1:] else 0.0
            found.append((name, [round(one) for one in seen], slope))
        return found


def processor_seconds(pid: int) -> float:
    """What a program has computed so far, with all that it started, the ended ones too."""
    return sum(map(_computed, [pid, *_below(pid)])) / os.sysconf("SC_CLK_TCK")


def server_of(database: str) -> int:
    """The PostgreSQL of this machine that serves a database just now: its process."""
    for folder in Path("/proc").iterdir():
        with suppress(OSError):
            line = (folder / "cmdline").read_text() if folder.name.isdigit() else ""
            if line.startswith("postgres: ") and f" {database} " in line:
                return int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    raise LookupError(f"nobody here serves {database}")


def _computed(pid: int) -> int:
    """Clock ticks: its own, and those of its children that have ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0  # it has just ended, and is counted with its parent
    return sum(map(int, fields[11:15]))


def _held(pid: int) -> float:
    total = 0
    for process in [pid, *_below(pid)]:
        try:
            rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
        except OSError:
            continue  # it has just ended
        total += next(int(line.split()[1]) for line in rollup.splitlines() if line[:4] == "Pss:")
    return total / 1024


def _below(pid: int) -> list[int]:
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [one for child in map(int, found) for one in (child, *_below(child))]
