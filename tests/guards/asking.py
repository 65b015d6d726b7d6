"""People at the door of the platform: each request comes with the same session and leaves no trace."""

from __future__ import annotations

import re
from collections.abc import Callable
from http.cookies import SimpleCookie
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.test import Client

# What differs between two answers that say the same.
_PASSING = re.compile(r'nonce="[^"]*"|请求编号：[\w-]*')
_WRITTEN = {200, 201, 204, 302, 400, 409, 422}


class Answer(NamedTuple):
    status: int
    leads: str  # where to
    body: str

    @property
    def asks_to_sign_in(self) -> bool:
        return self.status == 302 and self.leads.startswith(f"{settings.LOGIN_URL}?next=")

    def lets_in(self, method: str) -> bool:
        """The gate is passed: shown or done, or refused for what was sent and not for who sent it."""
        through = {200, 302} if method == "get" else _WRITTEN
        return self.status in through and not self.asks_to_sign_in


class Visitor:
    """A signed-in person, or nobody."""

    def __init__(self, user: Any = None) -> None:
        self.client = Client(raise_request_exception=False)
        if user:
            self.client.force_login(user)
        self.cookies = {name: morsel.value for name, morsel in self.client.cookies.items()}

    def ask(
        self,
        method: str,
        url: str,
        data: dict[str, Any] | None = None,
        *,
        look: Callable[[], Any] = lambda: None,
    ) -> Answer:
        """The answer. What the request wrote is undone, and the session is again as it was; `look`
        is called in between, while it stands."""
        self.client.cookies = SimpleCookie(self.cookies)
        kwargs: dict[str, Any] = {"data": data} if data else {}
        if method != "get" and url.startswith("/api/"):
            kwargs = {"data": data or {}, "content_type": "application/json"}
        with transaction.atomic():
            response = getattr(self.client, method)(url, **kwargs)
            # A file is read to its end: the client closes it then.
            body = response.getvalue().decode(errors="replace")
            look()
            transaction.set_rollback(True)
        leads = response.headers.get("Location", "")
        return Answer(response.status_code, leads, _PASSING.sub("", body))
