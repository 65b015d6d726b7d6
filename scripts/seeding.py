"""A database with a city in it, for what measures on one."""

from __future__ import annotations

import subprocess

from scripts import prepare

AREAS = prepare.ROOT / "data" / "areas" / "qingdao-2023.csv"


def fill(scale: str, environment: dict[str, str]) -> None:
    """Tables, Qingdao's divisions and `seed_demo --scale`, in the environment's database."""
    for command in (
        ["migrate", "--verbosity", "0"],
        ["import_areas", str(AREAS), "--verbosity", "0"],
        ["seed_demo", "--scale", scale],
    ):
        subprocess.run(
            [str(prepare.PYTHON), "manage.py", *command],
            cwd=prepare.ROOT,
            env=environment,
            check=True,
        )
