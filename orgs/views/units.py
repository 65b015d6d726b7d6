from core.views import Action, DetailView, ListView
from orgs.filters import UnitFilter
from orgs.models import Unit
from orgs.tables import UnitTable


class UnitList(ListView):
    model = Unit
    table = UnitTable
    filters = UnitFilter
    perm = "units.view"
    title = "驻区单位"
    actions = (
        Action("导入", "orgs:units-import", perm="units.edit", icon="upload"),
        Action("导出", "orgs:units-export", perm="units.view", icon="download", keep_query=True),
    )
    empty = "还没有登记单位。请由街道或社区登记，或导入单位名册。"


class UnitDetail(DetailView):
    model = Unit
    template = "orgs/unit.html"
    perm = "units.view"
    related = ("area",)
    list_label = "驻区单位"
