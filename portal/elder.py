"""长辈版: large type, large targets, more contrast, fewer things a page.

A cookie of one character, so that the choice holds on every page, without script or account.
"""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from portal.places import YEAR

COOKIE = "elder"
FIELD = "elder"  # of a form that is sent to be shown again in the other version


def wanted(request: HttpRequest) -> bool:
    """Whether this browser chose the large version."""
    return request.COOKIES.get(COOKIE) == "1"


def switch(request: HttpRequest, response: HttpResponse, *, on: bool) -> HttpResponse:
    """Keep the choice for a year, or forget it."""
    if on:
        response.set_cookie(
            COOKIE,
            "1",
            max_age=YEAR,
            samesite="Lax",
            httponly=True,
            secure=request.is_secure(),
        )
    else:
        response.delete_cookie(COOKIE, samesite="Lax")
    return response


def address(request: HttpRequest) -> str:
    """The link that turns it on or off and leads back to the page it stands on.

    An answer to a sent form is met again under its address, without what was sent.
    """
    here = request.get_full_path() if request.method in ("GET", "HEAD") else request.path
    query = urlencode({"on": "0" if wanted(request) else "1", "next": here})
    return f"{reverse('portal:elder')}?{query}"
