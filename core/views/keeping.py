"""Forms whose words are not lost: what `ActionFormView` and `TransitView` share (core/drafts)."""

from __future__ import annotations

import logging
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
)
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from django_htmx.http import HttpResponseClientRedirect

from core import drafts
from core.models import Draft
from core.views.base import ConsoleView
from core.views.details import ObjectView

log = logging.getLogger(__name__)


class KeepsTyped(ObjectView):
    """A page with a form. What is submitted after the session has ended waits for the same
    person to sign in; what is submitted when something breaks waits for them as well."""

    draft: Draft | None = None  # what was given back on this page

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return super().dispatch(request, *args, **kwargs)
        except (Http404, PermissionDenied):
            raise  # nowhere to give it back
        except Exception:
            if request.method == "POST":
                self._keep_after_failure()
            raise

    def _sign_in_first(self) -> HttpResponse:
        request = self.request
        if request.method != "POST" or not drafts.keep(request.POST, address=request.path):
            return super()._sign_in_first()
        messages.info(request, "填写的内容已保留，登录后会带回。")
        answer = redirect_to_login(request.get_full_path())
        return HttpResponseClientRedirect(answer.url) if request.htmx else answer

    def _keep_after_failure(self) -> None:
        try:
            drafts.keep(self.request.POST, address=self.request.path)
        except Exception:
            log.exception("what was typed at %s could not be kept", self.request.path)

    def give_back(self, form: forms.Form) -> forms.Form:
        """The form with what this person typed here before and did not submit."""
        self.draft = drafts.find(self.request.user, self.request.path)
        if self.draft:
            drafts.fill(form, self.draft)
        return form

    def submitted(self) -> None:
        """The deed is done: its draft is of no more use."""
        drafts.drop(self.request.user, self.request.path)

    def keeping(self, form: forms.Form) -> dict[str, Any]:
        """What the template needs (`ui.draft`). A form that asks nothing keeps nothing."""
        asks = bool(form.visible_fields())
        token = drafts.token(self.request.user, self.request.path) if asks else ""
        return {"draft": self.draft, "draft_token": token}


@method_decorator(csrf_exempt, name="dispatch")
class DraftSave(View):
    """Keeps what a form has so far: 204; 401 when it was kept but its writer is no longer signed
    in; 400 when it was not. The token permits it, and outlasts the session on purpose."""

    before_gate = True
    http_method_names = ("post",)

    def post(self, request: HttpRequest) -> HttpResponse:
        kept = drafts.keep(request.POST)
        if kept is None:
            return HttpResponse(status=400)
        return HttpResponse(status=204 if request.user.pk == kept.user_id else 401)


class DraftDrop(ConsoleView):
    """Lets a draft go and leads back to its form, empty."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        kept = drafts.read(request.POST.get(drafts.FIELD, ""))
        if kept is None or kept.user_id != request.user.pk:
            raise Http404("no draft of this person")
        drafts.drop(request.user, kept.address)
        return HttpResponseRedirect(kept.address + self.place_suffix)
