import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.prod")

import config.celery  # noqa: F401  (tasks are sent through this application)

application = get_wsgi_application()
