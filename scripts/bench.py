"""The benchmarks: `python3 -m scripts.bench [name …]`, which is `make bench`.

Every module of tests/bench runs in turn, alone, as `python -m tests.bench.NAME`, with a PostgreSQL
database and a Redis of its own at hand, and prints its rows (`tests.bench.row`). What grows with
the city runs three times: on a tenth of it, on half and on the whole. A run of all of them writes
docs/benchmarks.md.
"""

from __future__ import annotations

import json
import math
import os
import platform
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from scripts import prepare, seeding
from scripts.throwaway import PLANNER, Services, find_program, services

PAGE = prepare.ROOT / "docs" / "benchmarks.md"
SHARES = {"tenth": 0.1, "half": 0.5, "city": 1.0}  # names of `seed_demo --scale`


@dataclass(frozen=True)
class Bench:
    """`grows`: measured at three scales. `seeded`: on a copy of the seeded city, not an empty one."""

    title: str
    grows: bool = False
    seeded: bool = False


BENCHES = {
    "first_paint": Bench(
        "First words of the portal on slow 4G, with a processor a quarter as fast"
    ),
    "list_page": Bench("Rendering a list of 50 rows and 7 columns, without the database"),
    "lists": Bench("What PostgreSQL takes of the long lists", grows=True, seeded=True),
    "pages": Bench(
        "Requests for a list of 100,000 items and for its JSON, two workers",
        grows=True,
        seeded=True,
    ),
    "portal": Bench("Requests for the residents' pages, two workers", grows=True, seeded=True),
    "reviews": Bench("Figures of a seeded city: pages and reviews", grows=True, seeded=True),
    "sheets": Bench("Sheets in and out", grows=True, seeded=True),
    "tree": Bench("The tree: 52,161 nodes, and parts of it", grows=True),
}


def main(wanted: list[str]) -> int:
    if unknown := set(wanted) - set(BENCHES):
        prepare.fail(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(BENCHES)}")
    prepare.packages("base", "dev")
    prepare.assets()
    prepare.system()
    begun, found, loads = time.monotonic(), {}, [os.getloadavg()[0]]
    names = wanted or list(BENCHES)
    with services() as running:
        if any(BENCHES[name].seeded for name in names):
            _seed(running)
        for name in names:
            bench = BENCHES[name]
            found[name] = {}
            for scale in SHARES if bench.grows else ("city",):
                rows = _rows(name, bench, scale, running)
                if rows is None:
                    print(f"\n{name} failed")
                    return 1
                found[name][scale] = rows
            loads.append(os.getloadavg()[0])
            print(f"after {(time.monotonic() - begun) / 60:.1f} minutes", flush=True)
    if found.keys() == BENCHES.keys():
        _write(found, loads, (time.monotonic() - begun) / 60)
    return 0


def _environment(database: str, running: Services, **more: str) -> dict[str, str]:
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings.test",
        "DATABASE_URL": running.database_url.removesuffix("postgres") + database,
        "REDIS_URL": running.redis_url,
        **more,
    }


def _database(program: str, running: Services, *arguments: str) -> None:
    at = ["-h", "127.0.0.1", "-p", str(running.postgres.port), "-U", "alliance"]
    subprocess.run([find_program(program), *at, *arguments], check=True)


def _seed(running: Services) -> None:
    """The city and the parts of it, in databases of those names, which the benches take copies of.
    All at once: nothing is measured yet."""
    print(f"\n--- seeding {', '.join(SHARES)}", flush=True)
    for scale in SHARES:
        _database("createdb", running, scale)
    with ThreadPoolExecutor() as pool:
        filled = [
            pool.submit(seeding.fill, scale, _environment(scale, running)) for scale in SHARES
        ]
    for one in filled:
        one.result()


def _rows(name: str, bench: Bench, scale: str, running: Services) -> list[dict] | None:
    """What a benchmark reports, shown as it comes; None if it failed."""
    print(f"\n--- {name}" + (f", {scale}" if bench.grows else ""), flush=True)
    database = f"{name}_{scale}"
    _database("createdb", running, database, *(["--template", scale] if bench.seeded else []))
    child = subprocess.Popen(
        [str(prepare.PYTHON), "-m", f"tests.bench.{name}"],
        cwd=prepare.ROOT,
        env=_environment(database, running, BENCH_SHARE=str(SHARES[scale])),
        stdout=subprocess.PIPE,
        text=True,
    )
    rows = []
    for line in child.stdout:
        if line.startswith("{"):
            rows.append(json.loads(line))
            one = rows[-1]
            print(f"{one['work']}: {_ratio(one)} ({one['yardstick']})", flush=True)
        else:
            print(line, end="", flush=True)
    if child.wait():
        return None
    _database("dropdb", running, "--force", database)
    return rows


