"""A signed-in client, and what a reader sees of an answer."""

from __future__ import annotations

import re

from django.test import Client


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def text(response) -> str:
    """The words of a page, without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode())).strip()


def flush(text_: str) -> str:
    return re.sub(r"\s+", "", text_)


def htmx(target: str, at: str = "") -> dict[str, str]:
    """The headers of a request that fills the element `target`."""
    found = {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": target}
    return found | ({"HTTP_HX_CURRENT_URL": f"http://testserver{at}"} if at else {})


def rows_of(response) -> int:
    """How many rows the list of a page shows."""
    return response.content.decode().count('<tr id="row-')
