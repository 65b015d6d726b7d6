"""docs/load.md, as `make load` writes it."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime

from scripts import prepare
from scripts.bench import machine

PAGE = prepare.ROOT / "docs" / "load.md"


def write(told: dict, after: dict, load: float, a_request: dict[str, float]) -> None:
    """`told`: what tests/load/people.py measured; `after`: what tests/load/verify.py found;
    `load`: of the machine, before; `a_request`: processor milliseconds by program."""
    *steps, held = told["steps"]
    parts = [
        "# Load\n",
        "Written by `make load`: gunicorn (as deployed: five processes of four threads), a worker and "
        "beat, PostgreSQL and\nRedis on one machine, with the asking program beside them; "
        "`seed_demo --scale city`. Of a hundred acts 70 are\nresidents' (home, a community, a matter, the "
        "search for a community), 20 are looks of staff (lists, an item, the\nworkbench), 8 write (publish, "
        "change) and 2 order a file. A step keeps up when 95 of 100 acts that are due are\ndone, none "
        "with an error, and the 95th percentile is at most a second; the knee is the last that does and is\nthen "
        f"held for {held['seconds']} seconds, or a tenth less where it is not.\n",
        f"{datetime.now(UTC):%Y-%m-%d}. {machine()}, Python {platform.python_version()}. Load before: "
        f"{load:.1f} on {os.cpu_count()} processors.\n",
        f"## {'At the knee' if held['keeps_up'] else 'Held, without keeping up'}: {held['requests']:g} requests a "
        "second\n",
        f"p50 {held['p50']} ms, p95 {held['p95']} ms, {held['errors']} errors. In the whole run "
        f"{told['all']['requests']} answers were looked into: {told['all']['numbers']['wrong']} said something "
        f"wrong,\n{told['all']['numbers']['error']} were errors. Of what was acknowledged, {after['published']} "
        f"published matters and {after['files']} ordered files were looked for\nafterwards: "
        + ("all there, once.\n" if not after["faults"] else f"{len(after['faults'])} faults.\n"),
        "A request costs the processor "
        + ", ".join(
            f"{ms:.1f} ms in the {name}" for name, ms in a_request.items() if name != "PostgreSQL"
        )
        + f" and {a_request['PostgreSQL']:.1f} ms in PostgreSQL:\na core serves "
        f"{1000 / sum(a_request.values()):.0f} requests a second when nobody else wants it. That figure "
        "holds\non a busy machine too, roughly; the others do not.\n",
        _table(
            ["act", "p50", "p95", "measured"],
            [
                [act, f"{one['p50']} ms", f"{one['p95']} ms", str(one["n"])]
                for act, one in held["by_act"].items()
            ],
        ),
        "## The way there\n",
        _table(
            ["acts due a second", "for", "done", "requests a second", "p50", "p95", "errors"],
            [
                [
                    f"{one['offered']}",
                    f"{one['seconds']:g} s",
                    f"{one['acts']:g}",
                    f"{one['requests']:g}",
                    f"{one['p50']} ms",
                    f"{one['p95']} ms",
                    f"{one['errors']}",
                ]
                for one in steps
            ],
        ),
    ]
    PAGE.write_text("\n".join(parts), encoding="utf-8")


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["-"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"
