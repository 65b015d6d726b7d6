"""Pages over member units to prove the base views on: lists, details, forms, transitions."""

from django.db import transaction
from django.urls import include, path

import orgs.urls
from config import urls as project
from core import audit
from core.errors import Refused
from core.filters import DayRange, FilterSet, Search
from core.forms import ModelForm, PlaceField
from core.scope import require
from core.tables import Column, Table
from core.urls import noun
from core.views import Action, ActionFormView, DetailView, ListView
from orgs.models import Unit


class UnitTable(Table):
    columns = (
        Column("name", "单位名称", link=True, sort=True),
        Column("kind", "类别", tag={"school": "info"}),
        Column("area__name", "所在地", sort=("area__name", "name")),
        Column("contact_name", "联络员", render=lambda unit: unit.contact_name),
        Column("created_at", "登记日期", date=True),
        Column("updated_at", "更新时间", time=True, minor=True),
    )


class UnitFilter(FilterSet):
    q = Search(fields=("name__icontains",), hint="名称")
    created_at = DayRange(label="登记日期")

    class Meta:
        model = Unit
        fields = ("kind",)


class UnitForm(ModelForm):
    area = PlaceField(label="所在地", kinds=("community",), perm="units.edit")
    groups = (("基本信息", ("name", "kind")),)

    class Meta:
        model = Unit
        fields = ("name", "kind", "credit_code", "area", "contact_name")


@transaction.atomic
def register_unit(*, by, **data) -> Unit:
    if data["name"] == "禁用":
        raise Refused("这个名称不能使用，请换一个。", field="name")
    unit = Unit.objects.create(**data)
    audit.record("orgs.unit.create", unit, by=by, after=audit.snapshot(unit))
    return unit


@transaction.atomic
def change_unit(*, unit, by, **data) -> Unit:
    require(by, "units.edit", unit)
    before = audit.snapshot(unit)
    for name, value in data.items():
        setattr(unit, name, value)
    unit.save()
    audit.record("orgs.unit.update", unit, by=by, before=before, after=audit.snapshot(unit))
    if unit.contact_name == "无":
        raise Refused("至少要有一位联络员。")
    return unit


class UnitList(ListView):
    model = Unit
    table = UnitTable
    filters = UnitFilter
    perm = "units.view"
    title = "驻区单位"
    empty = "请先登记单位。"
    actions = (Action("登记单位", "orgs:unit-add", perm="units.edit", tone="primary"),)


class UnitDetail(DetailView):
    model = Unit
    template = "orgs/unit.html"
    perm = "units.view"
    related = ("area",)
    path = ("active", "left")
    actions = (Action("修改", "orgs:unit-edit", perm="units.edit"),)


class UnitAdd(ActionFormView):
    model, form, action = Unit, UnitForm, staticmethod(register_unit)
    creates = True
    perm = "units.edit"
    title = "登记单位"


class UnitEdit(ActionFormView):
    model, form, action = Unit, UnitForm, staticmethod(change_unit)
    perm = "units.edit"
    title = "修改单位"


mine = noun("unit", list=UnitList, detail=UnitDetail, add=UnitAdd, edit=UnitEdit, transits=Unit)
urlpatterns = [
    path("console/orgs/", include(([*mine, *orgs.urls.urlpatterns], "orgs"))),
    *project.urlpatterns,  # the menu leads to every room
]
handler400, handler403 = project.handler400, project.handler403
handler404, handler500 = project.handler404, project.handler500
