"""The two databases: how each is copied at one moment, and brought back.

Sessions are left out: whoever gets hold of a copy is thereby signed in nowhere.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import structlog
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from psycopg2.extensions import make_dsn

from core.errors import Refused

log = structlog.get_logger(__name__)
SESSIONS = Session._meta.db_table


class Postgres:
    """pg_dump in its custom format, of a snapshot that this process holds open."""

    suffix: ClassVar[str] = ".dump"

    @contextlib.contextmanager
    def frozen(self, target: Path, table: str) -> Iterator[Callable[[], None]]:
        """The database is copied to `target` at the end; all reads inside are of the same moment.

        From that moment on nobody writes to `table` before the block calls what it was given:
        what its rows name is still there till then.
        """
        with contextlib.ExitStack() as stack:
            holder = connection.copy()
            stack.callback(holder.close)
            holder.set_autocommit(False)
            with holder.cursor() as cursor:
                cursor.execute(f"LOCK TABLE {connection.ops.quote_name(table)} IN SHARE MODE")
            stack.enter_context(transaction.atomic(durable=True))
            cursor = stack.enter_context(connection.cursor())
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("SELECT pg_export_snapshot()")
            (snapshot,) = cursor.fetchone()
            yield holder.rollback
            self._run(
                *("pg_dump", "--format", "custom", "--no-owner", "--no-privileges"),
                *("--snapshot", snapshot, "--exclude-table-data", SESSIONS),
                *("--file", str(target)),
            )

    def bring_back(self, source: Path) -> None:
        """All of it or nothing. Raises `Refused`."""
        connection.close()
        self._run(
            *("pg_restore", "--single-transaction", "--exit-on-error"),
            *("--no-owner", "--no-privileges", str(source)),
        )
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")

    def _run(self, program: str, *arguments: str) -> None:
        found = _program(program)
        where = connection.get_connection_params()  # all of DATABASE_URL, TLS included
        password = where.pop("password", "")  # not for everybody's list of processes
        for ours in ("client_encoding", "cursor_factory"):
            where.pop(ours, None)
        done = subprocess.run(  # noqa: S603  (our own words and the settings')  # nosec B603
            [found, "--no-password", "--dbname", make_dsn(**where), *arguments],
            env={**os.environ, "PGPASSWORD": password},
            umask=0o077,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode:
            log.error("backup program failed", program=program, said=done.stderr[-2000:])
            why = done.stderr.strip().splitlines()[-1:] or [f"exit {done.returncode}"]
            raise Refused(
                f"{program} 没有成功：{why[0][:300]}。请按提示处理后重试（日志中有全部输出）。"
            )


class Sqlite:
    """The trial's file, as SQLite itself writes a copy of it."""

    suffix: ClassVar[str] = ".sqlite3"

    @contextlib.contextmanager
    def frozen(self, target: Path, table: str) -> Iterator[Callable[[], None]]:
        with transaction.atomic(durable=True):  # takes the write lock: nothing commits meanwhile
            yield lambda: None
            target.touch(mode=0o600)
            with contextlib.closing(sqlite3.connect(connection.settings_dict["NAME"])) as file:
                file.execute("VACUUM INTO ?", [str(target)])
        with contextlib.closing(sqlite3.connect(target)) as copy, copy:
            copy.execute("PRAGMA secure_delete = ON")
            copy.execute(f"DELETE FROM {SESSIONS}")  # noqa: S608  (the table's own name)

    def bring_back(self, source: Path) -> None:
        connection.close()
        target = Path(connection.settings_dict["NAME"])
        for leftover in ("-wal", "-shm"):
            Path(f"{target}{leftover}").unlink(missing_ok=True)
        fresh = target.with_name(f"{target.name}.part")
        shutil.copyfile(source, fresh)
        fresh.replace(target)


def engine() -> Any:
    return {"postgresql": Postgres, "sqlite": Sqlite}[connection.vendor]()


def is_empty() -> bool:
    """Whether the database holds no table at all."""
    return not connection.introspection.table_names()


def count_rows() -> dict[str, int]:
    """The number of rows of each table, sessions left out."""
    with connection.cursor() as cursor:
        found = {}
        for table in sorted(connection.introspection.table_names(cursor)):
            if table != SESSIONS:
                name = connection.ops.quote_name(table)
                cursor.execute(f"SELECT count(*) FROM {name}")  # noqa: S608  (the database's own)
                found[table] = cursor.fetchone()[0]
    return found


def _program(name: str) -> str:
    """PostgreSQL's tool, from PATH or from Debian's folders (newest first)."""
    if found := shutil.which(name):
        return found
    folders = Path("/usr/lib/postgresql").glob("[0-9]*/bin")
    for folder in sorted(folders, key=lambda f: float(f.parent.name), reverse=True):
        if (folder / name).exists():
            return str(folder / name)
    raise Refused(f"这台机器上没有 {name}。请安装 PostgreSQL 客户端（Debian：postgresql-client）。")
