"""Show, enrol and renew the second factor."""

from __future__ import annotations

from typing import Any

import qrcode
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from markupsafe import Markup
from qrcode.image.svg import SvgPathImage

from accounts.actions.own import (
    confirm_device,
    new_recovery_codes,
    pending_device,
    recovery_codes_left,
    verify_second_factor,
)
from accounts.actions.signing import has_second_factor
from accounts.forms import CodeForm, SecondFactorForm
from accounts.views.bare import BareView
from core.errors import Refused


class SecondFactorView(BareView):
    form = SecondFactorForm
    title = "动态口令验证"
    submit = "验证"

    def get(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_verified():
            return HttpResponseRedirect(self.next)
        return super().get(request)

    def post(self, request: HttpRequest) -> HttpResponse:
        form = self.form(request.POST)
        if not form.is_valid():
            return self.show(form, status=422)
        try:
            verify_second_factor(request, user=request.user, **form.cleaned_data)
        except Refused as error:
            form.add_error(error.field, error.message)
            return self.show(form, status=422)
        if (left := recovery_codes_left(request.user)) < 3:
            messages.warning(request, f"恢复码只剩 {left} 个，请在“我的账号”重新生成并妥善保管。")
        return HttpResponseRedirect(self.next)


class EnrolView(BareView):
    """Bind an authenticator. Whoever has one must have shown it before it is replaced."""

    form = CodeForm
    template = "accounts/enrol.html"
    title = "绑定动态口令"
    submit = "确认绑定"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        user = request.user
        if user.is_authenticated and not user.is_verified() and has_second_factor(user):
            return HttpResponseRedirect(reverse("accounts:second-factor"))
        return super().dispatch(request, *args, **kwargs)

    def post(self, request: HttpRequest) -> HttpResponse:
        form = self.form(request.POST)
        if not form.is_valid():
            return self.show(form, status=422)
        try:
            codes = confirm_device(request, user=request.user, **form.cleaned_data)
        except Refused as error:
            form.add_error(error.field, error.message)
            return self.show(form, status=422)
        return shown_once(self, codes)

    def show(self, form: CodeForm, status: int = 200, **more: Any) -> HttpResponse:
        device = pending_device(self.request.user)
        address = device.config_url
        secret = address.partition("secret=")[2].partition("&")[0]
        spaced = " ".join(secret[i : i + 4] for i in range(0, len(secret), 4))
        return super().show(form, status, picture=picture(address), secret=spaced, **more)


class RecoveryCodesView(BareView):
    """Ten new recovery codes in place of the old, for those who have shown the second factor."""

    http_method_names = ("post",)
    title = "恢复码"
    before_gate = False

    def post(self, request: HttpRequest) -> HttpResponse:
        try:
            codes = new_recovery_codes(user=request.user)
        except Refused as error:
            messages.error(request, error.message)
            return HttpResponseRedirect(reverse("accounts:profile"))
        return shown_once(self, codes)


def shown_once(view: BareView, codes: list[str]) -> HttpResponse:
    """The page with the codes: an answer to the POST itself, so that no address leads back."""
    view.template, view.title = "accounts/recovery_codes.html", "恢复码"
    return BareView.show(view, None, codes=codes)


def picture(address: str) -> Markup:
    """The address as a QR picture within the page: a picture's own address would hold the secret."""
    drawn = qrcode.make(address, image_factory=SvgPathImage, box_size=16, border=2)
    return Markup(drawn.to_string(encoding="unicode"))  # noqa: S704  (paths alone)
