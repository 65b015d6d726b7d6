"""Whole pages of the portal, kept for a moment in each web process (docs/adr/0013-portal-kept-pages.md).

What is kept is the same for everybody: a view says so (`kept`), and a page that holds a token, a nonce, a
session or a cookie of somebody's own is never taken. A visitor with a session is not given one.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from http.cookies import SimpleCookie
from threading import Lock
from typing import Any
from urllib.parse import parse_qsl

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response

from core.context import THEME_COOKIE, THEMES
from portal import elder, places
from services.enums import ItemKind, Topic

MOST = 2_000  # pages in a process, of some 5 kB
LARGEST = 100_000  # bytes of one
# Where a kept page may stand, and what may stand in its query: anything else is anybody's invention.
_ADDRESS = re.compile(r"/(?:(?:(topics|choose)|(c)/(\w{1,20})|(item)/[\w-]{1,40})/)?")
_QUERIES = {
    "c": {"kind": set(ItemKind.values), "topic": set(Topic.values), "now": {"1"}},
    "choose": {"next": {"need"}, "in": None},
}
_DIGITS = re.compile(r"\d{1,18}")


def kept(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A view whose page follows from its address, the version, the theme and the community."""
    view.kept = True
    return view


def key_of(request: HttpRequest) -> tuple | None:
    """What decides how a kept page looks; None where none can be."""
    if request.method != "GET" or not settings.PORTAL_PAGES_KEPT_SECONDS:
        return None
    found = _ADDRESS.fullmatch(request.path_info)
    if found is None or settings.SESSION_COOKIE_NAME in request.COOKIES:
        return None
    kind = found[1] or found[2] or found[4] or ""
    community = request.COOKIES.get(places.COOKIE, "")
    if kind == "item":
        community = ""
    elif kind == "c" and community not in ("", found[3]):
        return None  # whether that one still stands is asked of the database
    query = request.META.get("QUERY_STRING", "")
    if query and not _is_known(kind, query):
        return None
    theme = request.COOKIES.get(THEME_COOKIE, "")
    return (
        request.scheme,
        request.get_host(),  # refuses a foreign one, as ever
        request.path_info,
        query,
        community,
        elder.wanted(request),
        theme if theme in THEMES else "",
    )


def _is_known(kind: str, query: str) -> bool:
    known = _QUERIES.get(kind, {})
    pairs = parse_qsl(query, keep_blank_values=True)
    return bool(pairs) and all(
        name in known and (value in known[name] if known[name] else _DIGITS.fullmatch(value))
        for name, value in pairs
    )


@dataclass(frozen=True)
class Page:
    """An answer as it goes out. `cookies`: the community that an address itself names."""

    body: bytes
    headers: dict[str, str]
    cookies: SimpleCookie
    etag: str

    @classmethod
    def of(cls, request: HttpRequest, response: HttpResponse) -> Page | None:
        """The page, if it is the same for everybody who asks with the same key."""
        if not _is_common(request, response):
            return None
        body = response.content
        headers = {name: value for name, value in response.items() if name != "Cache-Control"}
        digest = hashlib.blake2b(body, digest_size=16).hexdigest()
        return cls(body, headers, response.cookies, f'"{digest}"')

    def answer(self, request: HttpRequest) -> HttpResponse:
        """The page, or 304 to a browser that has it. It asks again each time: what was published
        meanwhile shows at once."""
        headers = {**self.headers, "ETag": self.etag, "Cache-Control": "private, no-cache"}
        response = HttpResponse(self.body, headers=headers)
        for name, morsel in self.cookies.items():
            response.cookies[name] = morsel
        return get_conditional_response(request, etag=self.etag, response=response)


def _is_common(request: HttpRequest, response: HttpResponse) -> bool:
    match = request.resolver_match
    if response.status_code != 200 or response.streaming or match is None:
        return False
    if not getattr(match.func, "kept", False) or len(response.content) > LARGEST:
        return False
    # What Vary names beside cookies (a language, a fragment) is not in the key.
    varies = {name.strip().lower() for name in response.get("Vary", "").split(",")} - {""}
    own = {c for c in response.cookies if c != places.COOKIE or places.COOKIE in request.COOKIES}
    return not (
        varies - {"cookie"}
        or own
        or request.META.get("CSRF_COOKIE_NEEDS_UPDATE")
        or request.session.modified
        or isinstance(getattr(request, "_csp_nonce", None), str)
    )


class Pages:
    """The pages of one process, the longest unasked first to go."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, Lock()
        self._kept: OrderedDict[tuple, tuple[Any, float, Page]] = OrderedDict()

    def get(self, key: tuple, stamp: Any) -> Page | None:
        """The page, if it was kept under this stamp and is not too old."""
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                return None
            under, until, page = found
            if under != stamp or self._clock() >= until:
                del self._kept[key]
                return None
            self._kept.move_to_end(key)
            return page

    def keep(self, key: tuple, stamp: Any, page: Page) -> None:
        """`stamp` as it was before the page was rendered: what changed meanwhile is not in it."""
        until = self._clock() + settings.PORTAL_PAGES_KEPT_SECONDS
        with self._lock:
            self._kept[key] = (stamp, until, page)
            self._kept.move_to_end(key)
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()


PAGES = Pages()
