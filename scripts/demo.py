"""The trial: `python3 -m scripts.demo [--setup]`, which is `make demo` and `make demo-setup`.

Sets up whatever is not yet set up (each step leaves a stamp in the state folder, and each command
may run twice anyway), then serves web, worker and beat until Ctrl-C. Works on SQLite and files under
the state folder alone, whatever DATABASE_URL and REDIS_URL say.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from scripts import prepare

VAR = Path(os.environ.get("ALLIANCE_VAR") or prepare.ROOT / "var").resolve()
PORT = int(os.environ.get("PORT") or 8000)
HOST = os.environ.get("HOST") or "127.0.0.1"
AREAS = prepare.ROOT / "data" / "areas" / "qingdao-2023.csv"
CITY, PERIOD = "370200000000", "2026Q3"
SHEET = VAR / f"assessment-{CITY[:6]}-{PERIOD}.xlsx"
SIGN_INS = VAR / "demo-sign-ins.json"
CELERY = [str(prepare.VENV / "bin" / "celery"), "-A", "config"]


def environment() -> dict[str, str]:
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings.dev",
        "ALLIANCE_VAR": str(VAR),
        "HOST": HOST,
        "PORT": str(PORT),
        "DATABASE_URL": "",
        "REDIS_URL": "",
        "WEB_CONCURRENCY": "2",
        # A visitor enters every role with a password alone; production cannot turn this off.
        "SECOND_FACTOR_REQUIRED": "false",
    }


def manage(*arguments: str) -> None:
    prepare.run([str(prepare.PYTHON), "manage.py", *arguments], env=environment())


class Children:
    """The processes of the trial; all of them are gone when it ends, however it ends."""

    def __init__(self) -> None:
        self.running: dict[str, subprocess.Popen] = {}

    def start(self, name: str, command: list[str]) -> None:
        logs = VAR / "logs"
        logs.mkdir(exist_ok=True)
        with (logs / f"{name}.log").open("wb") as log:
            self.running[name] = subprocess.Popen(
                command,
                cwd=prepare.ROOT,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches this program alone, which stops them in order
            )

    def start_worker(self) -> None:
        options = ["--concurrency", "2", "--without-gossip", "--without-mingle"]
        self.start("worker", [*CELERY, "worker", *options])

    def fallen(self) -> str | None:
        """The name of a process that ended by itself."""
        return next((n for n, p in self.running.items() if p.poll() is not None), None)

    def stop(self) -> None:
        """Ask all to finish what they have at hand, at most for a while."""
        for process in self.running.values():
            process.terminate()
        deadline = time.monotonic() + 20
        for process in self.running.values():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def set_up(children: Children) -> None:
    """Database, Qingdao, a quarter of activity, its review by a real worker, and the sheet."""
    stamps = VAR / "stamps"
    if not (VAR / "alliance.sqlite3").exists():
        for old in stamps.glob("*"):
            old.unlink()
    migrations = sorted(prepare.ROOT.glob("*/migrations/*.py"))
    with prepare.stamped(stamps / "database", prepare.digest(migrations)) as todo:
        if todo:
            manage("migrate", "--verbosity", "0")
    with prepare.stamped(stamps / "areas", prepare.digest([AREAS])) as todo:
        if todo:
            manage("import_areas", str(AREAS))
    # Another DEMO_PASSWORD is another state: the accounts take it on.
    with prepare.stamped(stamps / "activity", _password_mark()) as todo:
        if todo:
            manage("seed_demo", "--scale", "small")
    with prepare.stamped(stamps / "review", PERIOD) as todo:
        if todo:
            if not children.running:
                children.start_worker()
            manage("run_review", "--kind", "quarterly", "--period", PERIOD, "--wait")
    with prepare.stamped(stamps / "sheet", str(SHEET)) as todo:
        if todo or not SHEET.exists():
            who = next(s["username"] for s in sign_ins() if s["role"] == "org_department")
            place = ["--area", CITY, "--period", PERIOD]
            manage("export_ledger", "assessment", *place, "--out", str(SHEET), "--as", who)


def _password_mark() -> str:
    """What the sign-ins were made with; not the password itself, for stamps are no secret files."""
    return hashlib.sha256((os.environ.get("DEMO_PASSWORD") or "random").encode()).hexdigest()


def sign_ins() -> list[dict[str, str]]:
    return json.loads(SIGN_INS.read_text())


def serve(children: Children) -> None:
    """Web, worker and beat; returns when the web answers, which is what a visitor waits for."""
    gunicorn = str(prepare.VENV / "bin" / "gunicorn")
    children.start("web", [gunicorn, "-c", "deploy/gunicorn.conf.py"])
    deadline = time.monotonic() + 60
    while not answers():
        if name := children.fallen():
            prepare.fail(f"{name} ended by itself; {VAR}/logs/{name}.log tells why")
        if time.monotonic() > deadline:
            prepare.fail(
                f"the web was not ready within a minute; {VAR}/logs/web.log tells why. If it is a "
                f"trial that an older version made, move {VAR} away and begin anew"
            )
        time.sleep(0.1)
    if "worker" not in children.running:
        children.start_worker()
    children.start("beat", [*CELERY, "beat", "--pidfile="])


def answers() -> bool:
    try:
        with urlopen(f"http://{address()}/healthz/ready", timeout=5) as response:
            return response.status == 200
    except (URLError, OSError):
        return False


def address() -> str:
    return f"{'127.0.0.1' if HOST == '0.0.0.0' else HOST}:{PORT}"


def announce(*, serving: bool) -> None:
    print(f"\nConsole        http://{address()}/console/")
    print(f"Residents      http://{address()}/")
    print("Sign-ins")
    for person in sign_ins():
        who = f"{person['who']}  {person['where']}"
        print(f"    {person['username']:12} {person['password']:16} {who}")
    print(f"Assessment     {SHEET}")
    print(f"State and logs {VAR}")
    print("\nCtrl-C stops it." if serving else "\n`make demo` serves it.", flush=True)


@contextmanager
def alone():
    """One trial a state folder: two would fight over the broker's files and the port."""
    VAR.mkdir(parents=True, exist_ok=True)
    with (VAR / "demo.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            prepare.fail(f"Another `make demo` is at work on {VAR}: stop it first.")
        yield


def port_is_free() -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, PORT))
        except OSError:
            return False
    return True


def main(arguments: list[str]) -> None:
    serving = arguments != ["--setup"]
    prepare.stop_when_asked()
    with ExitStack() as stack:
        stack.enter_context(alone())
        if serving and not port_is_free():
            prepare.fail(f"Port {PORT} is taken. Name another one: PORT={PORT + 1} make demo")
        prepare.packages("base")
        prepare.assets()
        children = Children()
        stack.callback(children.stop)
        set_up(children)
        if serving:
            serve(children)
        announce(serving=serving)
        while serving:
            if name := children.fallen():
                prepare.fail(f"{name} ended by itself; {VAR}/logs/{name}.log tells why")
            time.sleep(0.5)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        print("\nstopped")
