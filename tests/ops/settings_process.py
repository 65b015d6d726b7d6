"""manage.py in a process of its own, under an environment that the test names in full."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def manage(*args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `manage.py args` with nothing in the environment but what is given, and PATH."""
    return _python("manage.py", *args, **environment)


def load(**environment: str) -> subprocess.CompletedProcess[str]:
    """Do no more than read the production settings."""
    return _python("-c", "import config.settings.prod", **environment)


def _python(*args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *args],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
