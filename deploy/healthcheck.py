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
    """It can serve people: core/health.py."""
    port = os.environ.get("PORT") or "8000"
    with urlopen(f"http://127.0.0.1:{port}/healthz/ready", timeout=15) as response:
        return response.status == 200


def worker() -> bool:
    """The worker of this very container answers through the broker, and says what the web does."""
    from config.celery import app

    name = f"worker@{socket.gethostname()}"
    said = app.control.broadcast("ready", destination=[name], reply=True, timeout=10)
    if said and (failing := said[0][name]["failing"]):
        raise ValueError(f"failing: {', '.join(failing)}")
    return bool(said)


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
