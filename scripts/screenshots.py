"""The pictures in docs/screenshots: `make screenshots`. Taken from a fresh trial of its own, in the
machine's Chromium, so that they show what a stranger sees after `make demo`.
"""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts import prepare
from scripts.demo import AREAS
from scripts.throwaway import free_port

FOLDER = prepare.ROOT / "docs" / "screenshots"
LONG = "国际经济合作区长江路街道武夷山路第二生活区联合社区西北片区综合服务与安全巡查"


def take(address: str, state: Path) -> None:
    from playwright.sync_api import sync_playwright

    from scripts.shots import Camera, large, walk

    people = json.loads((state / "demo-sign-ins.json").read_text())
    passwords = {person["username"]: person["password"] for person in people}
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.glob("*.png"):
        old.unlink()
    with sync_playwright() as playwright:
        # A date's box speaks the browser's language, not the page's: Chinese if the machine has it.
        arguments = [
            "--lang=zh-CN",
            "--disable-gpu",
            *(["--no-sandbox"] if os.geteuid() == 0 else []),
        ]
        browser = playwright.chromium.launch(executable_path=prepare.browser(), args=arguments)
        camera = Camera(browser, address, passwords, FOLDER)
        walk(camera)
        many_grids(state)
        large(camera)
        browser.close()


def many_grids(state: Path) -> None:
    """Five grids more in each community of the city, by the file that a city would bring,
    with names as long as offices make them."""
    with AREAS.open(encoding="utf-8") as file:
        communities = [row["code"] for row in csv.DictReader(file) if row["kind"] == "community"]
    path = state / "grids.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["code", "name", "kind", "parent_code"])
        for code in communities:
            lines.writerows(
                [f"{code}{n}", f"{LONG}第{n - 100}网格", "grid", code] for n in range(101, 106)
            )
    environment = {**os.environ, "ALLIANCE_VAR": str(state), "DATABASE_URL": "", "REDIS_URL": ""}
    prepare.run([str(prepare.PYTHON), "manage.py", "import_areas", str(path)], env=environment)


def main() -> None:
    prepare.packages("base", "dev")
    prepare.system()
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="alliance-screenshots-") as folder:
        environment = {**os.environ, "ALLIANCE_VAR": folder, "PORT": str(port)}
        demo = subprocess.Popen(
            [sys.executable, "-m", "scripts.demo"],
            cwd=prepare.ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            for line in demo.stdout:
                print(line, end="", flush=True)
                if line.startswith("Ctrl-C"):
                    break
            else:
                prepare.fail("the trial did not come up")
            prepare.run(
                [
                    str(prepare.PYTHON),
                    "-m",
                    "scripts.screenshots",
                    f"http://127.0.0.1:{port}",
                    folder,
                ]
            )
        finally:
            demo.send_signal(signal.SIGINT)
            demo.wait(60)
    print("written:", *sorted(p.name for p in FOLDER.glob("*.png")))


if __name__ == "__main__":
    if len(sys.argv) == 3:  # within the virtual environment, where Playwright is
        take(sys.argv[1], Path(sys.argv[2]))
    else:
        main()
