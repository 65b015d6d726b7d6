"""A working morning for locust: one act a second and person, more people until the machine has enough.

Environment: LOAD_CAST, what tests.load.cast wrote; LOAD_TOLD, where to write what was told and
measured; LOAD_STEPS, "find" or "hold:USERS:SECONDS".
"""

from __future__ import annotations

import html
import itertools
import json
import os
import random
import re
import statistics
import time
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any
from urllib.parse import quote

from locust import FastHttpUser, LoadTestShape, constant_throughput, events, task

CAST = json.loads(Path(os.environ["LOAD_CAST"]).read_text())
WARM = 15  # seconds in which each process meets each page for the first time; they count nowhere
SETTLE, MEASURE, HOLD = 4, 12, 45  # seconds of a step before and while it counts; of the last one
FIRST, GROWTH, MOST = 10, 1.5, 600
HOLDS, LESS = 3, 0.9  # how often a pace is held at most, each time so much of the one before
KEEPS_UP, BEARABLE = 0.95, 1000  # of what was offered is done; milliseconds at the 95th percentile
SECRET = "loadloadloadloadloadloadloadload"  # a CSRF cookie is the browser's own word
_serial = itertools.count(1)

done: list[tuple[float, str, float, str]] = []  # (when, act, milliseconds, what is wrong)
acts: list[float] = []  # when each whole act ended
told: dict[str, Any] = {
    "run": CAST["run"],
    "published": {},
    "unknown": [],
    "exports": [],
    "steps": [],
}


class Person(FastHttpUser):
    """Any of the people of the city at each act: a resident, a worker of some community."""

    wait_time = constant_throughput(1)
    network_timeout = connection_timeout = 30.0

    def on_start(self) -> None:
        self.client.cookiejar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        time.sleep(random.random())  # not all at the same moment of the second

    # -- residents: 70 of 100

    @task(15)
    def home(self) -> None:
        one = random.choice(CAST["readers"])
        self.see("portal home", "/", f"/c/{one['code']}/", cookie=f"community={one['code']}")

    @task(25)
    def community(self) -> None:
        one = random.choice(CAST["readers"])
        self.see("portal community", f"/c/{one['code']}/", one["newest"])

    @task(20)
    def matter(self) -> None:
        number, title = random.choice(CAST["matters"])
        self.see("portal item", f"/item/{number}/", title)

    @task(10)
    def choose(self) -> None:
        one = random.choice(CAST["readers"])
        self.see("portal search", f"/choose/?q={quote(one['name'])}", f"/choose/{one['code']}/")

    # -- staff who look: 20 of 100

    @task(4)
    def workbench(self) -> None:
        one = random.choice(CAST["readers"])
        self.see("workbench", "/console/", one["user"], one)

    @task(6)
    def items(self) -> None:
        one = random.choice(CAST["readers"])
        self.see("list of items", "/console/services/items/", f"共 {one['items']} 条", one)

    @task(3)
    def units(self) -> None:
        one = random.choice(CAST["readers"])
        self.see("list of units", "/console/orgs/units/", f"共 {one['units']} 条", one)

    @task(3)
    def members(self) -> None:
        one = random.choice(CAST["readers"])
        self.see("list of members", "/console/members/members/", f"共 {one['members']} 条", one)

    @task(4)
    def detail(self) -> None:
        one = random.choice(CAST["readers"])
        pk, title = one["item"]
        self.see("one item", f"/console/services/items/{pk}/", title, one)

    # -- staff who write: 8 of 100

    @task(5)
    def publish(self) -> None:
        one, title = random.choice(CAST["writers"]), f"压测{CAST['run']}第{next(_serial)}件"
        fields = {
            "kind": "need",
            "title": title,
            "content": "压测用：需要一名志愿者。",
            "topic": "other",
            "beneficiary": "residents",
            "capacity": "1",
            "then": "publish",
        }
        told["unknown"].append(title)  # until it is acknowledged, which the end may cut off
        found = self.send("publish", "/console/services/items/add/", one, fields)
        if not found:
            return
        told["unknown"].remove(title)
        told["published"][title] = 1
        one.setdefault("own", []).append((found, title))

    @task(3)
    def resize(self) -> None:
        one = random.choice(CAST["writers"])
        if not one.get("own"):
            self.publish()
            return
        address, title = one["own"].pop()  # nobody else changes it meanwhile
        page = self.see("form", f"{address}resize/", title, one)
        shown = re.search(r'name="_version" value="([^"]*)"', page or "")
        if shown is None:
            return
        wanted = random.randint(2, 50)
        told["published"][title] = None  # until it is acknowledged, either may be
        fields = {"capacity": str(wanted), "_version": shown[1]}
        if self.send("change", f"{address}resize/", one, fields):
            told["published"][title] = wanted
            one["own"].append((address, title))

    # -- files: 2 of 100

    @task(2)
    def export(self) -> None:
        one = random.choice(CAST["readers"])
        path = f"/console/lists/services:items/export/?q={next(_serial)}"
        found = self.send("order a file", path, one, {"format": "csv"})
        if found:
            told["exports"].append(found.rstrip("/").rpartition("/")[2])

    # -- how

    def see(
        self, act: str, path: str, expected: str, one: dict | None = None, cookie: str = ""
    ) -> str | None:
        """Get a page that must say `expected`; its text, None if it does not."""
        cookie = f"sessionid={one['session']}" if one else cookie
        began = time.monotonic()
        found = self.client.get(path, headers={"Cookie": cookie}, name=act)
        text = found.text or ""
        wrong = ""
        if found.status_code != 200:
            wrong = f"error {found.status_code}"
        elif html.escape(expected) not in text:
            wrong = f"wrong: {path} without {expected!r}"
        _note(act, began, wrong)
        return None if wrong else text

    def send(self, act: str, path: str, one: dict, fields: dict[str, str]) -> str | None:
        """Submit a form; the address that it leads to, None when it was not taken."""
        headers = {"Cookie": f"sessionid={one['session']}; csrftoken={SECRET}"}
        began = time.monotonic()
        found = self.client.post(
            path,
            data={"csrfmiddlewaretoken": SECRET, **fields},
            headers=headers,
            name=act,
            allow_redirects=False,
        )
        wrong = "" if found.status_code == 302 else f"error {found.status_code}"
        _note(act, began, wrong)
        return None if wrong else found.headers["Location"]


