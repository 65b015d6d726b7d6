from core.views import DetailView, ListView
from orgs.filters import UnitFilter
from orgs.models import Unit
from orgs.tables import UnitTable


class UnitList(ListView):
    model = Unit
    table = UnitTable
    filters = UnitFilter
    perm = "units.view"
    title = "驻区单位"
    empty = "还没有登记单位。请由街道或社区登记，或导入单位名册。"


class UnitDetail(DetailView):
    model = Unit
    template = "orgs/unit.html"
    perm = "units.view"
    related = ("area",)
    list_label = "驻区单位"
