from __future__ import annotations

import django_filters
from django.db.models import Exists, OuterRef, QuerySet

from core.filters import FilterSet, Search
from grids.models import GridPost, GridProfile, GridStandard
from grids.querysets import in_band
from orgs.enums import AreaState


class GridFilter(FilterSet):
    q = Search(
        fields=("area__name__contains", "community__name__contains", "area__code__startswith"),
        label="查找网格",
        hint="网格、社区名称或代码",
    )
    counts = django_filters.ChoiceFilter(
        label="对照标准",
        choices=[("within", "达标"), ("outside", "超出标准"), ("unknown", "未统计")],
        method="by_counts",
    )
    posts = django_filters.ChoiceFilter(
        label="岗位", choices=[("vacant", "有空缺"), ("filled", "全部到岗")], method="by_posts"
    )
    state = django_filters.ChoiceFilter(
        label="状态", field_name="area__state", choices=AreaState.choices
    )

    class Meta:
        model = GridProfile
        fields = ()

    def by_counts(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        rows = rows.in_use()
        if value == "unknown":
            return rows.uncounted()
        within = in_band(GridStandard.current())
        return rows.filter(within) if value == "within" else rows.counted().exclude(within)

    def by_posts(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        vacant = Exists(GridPost.objects.vacant().filter(area=OuterRef("area")))
        return rows.in_use().filter(vacant if value == "vacant" else ~vacant)


class PostFilter(FilterSet):
    class Meta:
        model = GridPost
        fields = ("state", "kind")
