"""The inbox: a row each, written in the deed's own transaction; e-mail follows on commit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def notify(user_ids: Iterable[int], *, title: str, body: str = "", about: Any = None) -> None:
    """Put one message in each user's inbox, with a link to `about` (its get_absolute_url)."""
