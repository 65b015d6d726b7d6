from core.filters import FilterSet, Search
from orgs.models import Area, Unit


class UnitFilter(FilterSet):
    q = Search(
        fields=(
            "name__icontains",
            "initials__startswith",
            "pinyin__startswith",
            "credit_code__startswith",
        ),
        label="查找单位",
        hint="名称、拼音首字母或信用代码",
    )

    class Meta:
        model = Unit
        fields = ("kind", "state")


class AreaFilter(FilterSet):
    q = Search(
        fields=("name__contains", "initials__startswith", "pinyin__startswith", "code__startswith"),
        label="查找区划",
        hint="名称、拼音首字母或代码",
    )

    class Meta:
        model = Area
        fields = ("kind", "state")
