"""A room of its own for the tests of the API: a form, two actions, a table, a viewset."""

from __future__ import annotations

from django import forms
from django.db import transaction
from django.urls import include, path

from config import urls as project
from core import audit
from core.api import ScopedViewSet, Write
from core.api.routes import Router
from core.api.urls import not_there
from core.errors import Conflict, Refused
from core.filters import FilterSet, Search
from core.forms import Form, ModelForm, PlaceField
from core.scope import require
from core.transitions import Machine, Transition
from orgs.enums import UnitKind, UnitState
from orgs.models import Area, Unit
from tests.factories.orgs import credit_code, dated


class UnitTestForm(Form):
    name = forms.CharField(label="单位名称", max_length=20)
    kind = forms.ChoiceField(label="类别", choices=UnitKind.choices)
    area = forms.ModelChoiceField(Area.objects.all(), label="所在地")
    contact_name = forms.CharField(label="联络员", max_length=40, required=False)


class UnitChangeForm(ModelForm):
    area = PlaceField(label="所在地", anywhere=True)

    class Meta:
        model = Unit
        fields = ("name", "kind", "credit_code")


class HandoverForm(Form):
    contact = forms.CharField(label="接手人", max_length=10)


class UnitTestFilter(FilterSet):
    q = Search(fields=("name__icontains",))

    class Meta:
        model = Unit
        fields = ("kind", "state")


def add(*, by, area: Area, **values) -> Unit:
    require(by, "units.edit")
    with transaction.atomic():
        if values["name"] == "重名":
            raise Refused("本社区已有同名单位，请核对后再登记。", field="name")
        made = Unit.objects.create(area=area, credit_code=credit_code(90_000), **values)
        audit.record("orgs.unit.create", made, by=by, after=audit.snapshot(made))
    return made


def change(*, unit: Unit, by, **values) -> Unit:
    require(by, "units.edit", unit)
    if values["name"] == "已被占用":
        raise Conflict("名额刚刚被占用，请刷新后重试。")
    for name, value in values.items():
        setattr(unit, name, value)
    unit.save()
    return unit


def hand_over(obj: Unit, by, *, contact: str = "") -> None:
    dated(obj, by)
    obj.contact_name = contact


def owing(obj: Unit, by) -> str | None:
    return "尚有未办结事项。" if obj.contact_name == "未了" else None


def machine() -> Machine:
    return Machine(
        "orgs.Unit",
        states=UnitState,
        transitions=[
            Transition(
                "leave",
                "迁出",
                ["active"],
                "left",
                perm="units.edit",
                reason=True,
                guard=owing,
                apply=hand_over,
                form="tests.core.api_urls.HandoverForm",
            ),
            Transition("back", "迁回", ["left"], "active", perm="orgs.edit", apply=dated),
            Transition("expire", "过期", ["active"], "left", apply=dated),
        ],
    )


class UnitApi(ScopedViewSet):
    model = Unit
    perm = "units.view"
    filters = UnitTestFilter
    fields = ("id", "name", "kind", "state", "area_id", "area__name")
    detail_fields = ("contact_name", "created_at")
    creates = Write(UnitTestForm, add, perm="units.edit")
    updates = Write(UnitChangeForm, change, perm="units.edit")


class AreaApi(ScopedViewSet):
    model = Area
    perm = "orgs.view"
    fields = ("id", "code", "name")


router = Router()
router.register("units", UnitApi, basename="units")
router.register("areas", AreaApi, basename="areas")
urlpatterns = [
    path("console/", include("core.console_urls")),
    path("api/v1/", include((router.urls, "api"))),
    path("api/v1/<path:rest>", lambda request, rest: not_there(request)),
]
handler400, handler403 = project.handler400, project.handler403
handler404, handler500 = project.handler404, project.handler500
