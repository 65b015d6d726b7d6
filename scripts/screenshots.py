"""The pictures in docs/screenshots: `make screenshots`. Taken from a fresh trial of its own, in the
machine's Chromium, so that they show what a stranger sees after `make demo`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts import prepare
from scripts.throwaway import free_port

FOLDER = prepare.ROOT / "docs" / "screenshots"


def take(address: str, state: Path) -> None:
    from playwright.sync_api import sync_playwright

    from scripts.shots import Camera, walk

    people = json.loads((state / "demo-sign-ins.json").read_text())
    passwords = {person["username"]: person["password"] for person in people}
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.glob("*.png"):
        old.unlink()
    with sync_playwright() as playwright:
        # A date's box speaks the browser's language, not the page's: Chinese if the machine has it.
        arguments = ["--lang=zh-CN", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
        browser = playwright.chromium.launch(executable_path=prepare.browser(), args=arguments)
        walk(Camera(browser, address, passwords, FOLDER))
        browser.close()


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
