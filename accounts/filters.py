import django_filters
from django import forms
from django.db.models import Q
from django.utils import timezone

from accounts.enums import GrantState, Role
from accounts.models import Grant, User
from core.filters import CaseFilter, DayRange, FilterSet, Search
from core.models import AuditEvent


class UserFilter(FilterSet):
    q = Search(
        fields=("name__icontains", "username__icontains"), label="查找账号", hint="姓名或登录名"
    )
    is_active = django_filters.BooleanFilter(
        label="状态",
        widget=forms.Select(choices=[("", "全部"), ("true", "启用"), ("false", "停用")]),
    )
    role = CaseFilter(label="现有角色", choices=Role.choices, case="holding")

    class Meta:
        model = User
        fields = ()

    def holding(self, value: str) -> Q:
        grants = Grant.objects.in_force(timezone.localdate()).filter(role=value)
        return Q(pk__in=grants.values("user"))


class GrantFilter(FilterSet):
    q = Search(
        fields=("user__name__icontains", "user__username__icontains"),
        label="查找授权",
        hint="姓名或登录名",
    )
    state = CaseFilter(label="状态", choices=GrantState.choices, case="standing")

    class Meta:
        model = Grant
        fields = ("role",)

    def standing(self, value: str) -> Q:
        return Q(pk__in=Grant.objects.in_state(value, timezone.localdate()).values("pk"))


class AuditFilter(FilterSet):
    q = Search(
        fields=("actor_name__icontains", "object_label__icontains"),
        label="查找审计记录",
        hint="操作人或对象名称",
    )
    action = django_filters.CharFilter(
        label="动作", lookup_expr="startswith", max_length=64, help_text="如 accounts.user.sign_in"
    )
    object_type = django_filters.CharFilter(
        label="对象类型", max_length=64, help_text="如 orgs.unit"
    )
    object_id = django_filters.CharFilter(label="对象编号", max_length=64)
    actor_id = django_filters.NumberFilter(label="操作人编号", min_value=1, max_value=2**63 - 1)
    request_id = django_filters.CharFilter(label="请求编号", max_length=64)
    at = DayRange(label="日期")

    class Meta:
        model = AuditEvent
        fields = ()
