"""Gives out kept pages before anything else is done for a request."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from portal import stamp
from portal.kept import PAGES, Page, key_of


class KeptPages:
    """Stands above sessions, tokens and the content policy, so that a kept page costs none of them:
    its answer holds the policy that it was rendered under."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        key = key_of(request)
        now = stamp.current() if key else None
        if now is None:
            return self.get_response(request)
        page = PAGES.get(key, now)
        if page is None:
            request.reads_primary = True  # a standby may not have what the stamp stands for
            response = self.get_response(request)
            page = Page.of(request, response)
            if page is None:
                return response
            PAGES.keep(key, now, page)
        return page.answer(request)
