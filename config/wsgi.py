import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.prod")

import config.celery  # noqa: F401  (tasks are sent through this application)
from core.whole_body import whole_bodies

application = whole_bodies(get_wsgi_application())
