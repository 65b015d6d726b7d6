"""The answer to a live check of a field (core/checks), as the few words that stand under it."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse

from core.checks import CHECKS
from core.scope import require
from core.views.base import ConsoleView

LONGEST = 100


class CheckView(ConsoleView):
    """``?field=`` names the parameter that holds the text, ``?about=`` the form's object."""

    template = "console/check.html"

    def _sign_in_first(self) -> HttpResponse:
        """No answer: the field asks by itself, and its form must not be led away from."""
        return HttpResponse(status=204) if self.request.htmx else super()._sign_in_first()

    def check_right(self) -> None:
        self.check = CHECKS.get(self.kwargs["name"])
        if self.check is None:
            raise Http404(f"no check {self.kwargs['name']!r}")
        require(self.request.user, self.check.perm)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        text = request.GET.get(request.GET.get("field", ""), "").strip()[:LONGEST]
        about = request.GET.get("about", "")
        return self.page(answer=self.check.answer(text, request.user, about) if text else None)

    def shell(self) -> dict[str, Any]:
        return {}
