"""Every room brings its own urls.py; this file only says where each stands."""

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []
