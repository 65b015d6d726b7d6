import django_filters

from core.filters import FilterSet, Search
from core.periods import period_choices
from reports.models import Band, Review, Run


def _bands():
    return [(label, label) for label in Band.objects.values_list("label", flat=True)]


class ReviewFilter(FilterSet):
    q = Search(
        fields=("area_name__contains", "area__initials__startswith"),
        label="查找单位",
        hint="单位名称或拼音首字母",
    )
    period = django_filters.ChoiceFilter(label="期间", choices=period_choices)

    band = django_filters.ChoiceFilter(label="等次", choices=_bands)

    class Meta:
        model = Review
        fields = ("period", "level", "state", "band")


class RunFilter(FilterSet):
    period = django_filters.ChoiceFilter(label="期间", choices=period_choices)

    class Meta:
        model = Run
        fields = ("period",)
