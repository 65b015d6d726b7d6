"""What no request may carry on to a view."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse

from core.api.errors import NOT_FOUND
from core.views import errors

_NULL = "%00"


class NoNullCharacters:
    """No column holds a null character, so no lookup can be made with one: an address with one in it
    is there for nobody, and from a query it is left out, as from tables. Forms and the API name it
    at the field where it was typed."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\0" in request.path_info:
            return _not_there(request)
        query = request.META.get("QUERY_STRING", "")
        while _NULL in query:  # again, for what is left may close up to another
            query = query.replace(_NULL, "")
        request.META["QUERY_STRING"] = query
        return self.get_response(request)


def _not_there(request: HttpRequest) -> HttpResponse:
    if request.path_info.startswith("/api/"):
        return JsonResponse({"detail": NOT_FOUND, "field": None}, status=404)
    return errors.not_found(request)
