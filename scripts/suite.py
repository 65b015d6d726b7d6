"""The whole suite: `python3 -m scripts.suite [pass …]`, which is `make test` (and `make lint`).

Passes run side by side in lanes, on a PostgreSQL and a Redis of their own. The end is non-zero when
a pass fails, when a test was skipped, or when a pass ran no test at all.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from scripts import prepare
from scripts.throwaway import Services, services

RESULTS = prepare.ROOT / "var" / "test"
BIN = prepare.VENV / "bin"
# What bandit looks at: all that somebody from outside may reach.
LOOKED_AT = (
    *("core", "orgs", "accounts", "grids", "alliance", "members", "services", "reports", "portal"),
    *("config", "deploy", "manage.py"),
)
NO_SERVICES = {"DATABASE_URL": "", "REDIS_URL": ""}


@dataclass
class Pass:
    """Commands that run one after another under one environment; `tests` tells pytest apart."""

    name: str
    commands: list[list[str]]
    environment: dict[str, str] = field(default_factory=dict)
    tests: bool = True


@dataclass
class Outcome:
    name: str
    seconds: float
    faults: list[str]
    tests: int = 0


def pytest(name: str, *options: str) -> list[str]:
    report = f"--junitxml={RESULTS / name}.xml"
    cache = f"cache_dir={RESULTS / 'cache' / name}"
    return [str(BIN / "pytest"), "-q", "-o", cache, report, *options]


def plan(running: Services | None) -> list[list[Pass]]:
    """The passes by lane; what stands in one lane runs in turn."""
    python = str(prepare.PYTHON)
    lint = Pass(
        "lint",
        [
            [str(BIN / "ruff"), "check", "."],
            [str(BIN / "ruff"), "format", "--check", "."],
            [str(BIN / "bandit"), "-c", "pyproject.toml", "-q", "-r", *LOOKED_AT],
            [str(BIN / "lint-imports")],
            [python, "manage.py", "makemigrations", "--check", "--dry-run"],
            ["npm", "run", "--silent", "--if-present", "check"],
            [python, "-m", "scripts.audit"],
        ],
        NO_SERVICES,
        tests=False,
    )
    if running is None:
        return [[lint]]
    # Each pass names its own test database and range of Redis databases.
    postgres = running.database_url.removesuffix("postgres")
    redis = running.redis_url.removesuffix("0")
    return [
        [
            Pass(
                "postgres",
                [pytest("postgres", "-n", "2", "-m", "not browser")],
                {"DATABASE_URL": f"{postgres}suite", "REDIS_URL": f"{redis}0"},
            ),
        ],
        [
            lint,
            Pass(
                "browser",
                [pytest("browser", "-m", "browser")],
                {"DATABASE_URL": f"{postgres}browser", "REDIS_URL": f"{redis}8"},
            ),
            # As in the trial: one file for the database, files for broker and cache.
            Pass(
                "sqlite",
                [pytest("sqlite", "-m", "not postgres and not browser")],
                NO_SERVICES,
            ),
        ],
    ]


class Runner:
    """Runs passes, shows their lines under their names, and can stop all of them at once."""

    def __init__(self) -> None:
        self.children: set[subprocess.Popen] = set()
        self.stopping = threading.Event()
        self.lock = threading.Lock()

    def lane(self, passes: list[Pass]) -> list[Outcome]:
        return [self.one(p) for p in passes]

    def one(self, work: Pass) -> Outcome:
        began = time.monotonic()
        faults = []
        for command in work.commands:
            if self.stopping.is_set():
                return Outcome(work.name, time.monotonic() - began, ["not run"])
            if code := self.command(work, command):
                faults.append(f"exit code {code}: {shlex.join(command)}")
        outcome = Outcome(work.name, time.monotonic() - began, faults)
        if work.tests:
            outcome.tests, more = count(RESULTS / f"{work.name}.xml")
            outcome.faults += more
        return outcome

    def command(self, work: Pass, command: list[str]) -> int:
        environment = {
            **os.environ,
            **work.environment,
            "DJANGO_SETTINGS_MODULE": "config.settings.test",
            "PYTHONUNBUFFERED": "1",
        }
        with self.lock:
            if self.stopping.is_set():
                return 130
            child = subprocess.Popen(
                command,
                cwd=prepare.ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,  # Ctrl-C is passed on once, by stop()
            )
            self.children.add(child)
        for line in child.stdout:
            print(f"[{work.name}] {line.rstrip()}", flush=True)
        code = child.wait()
        self.children.discard(child)
        return code

    def stop(self) -> None:
        """Interrupt every child so that it cleans up after itself; kill what does not go."""
        with self.lock:
            self.stopping.set()
        for child in list(self.children):
            child.send_signal(signal.SIGINT)
        for child in list(self.children):
            try:
                child.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)


def count(report: Path) -> tuple[int, list[str]]:
    """How many tests ran, by pytest's own report, and what that says against the pass."""
    if not report.exists():
        return 0, ["pytest wrote no report"]
    cases = list(ET.parse(report).getroot().iter("testcase"))
    # Named here, at the very end, as well: whoever keeps only the last lines still learns which.
    against = {
        "failure": "failed",
        "error": "failed outside its own lines",
        "skipped": "skipped, which nothing may be",
    }
    faults = [
        f"{what}: {case.get('classname')}::{case.get('name')}: {first_line(found)}"
        for case in cases
        for kind, what in against.items()
        if (found := case.find(kind)) is not None
    ]
    ran = len(cases) - sum(case.find("skipped") is not None for case in cases)
    return ran, faults if ran else [*faults, "no test ran"]


def first_line(found: ET.Element) -> str:
    return (found.get("message") or "").partition("\n")[0][:120]


def report(outcomes: list[Outcome], seconds: float) -> int:
    print("\n" + "-" * 72)
    for outcome in outcomes:
        verdict = "FAILED" if outcome.faults else "passed"
        tests = f"{outcome.tests} tests" if outcome.tests else ""
        print(f"{outcome.name:10} {verdict}  {outcome.seconds:6.0f} s  {tests}")
        for fault in outcome.faults:
            print(f"           {fault}")
    print(f"{'in all':10}         {seconds:6.0f} s")
    return 1 if any(o.faults for o in outcomes) else 0


def main(wanted: list[str]) -> int:
    began = time.monotonic()
    prepare.packages("base", "dev")
    prepare.assets()
    RESULTS.mkdir(parents=True, exist_ok=True)
    for old in RESULTS.glob("*.xml"):
        old.unlink()
    prepare.stop_when_asked()
    if wanted == ["lint"]:
        return run(plan(None), began)
    prepare.system()
    with services() as running:
        lanes = plan(running)
        known = {p.name for lane in lanes for p in lane}
        if unknown := set(wanted) - known:
            prepare.fail(
                f"no such pass: {', '.join(unknown)}; there are {', '.join(sorted(known))}"
            )
        if wanted:
            lanes = [[p for p in lane if p.name in wanted] for lane in lanes]
        return run(lanes, began)


def run(lanes: list[list[Pass]], began: float) -> int:
    runner = Runner()
    with ThreadPoolExecutor(len(lanes)) as pool:
        futures = [pool.submit(runner.lane, lane) for lane in lanes]
        try:
            outcomes = [o for future in futures for o in future.result()]
        except KeyboardInterrupt:
            print("\nstopping", flush=True)
            runner.stop()
            return 130
    return report(outcomes, time.monotonic() - began)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
