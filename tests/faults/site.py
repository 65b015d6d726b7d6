"""The platform as people meet it: gunicorn on a PostgreSQL and a Redis that a test may take away.

The database is a copy of the suite's own, so that nothing is migrated twice. The state folder is
the test process's. Tests look into the database by the ORM (`Site.looked_into`) and speak to the
web by HTTP alone (`Person`).
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.db import connection, connections
from django.test import Client

from scripts.throwaway import Services, find_program, free_port
from tests.fixtures_services import ROOT, WorkerProcess

CSRF = "c" * 32
CONSOLE_FORM = "application/x-www-form-urlencoded"


def until(condition: Callable[[], Any], what: str, seconds: float = 90) -> Any:
    """Wait for `condition`; its value."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > deadline:
            pytest.fail(f"never came: {what}")
        time.sleep(0.05)
    return found


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class Person:
    """Somebody signed in, with a connection of their own for each request."""

    def __init__(self, site: Site, user: Any) -> None:
        inside = Client()
        inside.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        self.site, self.user, self.session = site, user, inside.session
        self.headers = {
            "Cookie": f"sessionid={inside.cookies['sessionid'].value}; csrftoken={CSRF}",
            "X-CSRFToken": CSRF,
        }

    def ask(
        self, method: str, path: str, body: Any = None, kind: str = CONSOLE_FORM, **more: str
    ) -> Answer:
        line = http.client.HTTPConnection("127.0.0.1", self.site.port, timeout=40)
        try:
            line.request(method, path, body, {**self.headers, "Content-Type": kind, **more})
            answer = line.getresponse()
            return Answer(answer.status, answer.headers, answer.read().decode())
        finally:
            line.close()

    def began(self, path: str, body: bytes, length: int, kind: str) -> socket.socket:
        """The connection of a request that said it would send `length` bytes and has sent `body`."""
        head = {"Host": "127.0.0.1", "Content-Length": length, "Content-Type": kind}
        lines = [f"{name}: {value}" for name, value in (head | self.headers).items()]
        line = socket.create_connection(("127.0.0.1", self.site.port), timeout=40)
        line.sendall("\r\n".join([f"POST {path} HTTP/1.1", *lines, "", ""]).encode() + body)
        return line

    def get(self, path: str) -> Answer:
        return self.ask("GET", path)

    def post(self, path: str, **fields: Any) -> Answer:
        """A form of the console."""
        return self.ask("POST", path, urlencode(fields, doseq=True))

    def send(self, path: str, **values: Any) -> Answer:
        """A request to the API."""
        return self.ask("POST", f"/api/v1/{path}", json.dumps(values), "application/json")


class Site:
    """gunicorn under the suite's settings; `settings_module` takes another one's place."""

    def __init__(self, services: Services, folder: Path) -> None:
        self.services, self.folder, self.port = services, folder, free_port()
        self.workers: list[WorkerProcess] = []
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings.test",
            "DATABASE_URL": services.database_url,
            "REDIS_URL": services.redis_url,
            "ALLIANCE_TEST_REDIS": services.redis_url,
            "PYTHONUNBUFFERED": "1",
            "WEB_CONCURRENCY": "2",
            "LOG_LEVEL": "INFO",
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
        }
        self.log = folder / "web.log"
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py"],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        until(self.is_ready, "a ready web")

    def stop(self) -> None:
        """At once: what it still did would be no test's business; a polite end takes seconds."""
        self.stop_workers()
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def worker(self, *queues: str, **environment: str) -> WorkerProcess:
        """A Celery worker of the site; gone with `stop_workers`."""
        log = self.folder / f"worker{len(self.workers)}.log"
        queues = queues or tuple(queue.name for queue in settings.CELERY_TASK_QUEUES)
        self.workers.append(WorkerProcess(queues, {**self.environment, **environment}, log))
        self.workers[-1].wait_until("ready.")
        return self.workers[-1]

    def stop_workers(self) -> None:
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.kill()

    def manage(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """manage.py on the site's database."""
        return subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def health(self, name: str) -> tuple[int, dict]:
        """What a probe hears; (0, {}) from nobody."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            line.request("GET", f"/healthz/{name}")
            answer = line.getresponse()
            return answer.status, json.loads(answer.read())
        except OSError:
            return 0, {}
        finally:
            line.close()

    def is_ready(self) -> bool:
        if self.process.poll() is not None:
            pytest.fail(f"the web ended:\n{self.log.read_text()[-3000:]}")
        return self.health("ready")[0] == 200

    @contextmanager
    def looked_into(self, blocker: Any) -> Iterator[None]:
        """This process's default connection leads to the site's database."""
        suite = connections["default"]
        mine = suite.copy()
        mine.settings_dict.update(
            HOST="127.0.0.1", PORT=self.services.postgres.port, NAME="postgres", USER="alliance"
        )
        with blocker.unblock():
            connections["default"] = mine
            try:
                yield
            finally:
                mine.close()
                connections["default"] = suite


def copy_database(port: int) -> None:
    """The suite's database as it is now, in the empty one of the throwaway server at `port`."""
    at = connection.settings_dict
    source = ["-h", at["HOST"], "-p", str(at["PORT"] or 5432), "-U", at["USER"], at["NAME"]]
    target = ["-h", "127.0.0.1", "-p", str(port), "-U", "alliance", "-d", "postgres"]
    environment = {**os.environ, "PGPASSWORD": at["PASSWORD"] or ""}
    with subprocess.Popen(
        [find_program("pg_dump"), "--no-owner", "-Fc", *source],
        stdout=subprocess.PIPE,
        env=environment,
    ) as dump:
        restore = [find_program("pg_restore"), "--no-owner", "--exit-on-error", *target]
        subprocess.run(restore, stdin=dump.stdout, check=True)
    assert dump.returncode == 0
    # What is acknowledged is on the disk: the crash of the server is meant, not of the machine.
    told = "ALTER DATABASE postgres SET synchronous_commit = on"
    subprocess.run([find_program("psql"), "-q", *target, "-c", told], check=True)