HEAD = ["work", "ratio", "wanted", "yardstick", "the work", "the yardstick", "memory"]
GROWING = [*HEAD[:2], "at 1/10", "at 1/2", *HEAD[2:], "growth"]


def _table(found: dict[str, list[dict]]) -> str:
    """One table of a benchmark's rows; where it grows, the same row at every scale side by side."""
    alone = len(found) == 1
    head = HEAD if alone else GROWING
    lines = ["| " + " | ".join(head) + " |", "|" + "-|" * len(head)]
    rows = zip(*found.values(), strict=True)
    for same in rows:
        if len({one["work"] for one in same}) > 1:
            raise ValueError(f"a row has several names: {same}")
        lines.append("| " + " | ".join(_cells(dict(zip(found, same, strict=True)), alone)) + " |")
    return "\n".join(lines) + "\n"


def _cells(at: dict[str, dict], alone: bool) -> list[str]:
    one = at["city"]
    wanted, kept = "", True
    if limit := one.get("at_most"):
        wanted, kept = f"at most {limit:g}", one["took"] / one["theirs"] <= limit
    elif limit := one.get("faster"):
        wanted, kept = f"{limit:g} × faster", one["theirs"] / one["took"] >= limit
    cells = [
        one["work"],
        _ratio(one),
        wanted if kept else f"**{wanted}: missed**",
        one["yardstick"],
        *(f"{one[key]:,.3g} {one['unit']}" for key in ("took", "theirs")),
        f"{one['memory']:,} MB" if "memory" in one else "",
    ]
    if not alone:
        cells[2:2] = [_ratio(at["tenth"]), _ratio(at["half"])]
        cells.append(f"n^{_exponent({SHARES[s]: row['took'] for s, row in at.items()}):.2f}")
    return cells


def _ratio(one: dict) -> str:
    factor = one["took"] / one["theirs"]
    if one.get("faster") or (factor < 1 and not one.get("at_most")):
        return f"{1 / factor:.1f} × faster"
    return f"{factor:.2f} × its cost" if factor < 10 else f"{factor:.1f} × its cost"


def _exponent(took: dict[float, float]) -> float:
    """The slope of log(time) over log(size), by least squares: 1 is linear, 0 is flat."""
    sizes, times = [math.log(n) for n in took], [math.log(t) for t in took.values()]
    return statistics.linear_regression(sizes, times).slope


def _write(found: dict[str, dict], loads: list[float], minutes: float) -> None:
    cores = os.cpu_count()
    # Before, there is nothing of the benches' own in it.
    calm = "calm when it began" if loads[0] < cores else "busy with other work when it began"
    load = " → ".join(f"{one:.1f}" for one in loads)
    planner = ", ".join(f"{name} {value}" for name, value in PLANNER.items())
    parts = [
        "# Benchmarks\n",
        "Written by `make bench`. A figure is a ratio to a yardstick that was measured in the same "
        "run, in turns\nwith the work: medians of at least five. The times beside it mean "
        "something on this machine only.\nGrowth is the exponent of the work over a tenth, half and "
        "the whole of `seed_demo --scale city`:\n1 is linear, 0 is flat.\n",
        f"{datetime.now(UTC):%Y-%m-%d}, in {minutes:.0f} minutes. {machine()}; "
        f"Python {platform.python_version()},\n{_postgres()} (without fsync; {planner}). "
        f"Load before, between\nand after: {load}; the machine was {calm}.\n",
    ]
    for name, tables in found.items():
        parts.append(f"## {BENCHES[name].title}\n\n{_table(tables)}")
    PAGE.write_text("\n".join(parts), encoding="utf-8")


def machine() -> str:
    """What it runs on, in one line."""
    system = f"{platform.system()} {platform.release().split('-')[0]}"
    return f"{_processor()}, {os.cpu_count()} processors, {_memory()} of memory, {system}"


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
