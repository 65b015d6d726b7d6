"""Pages outside the console's shell: what one passes before there is a menu to show."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from core.views.render import render


@method_decorator([never_cache, sensitive_post_parameters()], name="dispatch")
class BareView(View):
    """A form in the middle of the page. `signed_in`: only for those who have signed in."""

    before_gate = True
    signed_in = True
    template = "accounts/bare_form.html"
    form: type[forms.Form]
    title = ""
    lead = ""
    submit = "继续"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if self.signed_in and not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(self.form())

    def show(self, form: forms.Form | None, status: int = 200, **more: Any) -> HttpResponse:
        context = {"title": self.title, "view": self, "form": form, "next": self.next, **more}
        return render(self.request, self.template, context, status=status)

    @property
    def next(self) -> str:
        """Where the way leads afterwards: a page of this site, never another's."""
        wanted = self.request.POST.get("next") or self.request.GET.get("next", "")
        host = self.request.get_host()
        safe = url_has_allowed_host_and_scheme(wanted, {host}, self.request.is_secure())
        return wanted if safe and wanted.startswith("/") else reverse("console:home")
