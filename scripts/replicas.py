"""A streaming standby and a pool of connections, beside what scripts/throwaway.py starts.

::

    with services() as s, standby_of(s.database_url) as standby:
        standby.url                 # reads alone
        standby.promote()           # and now a primary
"""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from scripts.throwaway import HERE, Place, Postgres, Service, need, own_folder, started


class Standby(Postgres):
    """A streaming standby of the server at a URL, which it tells its name: standby."""

    def __init__(
        self, folder: Path, of: str, place: Place = HERE, more: dict[str, object] | None = None
    ) -> None:
        self.of = urlsplit(of)
        super().__init__(folder, place, more)

    def _make(self) -> None:
        at = f"host={self.of.hostname} port={self.of.port} user={self.of.username}"
        self._run(
            [
                need("pg_basebackup"),
                *("--pgdata", str(self.folder / "data"), "--write-recovery-conf", "--no-sync"),
                *("--checkpoint", "fast", "--dbname", f"{at} application_name=standby"),
            ]
        )

    def promote(self) -> None:
        """Make a primary of it, and wait until it takes writes."""
        self._run([need("pg_ctl"), "promote", "-w", "-D", str(self.folder / "data")])


class PgBouncer(Service):
    """A pool that lends connections for a transaction at a time; where to, `point_to` says."""

    as_root = False
    SETTINGS = {
        "pool_mode": "transaction",
        "default_pool_size": 20,
        "max_client_conn": 500,
        # A database that is away: clients wait for it this long, and it is tried every second.
        "query_wait_timeout": 30,
        "server_login_retry": 1,
        "server_connect_timeout": 2,
        # One that has fallen silent in the middle of a query: noticed in seconds, not in hours.
        "tcp_keepidle": 2,
        "tcp_keepintvl": 1,
        "tcp_keepcnt": 3,
        "tcp_user_timeout": 5000,
        "ignore_startup_parameters": "extra_float_digits",
    }

    def __init__(self, folder: Path, to: str, place: Place = HERE) -> None:
        super().__init__(folder, place)
        self.file = folder / "pgbouncer.ini"
        (folder / "users").write_text('"alliance" ""\n')
        self.point_to(to)

    @property
    def url(self) -> str:
        return f"postgres://alliance@{self.place.host}:{self.port}/postgres"

    def point_to(self, url: str) -> None:
        """Lend connections to this server from now on; a running pool drops those to the old one."""
        to = urlsplit(url)
        own = {
            "listen_addr": self.place.host,
            "listen_port": self.port,
            "unix_socket_dir": "",
            "auth_type": "trust",
            "auth_file": str(self.folder / "users"),
            **self.SETTINGS,
        }
        lines = [f"{name} = {value}" for name, value in own.items()]
        database = f"* = host={to.hostname} port={to.port}"
        self.file.write_text("\n".join(["[databases]", database, "[pgbouncer]", *lines, ""]))
        if self.process is not None:
            self.process.send_signal(signal.SIGHUP)

    def command(self) -> list[str]:
        return [need("pgbouncer"), str(self.file)]

    def answers(self) -> bool:
        with suppress(OSError), socket.create_connection((self.place.host, self.port), 1):
            return True
        return False


@contextmanager
def standby_of(url: str) -> Iterator[Standby]:
    """Run a streaming standby of the server at `url`, which must let us replicate it."""
    with own_folder() as parent:
        standby = started(Standby, parent, url)
        try:
            yield standby
        finally:
            standby.stop()
