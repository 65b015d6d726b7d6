"""The Celery application: `celery -A config worker`, `celery -A config beat`.

Every entry point (manage.py, wsgi.py, the tests) imports this after it has named its settings, so
that `shared_task` finds this application and its broker, and not Celery's default one.
"""

import logging.config
import os

from celery import Celery
from celery.signals import setup_logging
from django.conf import settings
from django_structlog.celery.steps import DjangoStructLogInitStep

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.prod")

app = Celery("alliance")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].add(DjangoStructLogInitStep)


@setup_logging.connect
def use_our_logging(**_kwargs: object) -> None:
    """Celery sets up no handlers of its own once somebody answers this signal."""
    logging.config.dictConfig(settings.LOGGING)
