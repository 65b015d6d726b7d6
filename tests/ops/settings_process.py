"""manage.py in a process of its own, under an environment that the test names in full."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
# An environment that production accepts.
GOOD = {
    "DJANGO_SETTINGS_MODULE": "config.settings.prod",
    "SECRET_KEY": "q9Zr-4Tn_w7Lx2Vb8Kc5Jd3Hf6Gs1PaYeUiOmXzWvNtRqBpCkDjEhFgS",
    "FIELD_KEYS": "dGVzdHMtb25seS1maWVsZC1rZXktMzItYnl0ZXMtISE=",
    "FIELD_INDEX_KEY": "dGVzdHMtb25seS1pbmRleC1rZXktMzItYnl0ZXMhISE=",
    "AUDIT_KEYS": "Lw8pTq-2Rz_5Xv9Nb3Mc7Kd1Jf4Hg6Sa,Zx8cVb-2Nm_5Qw9Er3Ty7Ui1Op4As6Df",
    "DATABASE_URL": "postgres://alliance:secret@db.invalid:5432/alliance",
    "REDIS_URL": "redis://redis.invalid:6379/0",
    "ALLOWED_HOSTS": "alliance.example.gov.cn",
    "SITE_URL": "https://alliance.example.gov.cn",
}


def manage(*args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `manage.py args` with nothing in the environment but what is given, and PATH."""
    return _python("manage.py", *args, **environment)


def refusal(**environment: str) -> str | None:
    """What the production settings say when they are read under an environment, None if nothing."""
    found = production(**environment)
    return found if isinstance(found, str) else None


def production(**environment: str) -> ModuleType | str:
    """The production settings as read under an environment, or why they refuse to start.

    Read in this process, where all that they import is at hand: a process apiece takes seconds.
    """
    names = ("config.settings.base", "config.settings.prod")
    kept = {name: sys.modules.pop(name) for name in names if name in sys.modules}
    outside = dict(os.environ)
    os.environ.clear()
    os.environ.update(environment)
    try:
        return importlib.import_module("config.settings.prod")
    except SystemExit as refused:
        return str(refused.code)
    finally:
        os.environ.clear()
        os.environ.update(outside)
        for name in names:
            sys.modules.pop(name, None)
        sys.modules.update(kept)


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
