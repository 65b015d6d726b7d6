"""/console/sign-in/ and out again."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views import View

from accounts.actions.signing import locked_for, sign_in, sign_out
from accounts.forms import SignInForm
from accounts.views.bare import BareView

WRONG = "登录名或密码不正确，或账号已停用。请核对后重试；忘记密码请联系系统管理员重设。"


class SignInView(BareView):
    signed_in = False
    form = SignInForm
    title = "登录"
    submit = "登录"

    def get(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            return HttpResponseRedirect(self.next)
        return super().get(request)

    def post(self, request: HttpRequest) -> HttpResponse:
        form = self.form(request.POST)
        if not form.is_valid():
            return self.show(form, status=422)
        if sign_in(request, **form.cleaned_data):
            return HttpResponseRedirect(self.next)
        form.add_error(None, WRONG)
        return self.show(form, status=422)


def locked_out(
    request: HttpRequest, response: HttpResponse | None, credentials: dict[str, Any] | None
) -> HttpResponse:
    """What stands in place of the answer once an address has tried a name too often. The same
    for a name that nobody has."""
    view = SignInView()
    view.setup(request)
    form = SignInForm(request.POST)
    form.is_valid()
    minutes = locked_for(request, (credentials or {}).get("username", ""))
    form.add_error(
        None,
        f"尝试次数过多，已暂停从此处登录这个账号。请在 {minutes} 分钟后再试；"
        "忘记密码请联系系统管理员重设。",
    )
    answer = view.show(form, status=429)
    answer["Retry-After"] = str(minutes * 60)
    return answer


class SignOutView(View):
    before_gate = True
    http_method_names = ("post",)

    def post(self, request: HttpRequest) -> HttpResponse:
        sign_out(request)
        return HttpResponseRedirect(reverse("accounts:sign-in"))
