from core.filters import FilterSet, Search
from grids.models import GridProfile


class GridFilter(FilterSet):
    q = Search(
        fields=("area__name__contains", "community__name__contains", "area__code__startswith"),
        label="查找网格",
        hint="网格、社区名称或代码",
    )

    class Meta:
        model = GridProfile
        fields = ()
