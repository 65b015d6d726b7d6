import django_filters
from django import forms
from django.db.models import Exists, OuterRef

from alliance.models import Agreement, Clause, Fulfilment, Party
from core.filters import DayRange, FilterSet, Search


class AgreementFilter(FilterSet):
    q = Search(
        fields=("number__istartswith", "title__icontains", "area__name__contains"),
        label="查找协议",
        hint="编号、名称或社区",
    )
    unit = django_filters.CharFilter(
        label="乙方单位", method="by_unit", max_length=60, widget=forms.TextInput
    )
    signed_on = DayRange(label="签订日期")
    ends_on = DayRange(label="到期日期")

    class Meta:
        model = Agreement
        fields = ("state",)

    def by_unit(self, queryset, name, value):
        parties = Party.objects.filter(agreement=OuterRef("pk"), unit__name__contains=value)
        return queryset.filter(Exists(parties))


class ClauseFilter(FilterSet):
    class Meta:
        model = Clause
        fields = ("agreement", "category")


class PartyFilter(FilterSet):
    class Meta:
        model = Party
        fields = ("agreement", "side")


class FulfilmentFilter(FilterSet):
    on = DayRange(label="日期")

    class Meta:
        model = Fulfilment
        fields = ("clause",)
