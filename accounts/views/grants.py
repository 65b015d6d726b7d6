"""Grants: the security administrator's pages."""

from __future__ import annotations

from typing import Any

from accounts.actions.grants import end_grant, give_grant
from accounts.filters import GrantFilter
from accounts.forms import GrantForm, ReasonForm
from accounts.models import Grant, User
from accounts.tables import GrantTable
from core.scope import get_visible, require
from core.views import Action, ActionFormView, DetailView, ListView


class GrantList(ListView):
    model = Grant
    table = GrantTable
    filters = GrantFilter
    perm = "accounts.view"
    title = "授权"
    empty = "还没有授权。请由安全管理员授予。"
    actions = (
        Action("授权", "accounts:grant-add", perm="accounts.grant", tone="primary", icon="plus"),
    )


class GrantDetail(DetailView):
    model = Grant
    template = "accounts/grant.html"
    perm = "accounts.view"
    related = ("user", "area", "unit")
    list_label = "授权"
    actions = (Action("收回", "accounts:grant-end", perm="accounts.grant", tone="danger"),)


class GrantAdd(ActionFormView):
    model = Grant
    form = GrantForm
    action = staticmethod(give_grant)
    creates = True
    perm = "accounts.grant"
    title = "授权"
    lead = "被授权人的下一次操作即按新授权办理。三类管理员不得由同一账号担任，也不得兼任业务角色。"
    submit = "授权"
    done = "已授权。"


class UserGrant(GrantAdd):
    """A grant for the account whose page led here. The account comes first, as on every page
    about one: 404 to whoever does not see it, 403 to whoever sees it and gives no grants."""

    def check_right(self) -> None:
        self.account = get_visible(User.objects, self.request.user, pk=self.kwargs["pk"])
        require(self.request.user, self.perm, self.account)

    def initial(self) -> dict[str, Any]:
        return {**super().initial(), "user": self.account.username}


class GrantEnd(ActionFormView):
    model = Grant
    form = ReasonForm
    action = staticmethod(end_grant)
    perm = "accounts.grant"
    title = "收回授权"
    lead = "收回后，被授权人的下一次操作即不再有这项权限。"
    submit = "收回"
    done = "授权已收回。"
