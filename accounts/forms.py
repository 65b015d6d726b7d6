"""What the account pages ask for."""

from __future__ import annotations

import re

from django import forms
from django.utils import timezone

from accounts.enums import Role
from accounts.models import User
from core.forms import Form, PlaceField
from core.scope import reach_of
from orgs.enums import STAMPS, UnitState
from orgs.models import Unit


class SignInForm(Form):
    username = forms.CharField(
        label="登录名",
        max_length=64,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"}),
    )
    password = forms.CharField(
        label="密码",
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def clean_username(self) -> str:
        return self.cleaned_data["username"].lower()


class PasswordForm(Form):
    present = forms.CharField(
        label="现密码",
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    password = forms.CharField(
        label="新密码",
        max_length=128,
        strip=False,
        help_text="至少 10 位，不能全是数字，不能是常见密码，不能与登录名或姓名相近。",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label="再次输入新密码",
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean_again(self) -> str:
        if self.cleaned_data["again"] != self.cleaned_data.get("password"):
            raise forms.ValidationError("两次输入的新密码不一致，请重新输入。")
        return self.cleaned_data["again"]


def _code_widget() -> forms.TextInput:
    return forms.TextInput(
        attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}
    )


class CodeForm(Form):
    """A code of the authenticator: six digits."""

    token = forms.CharField(label="验证码", max_length=12, widget=_code_widget())

    def clean_token(self) -> str:
        token = "".join(self.cleaned_data["token"].split())
        if not re.fullmatch(r"[0-9]{6}", token):
            raise forms.ValidationError("请输入动态口令应用显示的 6 位数字。")
        return token


class SecondFactorForm(Form):
    """A code of the authenticator, or one of the recovery codes."""

    token = forms.CharField(
        label="验证码",
        max_length=20,
        help_text="动态口令应用显示的 6 位数字；手机不在身边时，可输入一个恢复码。",
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "autofocus": True}),
    )


class UserForm(Form):
    name = forms.CharField(label="姓名", max_length=40)
    email = forms.EmailField(
        label="邮箱", required=False, help_text="填写后，待办提醒同时发到邮箱。"
    )


class NewUserForm(UserForm):
    username = forms.CharField(
        label="登录名",
        max_length=64,
        help_text="小写字母、数字、点、横线或下划线，以字母或数字开头；建立后不能更改。",
        widget=forms.TextInput(attrs={"autocapitalize": "none"}),
    )
    field_order = ("username", "name", "email")


class ReasonForm(Form):
    reason = forms.CharField(
        label="理由",
        max_length=500,
        help_text="会记入审计日志。",
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class ConfirmForm(Form):
    """Nothing to fill in: the page says what will happen."""


class GrantForm(Form):
    user = forms.CharField(label="登录名", max_length=64, help_text="被授权人的登录名。")
    role = forms.ChoiceField(label="角色", choices=Role.choices)
    area = PlaceField(
        label="区域",
        kinds=STAMPS,
        anywhere=True,
        required=False,
        help_text="组织部门、街道干部、社区工作者、网格员填写；权限及于其下所有区域。",
    )
    unit = forms.CharField(
        label="单位",
        max_length=120,
        required=False,
        help_text="单位联络员填写：单位全称或统一社会信用代码。",
    )
    starts_on = forms.DateField(label="自", initial=timezone.localdate)
    ends_on = forms.DateField(label="至", required=False, help_text="含当日；不填为长期有效。")

    def clean_user(self) -> User:
        name = self.cleaned_data["user"].strip().lower()
        seen = User.objects.visible_to(self.user)
        user = seen.filter(username=name).first() if reach_of(self.user, "accounts.grant") else None
        if user is None:
            raise forms.ValidationError(
                f"没有登录名为“{name}”的账号，请核对；新账号由系统管理员建立。"
            )
        return user

    def clean_unit(self) -> Unit | None:
        text = self.cleaned_data["unit"].strip()
        if not text:
            return None
        units = Unit.objects.filter(state=UnitState.ACTIVE)
        found = units.filter(credit_code=text.upper())[:2] or units.filter(name=text)[:2]
        if not found:
            raise forms.ValidationError(f"没有找到在册单位“{text}”，请填写全称或统一社会信用代码。")
        if len(found) > 1:
            raise forms.ValidationError(f"有多家单位名为“{text}”，请填写统一社会信用代码。")
        return found[0]
