"""The suite's settings with the yardsticks of the benchmarks beside the platform's own pages."""

from config.settings.test import *  # noqa: F403
from config.settings.test import DATABASE, REST_FRAMEWORK, env, logs

INSTALLED_APPS = [*INSTALLED_APPS, "django.contrib.admin"]  # noqa: F405
ROOT_URLCONF = "tests.bench.urls"
LOGGING = logs.logging_config(as_json=True, level="INFO")  # as in production: a line a request
DATABASE["CONN_MAX_AGE"] = env.int("BENCH_CONN_MAX_AGE", default=DATABASE["CONN_MAX_AGE"])
# A bench asks more often than any person may; the API and its yardstick both do without.
REST_FRAMEWORK = {**REST_FRAMEWORK, "DEFAULT_THROTTLE_CLASSES": []}
# As in production, or as the bench asks: the suite keeps no pages.
PORTAL_PAGES_KEPT_SECONDS = env.int("BENCH_KEPT_SECONDS", default=60)
