"""Every room brings its own urls.py; this file only says where each stands."""

from django.urls import URLPattern, URLResolver, include, path

from core import health

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz/live", health.live, name="health-live"),
    path("healthz/ready", health.ready, name="health-ready"),
    path("metrics", health.metrics, name="metrics"),
    path("api/v1/", include("core.api.urls")),
    path("console/", include("core.console_urls")),
    path("console/", include("accounts.urls")),
    path("console/", include("core.pages.urls")),
    path("console/orgs/", include("orgs.urls")),
    path("console/grids/", include("grids.urls")),
    path("console/alliance/", include("alliance.urls")),
    path("console/members/", include("members.urls")),
    path("console/reports/", include("reports.urls")),
    path("console/services/", include("services.urls")),
    path("", include("portal.urls")),
]

handler400 = "core.views.errors.bad_request"
handler403 = "core.views.errors.forbidden"
handler404 = "core.views.errors.not_found"
handler500 = "core.views.errors.failed"
