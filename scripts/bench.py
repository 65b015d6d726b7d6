"""The benchmarks: `python3 -m scripts.bench [name …]`, which is `make bench`.

Every module of tests/bench runs in turn, alone, as `python -m tests.bench.NAME`, with a PostgreSQL
database and a Redis of its own at hand. What each prints is kept under var/bench.
"""

from __future__ import annotations

import os
import subprocess
import sys

from scripts import prepare
from scripts.throwaway import find_program, services

FOLDER = prepare.ROOT / "tests" / "bench"
RESULTS = prepare.ROOT / "var" / "bench"


def main(wanted: list[str]) -> int:
    known = sorted(p.stem for p in FOLDER.glob("*.py") if p.stem != "__init__")
    if unknown := set(wanted) - set(known):
        prepare.fail(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(known)}")
    prepare.packages("base", "dev")
    prepare.assets()
    prepare.system()
    RESULTS.mkdir(parents=True, exist_ok=True)
    failed = []
    with services() as running:
        at = ["-h", "127.0.0.1", "-p", str(running.postgres.port), "-U", "alliance"]
        for name in wanted or known:
            print(f"\n--- {name}", flush=True)
            subprocess.run([find_program("createdb"), *at, name], check=True)
            environment = {
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "config.settings.test",
                "DATABASE_URL": running.database_url.removesuffix("postgres") + name,
                "REDIS_URL": running.redis_url,
            }
            command = [str(prepare.PYTHON), "-m", f"tests.bench.{name}"]
            with (RESULTS / f"{name}.txt").open("w") as kept:
                child = subprocess.Popen(
                    command, cwd=prepare.ROOT, env=environment, stdout=subprocess.PIPE, text=True
                )
                for line in child.stdout:
                    print(line, end="", flush=True)
                    kept.write(line)
            if child.wait():
                failed.append(name)
    if failed:
        print(f"\nfailed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
