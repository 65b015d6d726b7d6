"""What every page knows of its request."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

THEMES = ("light", "dark")
THEME_COOKIE = "theme"
KEYS_COOKIE = "keys"


def face(request: HttpRequest) -> dict[str, Any]:
    """`user`, `nonce` of the content policy, `theme` when the person chose one, `keys_off` when
    they have switched single keys off.

    An error page may be rendered for a request that some middleware never saw.
    """
    theme = request.COOKIES.get(THEME_COOKIE, "")
    return {
        # Not looked at here: a person is read from the database, which an error page does without.
        "user": request.user if hasattr(request, "user") else AnonymousUser(),
        "nonce": getattr(request, "csp_nonce", ""),
        "theme": theme if theme in THEMES else "",
        "keys_off": request.COOKIES.get(KEYS_COOKIE) == "off",
    }
