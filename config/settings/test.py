"""The suite. DATABASE_URL and REDIS_URL choose what it runs on; `make test` runs both shapes.

Every worker of the suite keeps to itself: its own state folder, Redis database and test database.
The processes that tests start inherit the names from the environment and reach the same ones.
"""

import atexit
import os
import re
import shutil
import tempfile
from pathlib import Path

if "ALLIANCE_TEST_ROOT" not in os.environ:
    os.environ["ALLIANCE_TEST_ROOT"] = tempfile.mkdtemp(prefix="alliance-test-")
    os.environ["ALLIANCE_TEST_REDIS"] = os.environ.get("REDIS_URL", "")

    def _clean(root: str, maker: int) -> None:
        if os.getpid() == maker:  # a forked child leaves it to its parent
            shutil.rmtree(root, ignore_errors=True)

    atexit.register(_clean, os.environ["ALLIANCE_TEST_ROOT"], os.getpid())

_worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
os.environ["ALLIANCE_VAR"] = str(Path(os.environ["ALLIANCE_TEST_ROOT"]) / _worker)
if _redis := os.environ["ALLIANCE_TEST_REDIS"]:
    # redis://host:port/3 is database 3 for the first worker, 4 for the second …
    _base, _first = re.fullmatch(r"(.*:\d+)(?:/(\d*))?", _redis).groups()
    os.environ["REDIS_URL"] = f"{_base}/{int(_first or 0) + int(_worker.removeprefix('gw'))}"

from .base import *  # noqa: E402  (the state folder is chosen first)

INSTALLED_APPS += ["demo"]

for _folder in ("media", "cache", "beat", "broker/queue", "broker/control", "broker/taken"):
    (VAR_DIR / _folder).mkdir(parents=True, exist_ok=True)

if DATABASE["ENGINE"].endswith("sqlite3"):
    # A file, because workers and racing writers are processes of their own; nobody fears for it.
    DATABASE["TEST"] = {"NAME": str(VAR_DIR / "test.sqlite3")}
    DATABASE["OPTIONS"]["init_command"] += "PRAGMA synchronous=OFF;"

DEMO = True
SECRET_KEY = "tests-only-secret-key-that-signs-nothing-real-0123456789"
FIELD_KEYS = ["dGVzdHMtb25seS1maWVsZC1rZXktMzItYnl0ZXMtISE="]
FIELD_INDEX_KEY = "dGVzdHMtb25seS1pbmRleC1rZXktMzItYnl0ZXMhISE="
AUDIT_KEYS = ["tests-only-audit-key"]
# A test's transaction is never committed, and what is kept changes with a commit.
PORTAL_PAGES_KEPT_SECONDS = 0
# Tests sign in without one; those of the second factor switch it on.
SECOND_FACTOR_REQUIRED = False
ALLOWED_HOSTS = ["*"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
WHITENOISE_USE_FINDERS = True
STATIC_ROOT = None
STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
LOGGING = logs.logging_config(as_json=False, level=env.str("LOG_LEVEL", default="WARNING"))
# Workers of the suite know the kinds of job that only tests run, and fall silent sooner.
CELERY_IMPORTS = ["tests.core.kinds"]
JOB_HEARTBEAT_SECONDS = 0.5
