import django_filters

from core.filters import FilterSet, Search
from core.periods import recent_periods
from reports.models import Review, Run


def _periods():
    return [(p.text, p.label) for p in recent_periods(count=8)]


class ReviewFilter(FilterSet):
    q = Search(fields=("area_name__contains", "area__initials__startswith"), label="查找单位")
    period = django_filters.ChoiceFilter(label="期间", choices=_periods)

    class Meta:
        model = Review
        fields = ("period", "level", "state", "band")


class RunFilter(FilterSet):
    period = django_filters.ChoiceFilter(label="期间", choices=_periods)

    class Meta:
        model = Run
        fields = ("period",)
