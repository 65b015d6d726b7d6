"""The trial: SQLite and secrets under var/, made on first use; what `make demo` runs on."""

from secrets import token_urlsafe

from cryptography.fernet import Fernet
from django.core.management.utils import get_random_secret_key

from .base import *
from .secret_files import kept

for _folder in ("media", "cache", "beat", "mail", "broker/queue", "broker/control", "broker/taken"):
    (VAR_DIR / _folder).mkdir(parents=True, exist_ok=True)

DEMO = True
INSTALLED_APPS += ["demo"]  # the made-up records of `seed_demo`; production has no such command
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["*"])

SECRET_KEY = env.str("SECRET_KEY", default="") or kept(
    VAR_DIR / "secrets", "secret-key", get_random_secret_key
)
FIELD_KEYS: list[str] = env.list("FIELD_KEYS", default=[]) or kept(
    VAR_DIR / "secrets", "field-keys", lambda: Fernet.generate_key().decode()
).split(",")
FIELD_INDEX_KEY = env.str("FIELD_INDEX_KEY", default="") or kept(
    VAR_DIR / "secrets", "field-index-key", lambda: Fernet.generate_key().decode()
)
# Without it the roles that need a second factor can be tried without a telephone at hand.
SECOND_FACTOR_REQUIRED = env.bool("SECOND_FACTOR_REQUIRED", default=True)
AUDIT_KEYS: list[str] = env.list("AUDIT_KEYS", default=[]) or kept(
    VAR_DIR / "secrets", "audit-keys", lambda: token_urlsafe(48)
).split(",")

# Straight from static/dist, so that a rebuilt asset shows without a collecting step.
WHITENOISE_USE_FINDERS = True
STATIC_ROOT = None
STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"

EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = VAR_DIR / "mail"
