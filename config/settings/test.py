"""The suite. DATABASE_URL chooses the engine; `make test` runs both."""

from .base import *

SECRET_KEY = "tests-only-secret-key-that-signs-nothing-real-0123456789"
FIELD_KEYS = ["dGVzdHMtb25seS1maWVsZC1rZXktMzItYnl0ZXMtISE="]
FIELD_INDEX_KEY = "dGVzdHMtb25seS1pbmRleC1rZXktMzItYnl0ZXMhISE="
ALLOWED_HOSTS = ["*"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
