"""`make demo`, as a stranger types it: set up, serve, stop, and once more."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import openpyxl
import pytest

from scripts.throwaway import free_port
from tests.ops.settings_process import ROOT

# Once is enough: the trial brings its own SQLite, whatever the pass runs on.
pytestmark = [pytest.mark.postgres, pytest.mark.services]
PERIOD_SHEET = "assessment-370200-2026Q3.xlsx"


def demo(state: Path, port: int, *arguments: str, **more: str) -> subprocess.Popen:
    environment = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")}
    return subprocess.Popen(
        [sys.executable, "-m", "scripts.demo", *arguments],
        cwd=ROOT,
        env={**environment, "ALLIANCE_VAR": str(state), "PORT": str(port), **more},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def said_until_it_serves(process: subprocess.Popen) -> str:
    said = []
    for line in process.stdout:
        said.append(line)
        if line.startswith("Ctrl-C"):
            return "".join(said)
    raise AssertionError("".join(said))


def counts(state: Path) -> dict[str, int]:
    """Rows of every table that a second run could double."""
    with sqlite3.connect(state / "alliance.sqlite3") as database:
        names = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        own = ("orgs_", "grids_", "alliance_", "members_", "services_", "reports_", "accounts_")
        found = {
            name: database.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
            for (name,) in names
            if name.startswith(own)
        }
    database.close()
    return found


@pytest.fixture(scope="module")
def state(tmp_path_factory) -> Path:
    """A state folder that `make demo-setup` has filled."""
    folder = tmp_path_factory.mktemp("demo")
    process = demo(folder, free_port(), "--setup")
    said = process.communicate(timeout=600)[0]
    assert process.returncode == 0, said
    return folder


def test_set_up_leaves_a_reviewed_quarter(state):
    found = counts(state)
    assert found["orgs_area"] > 2272
    for table in ("services_item", "services_claim", "alliance_agreement", "members_servicerecord"):
        assert found[table] > 0, table
    book = openpyxl.load_workbook(state / PERIOD_SHEET)
    words = {str(c.value) for row in book.worksheets[0].iter_rows() for c in row if c.value}
    assert {"总分", "等次", "名次"} <= words
    sign_ins = state / "demo-sign-ins.json"
    assert stat.S_IMODE(sign_ins.stat().st_mode) == 0o600
    assert len({p["password"] for p in json.loads(sign_ins.read_text())}) > 1


def test_a_second_run_serves_the_same_and_stops_clean(state):
    before, port = counts(state), free_port()
    process = demo(state, port)
    try:
        said = said_until_it_serves(process)
        for person in json.loads((state / "demo-sign-ins.json").read_text()):
            assert person["password"] in said
        assert str(state / PERIOD_SHEET) in said
        for path in ("/", "/console/", "/static/dist/console.css"):
            with urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
                assert answer.status == 200
        second = demo(state, free_port())
        refused = second.communicate(timeout=60)[0]
        assert second.returncode == 1
        assert "Another `make demo` is at work" in refused
        children = _children(process.pid)
        assert len(children) == 3, "web, worker and beat"
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]
    assert counts(state) == before


def test_a_taken_port_is_said_before_any_work(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = demo(tmp_path, port)
        said = process.communicate(timeout=60)[0]
    assert process.returncode == 1
    assert f"Port {port} is taken" in said
    assert not (tmp_path / "alliance.sqlite3").exists()


def _children(pid: int) -> list[str]:
    deadline = time.monotonic() + 20
    path = Path(f"/proc/{pid}/task/{pid}/children")
    while len(found := path.read_text().split()) < 3:
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
    return found
