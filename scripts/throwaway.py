"""A PostgreSQL and a Redis of one's own, on free ports in a temporary folder, gone afterwards.

::

    with services() as s:
        s.database_url, s.redis_url        # postgres://alliance@127.0.0.1:41231/postgres …
        s.postgres.stop(); s.postgres.start()

Only what was started here is ever stopped. Standard library alone: the suite, the benchmarks and
the tests of outages use it before and outside Django.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 60


class NotStarted(RuntimeError):
    """A service did not come up; the message holds the end of its log."""


def find_program(name: str) -> str | None:
    """A program's path: from PATH, or from Debian's per-version PostgreSQL folders (newest first)."""
    if found := shutil.which(name):
        return found
    versions = Path("/usr/lib/postgresql").glob("[0-9]*/bin")
    newest_first = sorted(versions, key=lambda p: float(p.parent.name), reverse=True)
    for extra in (*newest_first, Path("/usr/sbin"), Path("/usr/local/sbin")):
        if (extra / name).exists():
            return str(extra / name)
    return None


def free_port() -> int:
    """A port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def unprivileged() -> dict[str, object]:
    """Popen arguments that drop root, which PostgreSQL refuses to run as; empty for anyone else."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise NotStarted("PostgreSQL never runs as root, and there is no user postgres or nobody here")


class Service:
    """One server process in its own folder, started and stopped at will on one port."""

    stop_signal = signal.SIGTERM

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.process: subprocess.Popen | None = None

    def command(self) -> list[str]:
        raise NotImplementedError

    def answers(self) -> bool:
        raise NotImplementedError

    def popen_options(self) -> dict:
        return {}

    def start(self) -> None:
        """Start and wait until it answers; leave nothing behind if it does not."""
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command(),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches the suite first; it stops this in order
                **self.popen_options(),
            )
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                end = (self.folder / "log").read_text(errors="replace")[-2000:]
                raise NotStarted(f"{type(self).__name__} did not start on {self.port}:\n{end}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop it, if it runs, and wait until it is gone."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def kill(self) -> None:
        """Lose it at once, as in a power cut."""
        self.process.kill()
        self.process.wait()


class Postgres(Service):
    """UTF-8 with ctype C.UTF-8 (in ctype C, Chinese has no trigrams); durability is nobody's need."""

    stop_signal = signal.SIGINT  # "fast": do not wait for clients to leave

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.options = unprivileged()
        if "user" in self.options:
            os.chown(folder, self.options["user"], self.options["group"])
        subprocess.run(
            [
                _need("initdb"),
                *("--pgdata", str(folder / "data"), "--username", "alliance", "--auth", "trust"),
                *("--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"),
            ],
            cwd=folder,
            check=True,
            capture_output=True,
            **self.options,
        )

    @property
    def url(self) -> str:
        return f"postgres://alliance@127.0.0.1:{self.port}/postgres"

    def popen_options(self) -> dict:
        return self.options

    def command(self) -> list[str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": str(self.folder),
            "max_connections": 200,
            "shared_buffers": "256MB",
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
        }
        pairs = [word for k, v in settings.items() for word in ("-c", f"{k}={v}")]
        return [_need("postgres"), "-D", str(self.folder / "data"), *pairs]

    def crash(self) -> None:
        """Lose it at once, its children too, with nothing written in order: it recovers from its
        log when it starts. (A killed parent alone leaves children that keep the next one out.)"""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait()

    def answers(self) -> bool:
        done = subprocess.run(
            [_need("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)], check=False
        )
        return done.returncode == 0


class Redis(Service):
    """Keeps nothing on disk."""

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> list[str]:
        return [
            _need("redis-server"),
            *("--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)),
            *("--save", "", "--appendonly", "no"),
        ]

    def answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(5) == b"+PONG"
        except OSError:
            return False


def _need(name: str) -> str:
    found = find_program(name)
    if found is None:
        raise NotStarted(f"{name} is not installed")
    return found


@dataclass
class Services:
    postgres: Postgres | None = None
    redis: Redis | None = None

    @property
    def database_url(self) -> str:
        return self.postgres.url

    @property
    def redis_url(self) -> str:
        return self.redis.url


def _started(kind: type[Service], parent: Path) -> Service:
    """A running service; another port is tried when somebody took the free one meanwhile."""
    for attempt in range(3):
        folder = parent / f"{kind.__name__.lower()}{attempt}"
        folder.mkdir(mode=0o700)
        service = kind(folder)
        try:
            service.start()
        except NotStarted:
            if attempt == 2:
                raise
        else:
            return service
    raise AssertionError("unreachable")


@contextmanager
def services(*, postgres: bool = True, redis: bool = True) -> Iterator[Services]:
    """Run the services asked for; on the way out, however that is, stop them and drop the folder."""
    with ExitStack() as stack:
        parent = Path(tempfile.mkdtemp(prefix="alliance-services-"))
        stack.callback(shutil.rmtree, parent, ignore_errors=True)
        parent.chmod(0o711)  # the unprivileged user walks through to its own folder
        running = Services()
        if postgres:
            running.postgres = _started(Postgres, parent)
            stack.callback(running.postgres.stop)
        if redis:
            running.redis = _started(Redis, parent)
            stack.callback(running.redis.stop)
        yield running
