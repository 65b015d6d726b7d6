"""A working morning on the whole city: `python3 -m scripts.load`, which is `make load`.

gunicorn, a worker and beat as they are deployed, on services of their own and a seeded city; locust
asks as residents and staff do (tests/load), on the loopback alone, more and more a second until the
machine does not keep up. Every answer is looked into, every write looked for afterwards. Writes
docs/load.md. `--soak MINUTES --users N` (`make soak`) keeps one pace instead and watches the memory.
`--database URL` takes a city that is seeded already, and writes into it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

from scripts import prepare, seeding
from scripts.load_page import write
from scripts.processes import (
    BEAT,
    BIN,
    WEB,
    Memory,
    Process,
    processor_seconds,
    server_of,
    worker,
)
from scripts.throwaway import free_port, own_folder, services

LOGS = prepare.ROOT / "var" / "load"
LONGEST = 480  # seconds for the search; locust is ended then


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts.load")
    parser.add_argument("--database", default="", help="a seeded one, which is written into")
    parser.add_argument("--scale", default="city", help="what is seeded otherwise")
    parser.add_argument("--soak", type=float, default=0, help="minutes at one pace")
    parser.add_argument("--users", type=int, default=20, help="the pace: acts a second")
    asked = parser.parse_args(arguments)
    prepare.packages("base", "dev", "load")
    prepare.assets()
    prepare.system()
    prepare.stop_when_asked()
    with ExitStack() as stack:
        folder = stack.enter_context(own_folder())
        running = stack.enter_context(services(postgres=not asked.database))
        environment = _environment(
            folder, asked.database or running.database_url, running.redis_url
        )
        if not asked.database:
            seeding.fill(asked.scale, environment)
        return _measure(asked, folder, environment, stack)


def _environment(folder: Path, database: str, redis: str) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "config.settings.dev",
        **{k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"},
        "ALLIANCE_VAR": str(folder / "state"),
        "DATABASE_URL": database,
        "REDIS_URL": redis,
        "SECOND_FACTOR_REQUIRED": "false",
        "HOST": "127.0.0.1",
        "PORT": str(free_port()),
        "LOG_LEVEL": "WARNING",
        "TMPDIR": str(folder),
        "LOAD_CAST": str(folder / "cast.json"),
        "LOAD_TOLD": str(folder / "told.json"),
    }


def _measure(
    asked: argparse.Namespace, folder: Path, environment: dict[str, str], stack: ExitStack
) -> int:
    LOGS.mkdir(parents=True, exist_ok=True)
    programs = [("web", WEB), ("worker", worker("worker", 2)), ("beat", BEAT)]
    children = [Process(name, command, environment, LOGS) for name, command in programs]
    for child in children:
        stack.callback(child.stop)
        child.start()
    _module("tests.load.cast", environment["LOAD_CAST"], environment)
    _until_ready(environment["PORT"])
    steps = f"hold:{asked.users}:{asked.soak * 60:g}" if asked.soak else "find"
    memory = Memory(children[:2])
    if asked.soak:
        memory.start()
    load = os.getloadavg()[0]
    locust = subprocess.Popen(
        [
            *(str(BIN / "locust"), "-f", "tests/load/people.py", "--headless", "--only-summary"),
            *("--host", f"http://127.0.0.1:{environment['PORT']}", "--loglevel", "WARNING"),
        ],
        cwd=prepare.ROOT,
        env={**environment, "LOAD_STEPS": steps},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    stack.callback(_end, locust)
    limit = threading.Timer(asked.soak * 60 + LONGEST, _end, [locust])
    limit.start()
    stack.callback(limit.cancel)
    spent = [_spent(children, environment)]
    for line in locust.stdout:
        if line.startswith("{"):
            _show(json.loads(line))
            spent.append(_spent(children, environment))
    locust.wait()
    memory.over.set()
    told = json.loads(Path(environment["LOAD_TOLD"]).read_text())
    after = _module("tests.load.verify", environment["LOAD_TOLD"], environment)
    fallen = [f"{child.name} has ended" for child in children if not child.lives]
    faults = [*told["all"]["wrong"], *after["faults"], *fallen]
    print(
        f"\n{told['all']['requests']} requests, {after['published']} published and "
        f"{after['files']} files ordered and found; {told['all']['numbers']['error']} errors"
    )
    for fault in [*told["all"]["errors"], *faults]:
        print(f"  {fault}")
    if asked.soak:
        faults += told["all"]["errors"]  # at a pace that is kept up there are none
        for name, seen, slope in memory.rows():
            print(
                f"{name}: {' '.join(map(str, seen))} MB by minutes; at last {slope:+.2f} MB a minute"
            )
    else:
        write(told, after, load, _a_request(told["steps"][-1], *spent[-2:]))
    return 1 if faults else 0


def _spent(children: list[Process], environment: dict[str, str]) -> dict[str, float]:
    """Seconds: the clock's, and the processor's in each program so far."""
    database = urlsplit(environment["DATABASE_URL"]).path.strip("/")
    programs = {one.name: one.running.pid for one in children[:2]}
    programs["PostgreSQL"] = server_of(database)
    return {"clock": time.monotonic(), **{n: processor_seconds(p) for n, p in programs.items()}}


def _a_request(held: dict, before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    """Processor milliseconds of each program for one request of the held step."""
    requests = held["requests"] * (after["clock"] - before["clock"])
    return {n: 1000 * (after[n] - before[n]) / requests for n in after if n != "clock"}


def _module(name: str, path: str, environment: dict[str, str]) -> dict:
    """Run a module of tests/load; what it printed last, if that is JSON."""
    done = subprocess.run(
        [str(prepare.PYTHON), "-m", name, path],
        cwd=prepare.ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    last = done.stdout.strip().rpartition("\n")[2]
    if not last.startswith("{"):
        if done.returncode:
            prepare.fail(f"{name} failed: {done.stdout[-2000:]}")
        return {}
    return json.loads(last)


def _until_ready(port: str) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        try:
            with urlopen(f"http://127.0.0.1:{port}/healthz/ready", timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.3)
    prepare.fail("the web process did not come up")


def _end(process: subprocess.Popen) -> None:
    if process.poll() is None:
        process.terminate()
        process.wait(20)


def _show(step: dict) -> None:
    print(
        f"{step['offered']:4} a second offered: {step['acts']:6} done, {step['requests']:6} requests,"
        f" p50 {step['p50']:5} ms, p95 {step['p95']:5} ms, {step['errors']} errors,"
        f" {len(step['wrong'])} wrong" + ("   held" if step["hold"] else ""),
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
