"""Real processes beside the test's own: Celery workers and whatever else a test starts.

They reach the test's database, broker and state folder through the environment (`child_env`), so
the test must commit what they shall see: use `transactional_db`.
"""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from django.conf import settings
from django.db import connection

ROOT = Path(__file__).resolve().parents[1]
_serial = itertools.count(1)


def database_url() -> str:
    """Where the test's own database is."""
    at = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{at['NAME']}"
    password = f":{at['PASSWORD']}" if at["PASSWORD"] else ""
    return f"postgres://{at['USER']}{password}@{at['HOST']}:{at['PORT']}/{at['NAME']}"


@pytest.fixture
def child_env(transactional_db: None) -> dict[str, str]:
    """The environment in which a process of this project reaches the test's own database.

    E.g. ``subprocess.run([sys.executable, "manage.py", …], env=child_env, cwd=ROOT)``.
    """
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings.test",
        "DATABASE_URL": database_url(),
        "PYTHONUNBUFFERED": "1",
    }


@pytest.fixture(scope="session")
def _redis() -> Iterator[redis.Redis | None]:
    client = redis.Redis.from_url(settings.REDIS_URL) if settings.REDIS_URL else None
    yield client
    if client:
        client.close()


@pytest.fixture(autouse=True)
def _empty_cache_and_broker(_redis: redis.Redis | None) -> None:
    """No test finds what another left in the cache or in a queue."""
    if _redis:
        _redis.flushdb()
        return
    for folder in ("cache", "broker/queue", "broker/taken"):
        for path in (settings.VAR_DIR / folder).iterdir():
            path.unlink()


class WorkerProcess:
    """A `celery worker` in a process group of its own."""

    def __init__(self, queues: tuple[str, ...], environment: dict[str, str], log: Path) -> None:
        self.log = log
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "celery", "-A", "config", "worker"),
                    *("--queues", ",".join(queues), "--concurrency", "1"),
                    *("--hostname", f"test{next(_serial)}@%h"),
                    *("--without-gossip", "--without-mingle"),
                ],
                cwd=ROOT,
                env={**environment, "LOG_LEVEL": "INFO"},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    def wait_until(self, text: str, seconds: float = 60) -> None:
        """Until the worker's log says `text`; fails with the log when it does not in time."""
        deadline = time.monotonic() + seconds
        while text not in (said := self.log.read_text(errors="replace")):
            if self.process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the worker never said {text!r}:\n{said[-3000:]}")
            time.sleep(0.05)

    def kill(self) -> None:
        """As kill -9 or a power cut: the worker and its children are gone, nothing is tidied."""
        os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """Let it finish the task at hand, then end."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()


@pytest.fixture
def celery_worker_process(
    child_env: dict[str, str], tmp_path: Path
) -> Iterator[Callable[..., WorkerProcess]]:
    """Starts real workers on the test's own database and broker, and stops them afterwards::

    worker = celery_worker_process("reports")     # one queue or several; all by default
    worker.kill()                                 # kill -9, children and all
    """
    workers: list[WorkerProcess] = []

    def start(*queues: str) -> WorkerProcess:
        names = queues or tuple(queue.name for queue in settings.CELERY_TASK_QUEUES)
        worker = WorkerProcess(names, child_env, tmp_path / f"worker{len(workers)}.log")
        workers.append(worker)
        worker.wait_until("ready.")
        return worker

    yield start
    for worker in workers:
        if worker.process.poll() is None:
            worker.kill()  # what it still did would be no test's business; a polite end takes seconds
