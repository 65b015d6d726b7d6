"""The benchmarks: `python3 -m scripts.bench [name …]`, which is `make bench`.

Every module of tests/bench runs in turn, alone, as `python -m tests.bench.NAME`, with a PostgreSQL
database and a Redis of its own at hand, and prints the rows of its table. A run of all of them
writes docs/benchmarks.md.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from scripts import prepare
from scripts.throwaway import Services, find_program, services

FOLDER = prepare.ROOT / "tests" / "bench"
PAGE = prepare.ROOT / "docs" / "benchmarks.md"
TITLES = {
    "first_paint": "First words of the portal on slow 4G, with a processor a quarter as fast",
    "list_page": "Rendering a list of 50 rows and 7 columns, without the database (processor time)",
    "sheets": "Sheets in and out, on PostgreSQL (with the most memory that each process held)",
    "tree": "The tree of one city, 52,161 nodes, on PostgreSQL",
}
HEAD = "| work | ratio | yardstick | the work | the yardstick |\n|-|-|-|-|-|\n"


def main(wanted: list[str]) -> int:
    if unknown := set(wanted) - set(TITLES):
        prepare.fail(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(TITLES)}")
    prepare.packages("base", "dev")
    prepare.assets()
    prepare.system()
    begun, tables, loads = time.monotonic(), {}, [os.getloadavg()[0]]
    with services() as running:
        for name in wanted or TITLES:
            print(f"\n--- {name}", flush=True)
            rows = _rows(name, running)
            if rows is None:
                print(f"\n{name} failed")
                return 1
            tables[name] = rows
            loads.append(os.getloadavg()[0])
    if tables.keys() == TITLES.keys():
        _write(tables, loads, (time.monotonic() - begun) / 60)
    return 0


def _rows(name: str, running: Services) -> str | None:
    """The table that a benchmark prints, shown as it grows; None if it failed."""
    at = ["-h", "127.0.0.1", "-p", str(running.postgres.port), "-U", "alliance"]
    subprocess.run([find_program("createdb"), *at, name], check=True)
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings.test",
        "DATABASE_URL": running.database_url.removesuffix("postgres") + name,
        "REDIS_URL": running.redis_url,
    }
    command = [str(prepare.PYTHON), "-m", f"tests.bench.{name}"]
    child = subprocess.Popen(
        command, cwd=prepare.ROOT, env=environment, stdout=subprocess.PIPE, text=True
    )
    said = []
    for line in child.stdout:
        print(line, end="", flush=True)
        said.append(line)
    return None if child.wait() else "".join(said)


def _write(tables: dict[str, str], loads: list[float], minutes: float) -> None:
    cores = os.cpu_count()
    calm = "calm" if max(loads) < cores + 1 else "busy with other work"
    load = " → ".join(f"{one:.1f}" for one in loads)
    parts = [
        "# Benchmarks\n",
        "Written by `make bench`. A figure is a ratio to a yardstick that was measured in the same "
        "run, in turns\nwith the work: medians of at least five. The times beside it mean "
        "something on this machine only.\n",
        f"{datetime.now(UTC):%Y-%m-%d}, in {minutes:.0f} minutes. {_processor()}, {cores} processors, "
        f"{_memory()} of memory, {platform.system()} {platform.release().split('-')[0]}; "
        f"Python {platform.python_version()},\n{_postgres()} (without fsync). "
        f"Load before, between\nand after: {load}; the machine was {calm}.\n",
    ]
    for name, rows in tables.items():
        parts.append(f"## {TITLES[name]}\n\n{HEAD}{rows}")
    PAGE.write_text("\n".join(parts), encoding="utf-8")


def _line(path: str, key: str) -> str:
    """The value of a `key: value` line of a file of /proc."""
    for line in Path(path).read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return "unknown"


def _processor() -> str:
    return _line("/proc/cpuinfo", "model name")


def _memory() -> str:
    return f"{int(_line('/proc/meminfo', 'MemTotal').split()[0]) / 2**20:.0f} GB"


def _postgres() -> str:
    command = [find_program("postgres"), "--version"]  # postgres (PostgreSQL) 15.18 (Debian …)
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return f"PostgreSQL {told.split()[2]}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
