"""The platform's own server on loopback, and how many requests a second it answers.

gunicorn as in production (deploy/gunicorn.conf.py), two workers; the addresses of the platform
and beside them the yardsticks (`tests.bench.urls`), so that both stand behind the same middleware,
database and cache. Eight connections stay open and each asks again as soon as it has its answer.

Each worker has a port of its own and half of the connections. Behind one port the kernel hands them
out by luck; in a third of all rounds one worker had them all, at a third of the rate.
"""

from __future__ import annotations

import os
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from tests.bench import share

ROOT = Path(__file__).resolve().parents[2]
WORKERS, CONNECTIONS, ROUNDS = 2, 8, 5
SECONDS = 0.8 if share() == 1 else 0.25  # a round; the parts of a city show only how it grows
START_SECONDS = 60


@dataclass(frozen=True)
class Ask:
    """A GET with its headers. `status`: what every answer must be."""

    path: str
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 200

    def sent(self, host: str) -> bytes:
        lines = [f"{name}: {value}" for name, value in {"Host": host, **self.headers}.items()]
        return "\r\n".join([f"GET {self.path} HTTP/1.1", *lines, "", ""]).encode()


@dataclass(frozen=True)
class Site:
    ports: Sequence[int]

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.ports[0]}"

    def rates(self, *asked: Ask, seconds: float = SECONDS, rounds: int = ROUNDS) -> list[float]:
        """Median requests a second of each of `asked`, in turns."""
        for one in asked:
            self.rate(one, seconds / 2)  # warm: templates, connections, caches
        found = [[self.rate(one, seconds) for one in asked] for _ in range(rounds)]
        return [median(rates) for rates in zip(*found, strict=True)]

    def rate(self, ask: Ask, seconds: float) -> float:
        """Requests answered in a second. An answer of another status ends the bench."""
        request, expected = ask.sent(self.host), f" {ask.status} ".encode()
        answered, start = 0, time.perf_counter()
        end = start + seconds
        with selectors.DefaultSelector() as waiting:
            lines = [_Line(port, request) for port in self.ports * (CONNECTIONS // WORKERS)]
            for line in lines:
                waiting.register(line.socket, selectors.EVENT_READ, line)
                line.ask()
            while waiting.get_map():
                for key, _ in waiting.select(60):
                    if not key.data.answered(expected):
                        continue
                    answered += 1
                    if time.perf_counter() < end:
                        key.data.ask()
                    else:
                        waiting.unregister(key.fileobj)
            took = time.perf_counter() - start
            for line in lines:
                line.socket.close()
        return answered / took


class _Line:
    """One connection that is kept open."""

    def __init__(self, port: int, request: bytes) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.request, self.got = request, b""

    def ask(self) -> None:
        self.got = b""
        self.socket.sendall(self.request)

    def answered(self, expected: bytes) -> bool:
        """Takes what has come; whether the answer is whole."""
        came = self.socket.recv(1 << 18)
        self.got += came
        head, found, body = self.got.partition(b"\r\n\r\n")
        if not came or (found and expected not in head[:16]):
            raise RuntimeError(f"an answer that was not expected: {self.got[:400]!r}")
        return bool(found) and len(body) >= _length(head)


def _length(head: bytes) -> int:
    _, found, rest = head.lower().partition(b"\r\ncontent-length:")
    return int(rest.partition(b"\r\n")[0]) if found else 0


@contextmanager
def server(**environment: str) -> Iterator[Site]:
    """The platform and the yardsticks on free ports, until the block ends."""
    from scripts.throwaway import free_port

    ports, processes = [free_port() for _ in range(WORKERS)], []
    try:
        processes.extend(_started(port, environment) for port in ports)
        for port, process in zip(ports, processes, strict=True):
            _wait(process, port)
        yield Site(ports)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()


def _started(port: int, environment: dict[str, str]) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py"],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.bench.settings",
            "WEB_CONCURRENCY": "1",
            "PORT": str(port),
            **environment,
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _wait(process: subprocess.Popen, port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the server did not start") from None
            time.sleep(0.1)


def cookie_of(user) -> str:
    """The Cookie header of a browser in which this person has signed in."""
    from django.conf import settings
    from django.test import Client

    client = Client()
    client.force_login(user)
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


def milliseconds(rates: Sequence[float]) -> list[float]:
    """What one request takes of the whole server, from requests a second."""
    return [1000 / rate for rate in rates]
