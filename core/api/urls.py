"""/api/v1/: what the apps' api.py register, the schema, and JSON for what is not there."""

from importlib import import_module

from django.http import HttpRequest, HttpResponse
from django.urls import include, path, re_path
from django.utils.module_loading import autodiscover_modules
from django.views.decorators.csrf import csrf_exempt

from core.api.errors import outside
from core.api.routes import router
from core.api.schema import document

autodiscover_modules("api")
import_module("core.pages.api")  # core's own: `core.api` is the mechanism


@csrf_exempt  # nothing is there to be written, and the answer is JSON whoever asks
def not_there(request: HttpRequest) -> HttpResponse:
    """An address that no app has."""
    return outside(404)


# Under their full address, so that the schema says what is to be called.
documented = [path("api/v1/", include(router.urls))]
app_name = "api"
urlpatterns = [
    path("schema/", document, name="schema"),
    *router.urls,
    re_path(r"^", not_there, name="not-there"),
]
