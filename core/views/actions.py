"""Links to what one can do from a page, shown to those who may."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from core.scope import Scope, may, reach_of


@dataclass(frozen=True)
class Action:
    """A button of a list or a detail page that leads to another page.

    perm: who sees it (over the object on a detail page, anywhere on a list).
    within: on a list, the scope that says where the right counts, if not every place does.
    keep_query: hand on the filters, e.g. to export exactly what is shown.
    tone: primary | default | danger.
    """

    label: str
    url_name: str
    perm: str | None = None
    icon: str = ""
    tone: str = "default"
    keep_query: bool = False
    within: Scope | None = None

    def shown_to(self, user: Any, obj: Any = None) -> bool:
        if self.perm is None:
            return True
        if obj is not None:
            return may(user, self.perm, obj)
        if self.within is not None:
            return self.within.anywhere(user, self.perm)
        return bool(reach_of(user, self.perm))

    def href(self, request: HttpRequest, suffix: str, obj: Any = None) -> str:
        address = reverse(self.url_name, args=[obj.pk] if obj is not None else [])
        if self.keep_query:
            query = request.GET.urlencode()
            return f"{address}?{query}" if query else address
        return address + suffix
