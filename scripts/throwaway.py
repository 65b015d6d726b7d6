"""A PostgreSQL and a Redis of one's own, on free ports in a temporary folder, gone afterwards.

::

    with services() as s:
        s.database_url, s.redis_url        # postgres://alliance@127.0.0.1:41231/postgres …
        s.postgres.stop(); s.postgres.start()

Only what was started here is ever stopped. Standard library alone: the suite, the benchmarks and
the tests of outages use it before and outside Django. A standby and a pool beside them: scripts/replicas.py.
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
# As docker-compose.yml has it: what is measured here is planned as it is there.
PLANNER = {"random_page_cost": "1.1"}


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


@dataclass(frozen=True)
class Place:
    """Where a service runs: here, or in a network namespace with an address of its own.

    `inside` goes before a command to run it there; see scripts/machines.py.
    """

    host: str = "127.0.0.1"
    inside: tuple[str, ...] = ()

    @property
    def alone(self) -> bool:
        return self.host == "127.0.0.1"


HERE = Place()


class Service:
    """One server process in its own folder, started and stopped at will on one port."""

    stop_signal = signal.SIGTERM
    as_root = True  # whether it may run as root, where root starts it

    def __init__(self, folder: Path, place: Place = HERE) -> None:
        self.folder = folder
        self.place = place
        self.options = {} if self.as_root else unprivileged()
        if "user" in self.options:
            os.chown(folder, self.options["user"], self.options["group"])
        self.port = free_port()
        self.process: subprocess.Popen | None = None

    def command(self) -> list[str]:
        raise NotImplementedError

    def answers(self) -> bool:
        raise NotImplementedError

    def _there(self, command: list[str]) -> dict:
        """Popen arguments that run a command at its place, as its user."""
        if not (self.place.inside and self.options):
            return {"args": [*self.place.inside, *command], **self.options}
        # Only root enters a namespace: its rights are dropped on the other side of the door.
        ids = [
            f"--re{kind}={self.options[name]}" for kind, name in (("uid", "user"), ("gid", "group"))
        ]
        return {"args": [*self.place.inside, "setpriv", *ids, "--clear-groups", *command]}

    def _run(self, command: list[str]) -> None:
        subprocess.run(**self._there(command), cwd=self.folder, check=True, capture_output=True)

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
                **self._there(self.command()),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches the suite first; it stops this in order
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
    """UTF-8 as docker-compose.yml has it: ctype C.UTF-8 (in ctype C, Chinese has no trigrams),
    collation C. Durability is nobody's need.

    `more`: settings besides, or instead of, those that stand here.
    """

    stop_signal = signal.SIGINT  # "fast": do not wait for clients to leave
    as_root = False

    def __init__(
        self, folder: Path, place: Place = HERE, more: dict[str, object] | None = None
    ) -> None:
        super().__init__(folder, place)
        self.more = more or {}
        self._make()
        if not place.alone:
            with (folder / "data" / "pg_hba.conf").open("a") as rules:
                rules.write("host all all samenet trust\nhost replication all samenet trust\n")

    def _make(self) -> None:
        self._run(
            [
                need("initdb"),
                *("--pgdata", str(self.folder / "data"), "--username", "alliance"),
                *("--encoding", "UTF8", "--locale", "C.UTF-8", "--lc-collate", "C"),
                *("--auth", "trust", "--no-sync"),
            ]
        )

    @property
    def url(self) -> str:
        return f"postgres://alliance@{self.place.host}:{self.port}/postgres"

    def command(self) -> list[str]:
        settings = {
            "listen_addresses": self.place.host,
            "port": self.port,
            "unix_socket_directories": str(self.folder),
            "max_connections": 200,
            "shared_buffers": "256MB",
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            **PLANNER,
            **self.more,
        }
        pairs = [word for k, v in settings.items() for word in ("-c", f"{k}={v}")]
        return [need("postgres"), "-D", str(self.folder / "data"), *pairs]

    def crash(self) -> None:
        """Lose it at once, its children too, with nothing written in order: it recovers from its
        log when it starts. (A killed parent alone leaves children that keep the next one out.)"""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait()

    def answers(self) -> bool:
        done = subprocess.run(
            [need("pg_isready"), "-q", "-h", self.place.host, "-p", str(self.port)], check=False
        )
        return done.returncode == 0


class Redis(Service):
    """Keeps nothing on disk."""

    @property
    def url(self) -> str:
        return f"redis://{self.place.host}:{self.port}/0"

    def command(self) -> list[str]:
        return [
            need("redis-server"),
            *("--port", str(self.port), "--bind", self.place.host, "--dir", str(self.folder)),
            *("--save", "", "--appendonly", "no", "--protected-mode", "no"),
        ]

    def answers(self) -> bool:
        try:
            with socket.create_connection((self.place.host, self.port), 1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(5) == b"+PONG"
        except OSError:
            return False


def need(name: str) -> str:
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


def started(kind: type[Service], parent: Path, *arguments: object) -> Service:
    """A running service; another port is tried when somebody took the free one meanwhile."""
    for attempt in range(3):
        folder = parent / f"{kind.__name__.lower()}{attempt}"
        folder.mkdir(mode=0o700)
        service = kind(folder, *arguments)
        try:
            service.start()
        except NotStarted:
            if attempt == 2:
                raise
        else:
            return service
    raise AssertionError("unreachable")


@contextmanager
def own_folder() -> Iterator[Path]:
    parent = Path(tempfile.mkdtemp(prefix="alliance-services-"))
    try:
        parent.chmod(0o711)  # the unprivileged user walks through to its own folder
        yield parent
    finally:
        shutil.rmtree(parent, ignore_errors=True)


@contextmanager
def services(*, postgres: bool = True, redis: bool = True) -> Iterator[Services]:
    """Run the services asked for; on the way out, however that is, stop them and drop the folder."""
    with own_folder() as parent, ExitStack() as stack:
        running = Services()
        if postgres:
            running.postgres = started(Postgres, parent)
            stack.callback(running.postgres.stop)
        if redis:
            running.redis = started(Redis, parent)
            stack.callback(running.redis.stop)
        yield running
