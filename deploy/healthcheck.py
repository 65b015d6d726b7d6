"""Health checks for the orchestrator: `python deploy/healthcheck.py web|worker|beat`; exit 1 is ill."""

from __future__ import annotations

import os
import socket
import sys
import time
from pathlib import Path
from urllib.request import urlopen

BEAT_SECONDS = 10 * 60  # beat saves its schedule every three minutes


def web() -> bool:
    """It can serve people: database, migrations, cache, broker and state folder are there."""
    port = os.environ.get("PORT") or "8000"
    with urlopen(f"http://127.0.0.1:{port}/healthz/ready", timeout=15) as response:
        return response.status == 200


def worker() -> bool:
    """The worker of this very container answers through the broker."""
    from config.celery import app

    name = f"worker@{socket.gethostname()}"
    return bool(app.control.ping(destination=[name], timeout=10))


def beat() -> bool:
    """Beat goes on saving its schedule."""
    folder = Path(os.environ["ALLIANCE_VAR"]) / "beat"
    saved = max(path.stat().st_mtime for path in folder.glob("schedule*"))
    return time.time() - saved < BEAT_SECONDS


if __name__ == "__main__":
    try:
        well = {"web": web, "worker": worker, "beat": beat}[sys.argv[1]]()
    except (OSError, ValueError) as error:  # not there, not answering, no schedule yet
        sys.exit(f"{sys.argv[1]}: {error}")
    sys.exit(0 if well else f"{sys.argv[1]}: no answer")
