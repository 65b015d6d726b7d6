"""People before a browser, as threads: each keeps what it was told is done.

Standard library alone. A client knows two web machines as a name with two addresses does: who finds
nobody at one tries the other, and what may have been received is never sent twice.
"""

from __future__ import annotations

import http.client
import itertools
import random
import re
import threading
import time
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

CONNECT_SECONDS = 3
SECONDS = 45  # a browser is as patient
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


class Lost(Exception):
    """No answer, or one of 5xx: whether it was done is not known."""


@dataclass
class Answer:
    code: int
    text: str
    location: str


class Browser:
    """One person's cookies; a request goes to the next of the web machines (`host:port`)."""

    def __init__(self, machines: list[str]) -> None:
        self._turns = itertools.cycle(random.sample(machines, len(machines)))
        self._count = len(machines)
        self._cookies: dict[str, tuple[str, float]] = {}  # value, and when it is forgotten

    def get(self, path: str) -> Answer:
        return self._ask("GET", path, None)

    def post(self, path: str, **fields: str) -> Answer:
        return self._ask("POST", path, urlencode(fields))

    def _ask(self, method: str, path: str, body: str | None) -> Answer:
        headers = {"Host": "alliance.test", "Cookie": self._cookie()}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection = self._connected(path)
        try:
            connection.request(method, path, body, headers)
            found = connection.getresponse()
            text = found.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            raise Lost(f"{path}: {error!r}") from None
        finally:
            connection.close()
        if found.status >= 500:
            raise Lost(f"{path}: {found.status}")
        self._keep(found.headers.get_all("Set-Cookie") or [])
        return Answer(found.status, text, urlsplit(found.headers.get("Location") or "").path)

    def _connected(self, path: str) -> http.client.HTTPConnection:
        """At the first machine that takes the call; nothing has been said yet."""
        for _ in range(self._count):
            connection = http.client.HTTPConnection(next(self._turns), timeout=CONNECT_SECONDS)
            try:
                connection.connect()
            except OSError:
                continue
            connection.sock.settimeout(SECONDS)
            return connection
        raise Lost(f"{path}: nobody there")

    def _cookie(self) -> str:
        now = time.monotonic()
        kept = {name: value for name, (value, until) in self._cookies.items() if now < until}
        return "; ".join(f"{name}={value}" for name, value in kept.items())

    def _keep(self, lines: list[str]) -> None:
        for line in lines:
            for name, cookie in SimpleCookie(line).items():
                age = float(cookie["max-age"] or "inf")
                self._cookies[name] = (cookie.value, time.monotonic() + age)

    def sign_in(self, username: str, password: str) -> None:
        page = self.get("/console/sign-in/")
        found = self.post(
            "/console/sign-in/",
            csrfmiddlewaretoken=TOKEN.search(page.text)[1],
            username=username,
            password=password,
        )
        if found.code != 302:
            raise RuntimeError(f"{username} could not sign in: {found.code}")


@dataclass
class Ledger:
    """What one client was told, by its own clock (`time.monotonic`)."""

    done: list[tuple[float, str, str]] = field(default_factory=list)  # (when, key, where it stands)
    unknown: list[tuple[float, str]] = field(default_factory=list)
    reads: int = 0
    lost: list[tuple[float, str]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


class Client(threading.Thread):
    """Does `step` again and again until told to stop."""

    pause = 0.1

    def __init__(self, name: str, machines: list[str], stop: threading.Event) -> None:
        super().__init__(name=name, daemon=True)
        self.browser, self.stopping, self.ledger = Browser(machines), stop, Ledger()

    def run(self) -> None:
        for number in itertools.count(1):
            if self.stopping.is_set():
                return
            try:
                self.step(number)
            except Lost as why:
                self.ledger.lost.append((time.monotonic(), str(why)))
            self.stopping.wait(self.pause)

    def step(self, number: int) -> None:
        raise NotImplementedError

    def read(self, path: str, expected: str) -> None:
        """A page that must say `expected`; anything else is a wrong answer."""
        found = self.browser.get(path)
        self.ledger.reads += 1
        if found.code != 200 or expected not in found.text:
            self.ledger.wrong.append(f"{self.name} {path}: {found.code}, without {expected!r}")


class Reader(Client):
    """Looks at one page after the other: (address, what it must say)."""

    def __init__(self, *args: object, pages: list[tuple[str, str]]) -> None:
        super().__init__(*args)
        self.pages = pages

    def step(self, number: int) -> None:
        self.read(*random.choice(self.pages))


class Writer(Client):
    """Publishes a need after the other, and looks at once at what residents see of it."""

    def sign_in(self, username: str, password: str) -> None:
        self.browser.sign_in(username, password)
        self.token = TOKEN.search(self.browser.get("/console/services/items/add/").text)[1]

    def step(self, number: int) -> None:
        title = f"演练{self.name}第{number}件"
        try:
            found = self.browser.post(
                "/console/services/items/add/",
                csrfmiddlewaretoken=self.token,
                kind="need",
                title=title,
                content="演练用：需要一名志愿者。",
                topic="other",
                beneficiary="residents",
                capacity="1",
                then="publish",
            )
        except Lost as why:
            self.ledger.unknown.append((time.monotonic(), title))
            self.ledger.lost.append((time.monotonic(), str(why)))
            return
        if found.code != 302:
            self.ledger.wrong.append(f"{title}: {found.code}")
            return
        self.ledger.done.append((time.monotonic(), title, found.location))
        page = self.browser.get(found.location).text
        public = re.search(r"编号</dt><dd>([\w-]+)", page)
        if title not in page or public is None:
            self.ledger.wrong.append(f"{title}: not on its page after it was published")
            return
        self.read(f"/item/{public[1]}/", title)


class Exporter(Client):
    """Orders one file after the other; the worker's part comes later."""

    pause = 0.5

    def sign_in(self, username: str, password: str) -> None:
        self.browser.sign_in(username, password)
        page = self.browser.get("/console/lists/services:items/export/").text
        self.token = TOKEN.search(page)[1]

    def step(self, number: int) -> None:
        # Another file each time: the same one twice at once would be one job.
        try:
            found = self.browser.post(
                f"/console/lists/services:items/export/?q={self.name}{number}",
                csrfmiddlewaretoken=self.token,
                format="csv",
            )
        except Lost as why:
            self.ledger.unknown.append((time.monotonic(), f"{self.name}{number}"))
            self.ledger.lost.append((time.monotonic(), str(why)))
            return
        if found.code != 302:
            self.ledger.wrong.append(f"export {number}: {found.code}")
            return
        self.ledger.done.append((time.monotonic(), f"{self.name}{number}", found.location))