def _note(act: str, began: float, wrong: str) -> None:
    now = time.monotonic()
    done.append((now, act, (now - began) * 1000, wrong))
    if act != "form":
        acts.append(now)


class Morning(LoadTestShape):
    """More people step by step until they are not served in time; then for long where they were, or
    a little below where that pace does not hold."""

    use_common_options = False

    def __init__(self) -> None:
        super().__init__()
        mode, *rest = os.environ.get("LOAD_STEPS", "find").split(":")
        self.finding = mode == "find"
        self.users = FIRST if self.finding else int(rest[0])
        self.seconds = MEASURE if self.finding else float(rest[1])
        self.good, self.bad, self.last = 0, 0, not self.finding
        self.holds = 0
        self.begun = time.monotonic() + WARM

    def tick(self) -> tuple[int, float] | None:
        now = time.monotonic()
        if now - self.begun >= SETTLE + self.seconds:
            if not self._judge(self.begun + SETTLE, now):
                return None
            self.begun = now
        return self.users, 100

    def _judge(self, since: float, until: float) -> bool:
        """Note the step that ends; whether there is another."""
        step = _figures(self.users, since, until)
        in_time = step["acts"] >= KEEPS_UP * self.users and step["p95"] <= BEARABLE
        kept_up = in_time and not (
            step["errors"] or step["wrong"]
        )  # these are quick, and no answers
        told["steps"].append({**step, "hold": self.last, "keeps_up": kept_up})
        print(json.dumps(told["steps"][-1]), flush=True)
        if self.last:
            return self.finding and not kept_up and self._hold(round(self.users * LESS))
        if kept_up:
            self.good = self.users
        else:
            self.bad = self.users
        following = self._next()
        if following is None:
            return self._hold(self.good or FIRST)
        self.users = following
        return True

    def _hold(self, users: int) -> bool:
        """Keep one pace for long; False when that was tried often enough."""
        self.last, self.users, self.seconds = True, max(users, 1), HOLD
        self.holds += 1
        return self.holds <= HOLDS

    def _next(self) -> int | None:
        if not self.bad:
            return min(round(self.users * GROWTH), MOST) if self.users < MOST else None
        if not self.good:  # a slow machine, or a busy one: look for where it does
            return self.users // 2 if self.users > 2 else None
        middle = round((self.good + self.bad) / 2)
        return middle if self.bad - self.good > max(1, 0.2 * self.good) else None


def _figures(users: int, since: float, until: float) -> dict[str, Any]:
    within = [one for one in done if since <= one[0] < until]
    times = sorted(one[2] for one in within) or [float("nan")] * 2
    span, kinds = until - since, {}
    for _, act, took, _ in within:
        kinds.setdefault(act, []).append(took)
    cuts = statistics.quantiles(times, n=20) if len(times) > 1 else times * 19
    return {
        "offered": users,
        "seconds": round(span),
        "acts": round(sum(since <= when < until for when in acts) / span, 1),
        "requests": round(len(within) / span, 1),
        "p50": round(statistics.median(times)),
        "p95": round(cuts[18]),
        "errors": sum(one[3].startswith("error") for one in within),
        "wrong": [one[3] for one in within if one[3].startswith("wrong")][:10],
        "by_act": {
            act: {"n": len(t), "p50": round(statistics.median(t)), "p95": round(_p95(t))}
            for act, t in sorted(kinds.items())
        },
    }


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[18] if len(times) > 1 else times[0]


@events.quit.add_listener
def _write(**_: Any) -> None:
    told["all"] = {
        "requests": len(done),
        "numbers": {
            kind: sum(one[3].startswith(kind) for one in done) for kind in ("error", "wrong")
        },
        "errors": [one[3] for one in done if one[3].startswith("error")][:20],
        "wrong": [one[3] for one in done if one[3].startswith("wrong")][:20],
    }
    Path(os.environ["LOAD_TOLD"]).write_text(json.dumps(told, ensure_ascii=False))
