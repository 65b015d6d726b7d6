"""Pages of the register of member units."""

from core.views import Action, ActionFormView, DetailView, ListView
from orgs.actions.units import register_unit, update_unit
from orgs.filters import UnitFilter
from orgs.forms import UnitForm
from orgs.models import Unit
from orgs.tables import UnitTable

LABEL = "驻区单位"


class UnitList(ListView):
    model = Unit
    table = UnitTable
    filters = UnitFilter
    perm = "units.view"
    title = LABEL
    empty = "还没有登记单位。请由街道或社区登记，或导入单位名册。"
    actions = (
        Action("登记单位", "orgs:unit-add", "units.edit", icon="plus", tone="primary"),
        Action("导入", "orgs:units-import", "units.edit", icon="upload"),
        Action("导出", "orgs:units-export", "units.view", icon="download", keep_query=True),
    )


class UnitDetail(DetailView):
    model = Unit
    template = "orgs/unit.html"
    perm = "units.view"
    related = ("area", "district", "street", "community")
    list_label = LABEL
    actions = (Action("修改", "orgs:unit-edit", "units.edit", icon="edit"),)


class UnitAdd(ActionFormView):
    model = Unit
    form = UnitForm
    action = staticmethod(register_unit)
    creates = True
    perm = "units.edit"
    title = "登记单位"
    done = "已登记。"
    list_label = LABEL

    def initial(self) -> dict[str, object]:
        return {"area": self.place} if self.place else {}


class UnitEdit(ActionFormView):
    model = Unit
    form = UnitForm
    action = staticmethod(update_unit)
    perm = "units.edit"
    title = "修改单位"
    related = ("area",)
    list_label = LABEL
