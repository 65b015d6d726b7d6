"""Accounts: the system administrator's pages."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from accounts.actions.second_factor import reset_second_factor
from accounts.actions.signing import has_second_factor
from accounts.actions.users import activate, create_user, deactivate, reset_password, update_user
from accounts.filters import UserFilter
from accounts.forms import ConfirmForm, NewUserForm, ReasonForm, UserForm
from accounts.models import Grant, User
from accounts.passwords import first_password
from accounts.tables import UserTable
from core.views import Action, ActionFormView, DetailView, ListView


class UserList(ListView):
    model = User
    table = UserTable
    filters = UserFilter
    perm = "accounts.view"
    title = "账号"
    empty = "还没有账号。请由系统管理员建立。"
    actions = (
        Action(
            "建立账号", "accounts:user-add", perm="accounts.manage", tone="primary", icon="plus"
        ),
    )

    def get_queryset(self) -> QuerySet:
        grants = Grant.objects.select_related("area", "unit")
        return super().get_queryset().prefetch_related(Prefetch("grants", grants))


class UserDetail(DetailView):
    model = User
    template = "accounts/user.html"
    perm = "accounts.view"
    list_label = "账号"
    actions = (
        Action("修改", "accounts:user-edit", perm="accounts.manage", icon="edit"),
        Action("重设密码", "accounts:user-password", perm="accounts.manage"),
        Action("停用", "accounts:user-deactivate", perm="accounts.manage", tone="danger"),
        Action("启用", "accounts:user-activate", perm="accounts.manage"),
        Action("授权", "accounts:user-grant", perm="accounts.grant", tone="primary"),
        Action("解除动态口令", "accounts:user-second-factor", perm="accounts.grant"),
    )

    def extra(self) -> dict[str, Any]:
        grants = self.object.grants.visible_to(self.request.user).select_related("area", "unit")
        return {
            "grants": grants.order_by("-pk"),
            "has_device": has_second_factor(self.object),
        }


@method_decorator(never_cache, name="dispatch")
class _WithFirstPassword(ActionFormView):
    """Ends on a page that shows the new password: once, as the answer to the POST itself."""

    def run(self, data: dict[str, Any]) -> User:
        self.password = first_password()
        self.result = super().run({**data, "password": self.password})
        return self.result

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        answer = super().post(request, *args, **kwargs)
        if answer.status_code != 302:
            return answer
        self.template, self.title = "accounts/first_password.html", "初始密码"
        return self.page(account=self.result, password=self.password)


class UserAdd(_WithFirstPassword):
    model = User
    form = NewUserForm
    action = staticmethod(create_user)
    creates = True
    perm = "accounts.manage"
    title = "建立账号"
    lead = "系统会生成初始密码，首次登录时须修改。建立后由安全管理员授权。"
    submit = "建立"
    done = "账号已建立。"


class UserEdit(ActionFormView):
    model = User
    form = UserForm
    action = staticmethod(update_user)
    perm = "accounts.manage"
    title = "修改账号"


class UserPassword(_WithFirstPassword):
    model = User
    form = ConfirmForm
    action = staticmethod(reset_password)
    perm = "accounts.manage"
    title = "重设密码"
    lead = "系统会生成新的初始密码，该账号现有的登录会全部退出，下次登录时须修改密码。"
    submit = "重设"
    done = "密码已重设。"


class UserDeactivate(ActionFormView):
    model = User
    form = ReasonForm
    action = staticmethod(deactivate)
    perm = "accounts.manage"
    title = "停用账号"
    lead = "停用后立即退出，不能再登录；授权保留，启用后恢复。"
    submit = "停用"
    done = "账号已停用。"


class UserActivate(UserDeactivate):
    action = staticmethod(activate)
    title = "启用账号"
    lead = "启用后可以登录，未到期的授权恢复生效。"
    submit = "启用"
    done = "账号已启用。"


class UserSecondFactor(ActionFormView):
    model = User
    form = ReasonForm
    action = staticmethod(reset_second_factor)
    perm = "accounts.grant"
    title = "解除动态口令"
    lead = "用于手机遗失等情况。解除后，本人下次登录时须重新绑定。请先当面核实身份。"
    submit = "解除"
    done = "动态口令已解除。"
