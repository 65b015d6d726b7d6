"""/console/sign-in/ and out again."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views import View

from accounts import lockout
from accounts.actions.signing import sign_in, sign_out
from accounts.forms import SignInForm
from accounts.views.bare import BareView

WRONG = "登录名或密码不正确，或账号已停用。请核对后重试；忘记密码请联系系统管理员重设。"

TOO_MANY = {
    "pair": "尝试次数过多，已暂停从此处登录这个账号。请在 {minutes} 分钟后再试；"
    "忘记密码请联系系统管理员重设。",
    "name": "这个账号近来登录失败次数过多，已暂停从未登录过它的浏览器登录。"
    "请换用以前登录过的电脑，或在 {minutes} 分钟后再试；急用请联系系统管理员重设密码。",
    "place": "此网络近来登录失败次数过多，已暂停从未登录过的浏览器登录。"
    "请换用以前登录过这个账号的电脑，或在 {minutes} 分钟后再试；急用请联系系统管理员。",
}


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
            answer = HttpResponseRedirect(self.next)
            lockout.remember(request, answer, form.cleaned_data["username"])
            return answer
        form.add_error(None, WRONG)
        return self.show(form, status=422)


def locked_out(
    request: HttpRequest, response: HttpResponse | None, credentials: dict[str, Any] | None
) -> HttpResponse:
    """What stands in place of the answer once there were too many tries. The same for a name that
    nobody has."""
    view = SignInView()
    view.setup(request)
    form = SignInForm(request.POST)
    form.is_valid()
    measure, minutes = lockout.closed(request, (credentials or {}).get("username", ""))
    minutes = minutes or 1  # it opened this very moment
    form.add_error(None, TOO_MANY.get(measure, TOO_MANY["pair"]).format(minutes=minutes))
    answer = view.show(form, status=429)
    answer["Retry-After"] = str(minutes * 60)
    return answer


class SignOutView(View):
    before_gate = True
    http_method_names = ("post",)

    def post(self, request: HttpRequest) -> HttpResponse:
        sign_out(request)
        return HttpResponseRedirect(reverse("accounts:sign-in"))
