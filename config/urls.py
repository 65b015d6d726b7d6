"""Every room brings its own urls.py; this file only says where each stands."""

from django.urls import URLPattern, URLResolver, path

from core import health

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz/live", health.live, name="health-live"),
    path("healthz/ready", health.ready, name="health-ready"),
    path("metrics", health.metrics, name="metrics"),
]
