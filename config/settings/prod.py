"""Production: everything comes from the environment, and what is missing or unsafe stops the start.

All faults are named at once, so that one look at the log is enough.
"""

import binascii
import sys

from cryptography.fernet import Fernet

from .base import *

_faults: list[str] = []


def _required(name: str, hint: str) -> str:
    value = env.str(name, default="").strip()
    if not value:
        _faults.append(f"{name} is not set: {hint}")
    elif "change-me" in value:
        _faults.append(f"{name} still holds the placeholder of .env.example: {hint}")
    return value


def _is_field_key(key: str) -> bool:
    try:
        Fernet(key)
    except (ValueError, binascii.Error):
        return False
    return True


SECRET_KEY = _required("SECRET_KEY", "50 random characters or more; sessions are signed with it")
if SECRET_KEY not in ("", "change-me") and (len(SECRET_KEY) < 50 or len(set(SECRET_KEY)) < 5):
    _faults.append("SECRET_KEY is too short or too plain: take 50 random characters or more")

FIELD_KEYS = [
    key.strip()
    for key in _required(
        "FIELD_KEYS", "Fernet keys, the newest first; phone numbers are encrypted with them"
    ).split(",")
    if key.strip()
]
if not all(map(_is_field_key, FIELD_KEYS)):
    _faults.append("FIELD_KEYS holds something that is not a Fernet key (44 base64 characters)")

FIELD_INDEX_KEY = _required("FIELD_INDEX_KEY", "a Fernet key; phone numbers are found by it")
if FIELD_INDEX_KEY not in ("", "change-me") and not _is_field_key(FIELD_INDEX_KEY):
    _faults.append("FIELD_INDEX_KEY is not a Fernet key (44 base64 characters)")
if FIELD_INDEX_KEY in FIELD_KEYS:
    _faults.append("FIELD_INDEX_KEY must differ from FIELD_KEYS: it stays when they change")

AUDIT_KEYS = [
    key.strip()
    for key in _required(
        "AUDIT_KEYS", "secrets, the newest first; the hashes of the audit log are keyed with them"
    ).split(",")
    if key.strip()
]
if any(len(key) < 32 for key in AUDIT_KEYS):
    _faults.append("AUDIT_KEYS holds a key that is too short: take 32 random characters or more")

_url = _required("DATABASE_URL", "postgres://user:password@host:5432/name")
if _url and not DATABASE["ENGINE"].endswith("postgresql"):
    _faults.append("DATABASE_URL must name PostgreSQL: SQLite is for the trial alone")
if REPLICA_URL and not REPLICA_URL.startswith(("postgres://", "postgresql://")):
    _faults.append("REPLICA_URL must name PostgreSQL: a streaming standby of DATABASE_URL")
if REPLICA_MAX_LAG <= 0:
    _faults.append("REPLICA_MAX_LAG must be above 0: seconds that a reader may be behind")
_required("REDIS_URL", "redis://host:6379/0; broker and cache")
_required("ALLOWED_HOSTS", "the names that people type, separated by commas")
if "*" in ALLOWED_HOSTS:
    _faults.append("ALLOWED_HOSTS must name the hosts: * lets anyone forge links in e-mail")
_url = _required("SITE_URL", "the address as people type it")
if _url and not _url.startswith("https://"):
    _faults.append("SITE_URL must begin with https://")
if env.bool("DEBUG", default=False):
    _faults.append("DEBUG is on: it shows settings and data to strangers")
if not env.bool("SECOND_FACTOR_REQUIRED", default=True):
    _faults.append(
        "SECOND_FACTOR_REQUIRED is off: administrators would enter with a password alone"
    )
if env.str("DEMO_PASSWORD", default=""):
    _faults.append("DEMO_PASSWORD is set: demonstration accounts have no place in production")
if (VAR_DIR / "demo-sign-ins.json").exists():
    _faults.append(
        f"ALLIANCE_VAR ({VAR_DIR}) was made by `make demo` and holds known passwords: take another"
    )
try:
    for _folder in ("media", "beat"):
        (VAR_DIR / _folder).mkdir(parents=True, exist_ok=True)
except OSError as _error:
    _faults.append(f"ALLIANCE_VAR ({VAR_DIR}) cannot be written to: {_error.strerror}")

if _faults:
    sys.exit("Refusing to start:\n" + "\n".join(f"  - {fault}" for fault in _faults))

ALLOWED_HOSTS += ["localhost", "127.0.0.1"]  # probes from the machine itself
# TLS ends at nginx, which sets this header itself and takes none from outside (deploy/nginx.conf).
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = True
SECURE_REDIRECT_EXEMPT = [r"^healthz/", r"^metrics$"]  # asked inside the network
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
# nginx replaces this header by the address that it saw.
CLIENT_ADDRESS_HEADER = "HTTP_X_FORWARDED_FOR"

# Without EMAIL_URL nothing is mailed; the inbox holds every message all the same.
vars().update(env.email_url("EMAIL_URL", default="dummymail://"))

DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID = True  # nginx gives it, so that both logs meet
LOGGING = logs.logging_config(as_json=True, level=LOG_LEVEL)
