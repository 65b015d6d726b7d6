import django_filters
from django import forms
from django.db.models import Q

from core.fields import blind_index
from core.filters import CaseFilter, DayRange, FilterSet, Search
from members.models import Member, Post, Reporting, ServiceRecord


class MemberFilter(FilterSet):
    q = Search(
        fields=("name__contains", "unit__name__contains"), label="查找党员", hint="姓名或单位"
    )
    phone = django_filters.CharFilter(
        label="手机号（完整号码）", method="by_phone", max_length=20, widget=forms.TextInput
    )
    left = CaseFilter(label="在册", case="has_left", choices=(("no", "在册"), ("yes", "已注销")))
    private = ("phone",)

    class Meta:
        model = Member
        fields = ()

    def by_phone(self, queryset, name, value):
        """Encrypted numbers answer to the whole number alone."""
        return queryset.filter(phone_index=blind_index(value)).exclude(phone_index="")

    def has_left(self, value):
        return Q(left_on__isnull=value == "no")


class ReportingFilter(FilterSet):
    q = Search(
        fields=("member__name__contains", "unit__name__contains"),
        label="查找报到",
        hint="姓名或单位",
    )
    reported_on = DayRange(label="报到日期")

    class Meta:
        model = Reporting
        fields = ("state",)


class PostFilter(FilterSet):
    q = Search(fields=("title__contains", "skills__contains"), label="查找岗位", hint="名称或特长")

    class Meta:
        model = Post
        fields = ("category", "state")


class ServiceFilter(FilterSet):
    q = Search(
        fields=("member__name__contains", "content__contains"),
        label="查找服务",
        hint="姓名或内容",
    )
    served_on = DayRange(label="服务日期")

    class Meta:
        model = ServiceRecord
        fields = ("state",)
