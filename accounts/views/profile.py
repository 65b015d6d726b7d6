"""My account: what I hold, my password, my second factor."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from accounts.actions.own import change_password, recovery_codes_left
from accounts.actions.signing import has_second_factor
from accounts.forms import PasswordForm
from accounts.views.bare import BareView
from core.errors import Refused
from core.views import ConsoleView


class ProfileView(ConsoleView):
    title = "我的账号"
    template = "accounts/profile.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page(
            grants=request.user.current_grants,
            has_device=has_second_factor(request.user),
            codes_left=recovery_codes_left(request.user),
        )


class PasswordView(BareView):
    form = PasswordForm
    title = "修改密码"
    submit = "修改密码"

    @property
    def lead(self) -> str:
        if self.request.user.must_change_password:
            return "现在的密码由管理员设定，请换成只有您自己知道的密码。"
        return "修改后，您在其他设备上的登录会全部退出。"

    def post(self, request: HttpRequest) -> HttpResponse:
        form = self.form(request.POST)
        if not form.is_valid():
            return self.show(form, status=422)
        data = form.cleaned_data
        try:
            change_password(
                request, user=request.user, present=data["present"], password=data["password"]
            )
        except Refused as error:
            form.add_error(error.field, error.message)
            return self.show(form, status=422)
        messages.success(request, "密码已修改，其他设备上的登录已退出。")
        return HttpResponseRedirect(self.next)
