"""Pages of the grids: counts against the standard, and who holds the five posts."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from core.views import Action, ActionFormView, DetailView, ListView
from grids.actions.grids import appoint, count_grid, vacate
from grids.filters import GridFilter
from grids.forms import AppointForm, CountForm, VacateForm
from grids.models import GridPost, GridProfile, GridStandard
from grids.tables import GridTable

LABEL = "网格"


class GridList(ListView):
    model = GridProfile
    table = GridTable
    filters = GridFilter
    perm = "grids.view"
    title = LABEL
    lead = "户数和党员数超出标准的会标出，不影响使用；空缺岗位请及时配备。"
    empty = "还没有网格台账。"

    def get_queryset(self) -> QuerySet:
        return GridProfile.objects.with_vacancies()


class GridDetail(DetailView):
    model = GridProfile
    template = "grids/grid.html"
    perm = "grids.view"
    related = ("area", "community", "street")
    list_url = "grids:grids"
    list_label = LABEL
    actions = (Action("更新数量", "grids:grid-count", "grids.edit", icon="edit"),)

    def extra(self) -> dict[str, Any]:
        posts = GridPost.objects.visible_to(self.request.user).filter(
            area=self.object.area_id, kind__is_active=True
        )
        standard = GridStandard.current()
        return {
            "posts": posts.select_related("kind").order_by("kind__order", "pk"),
            "standard": standard,
            "flags": self.object.flags(standard),
        }


class GridCount(ActionFormView):
    model = GridProfile
    form = CountForm
    action = staticmethod(count_grid)
    object_arg = "profile"
    perm = "grids.edit"
    title = "更新数量"
    list_url = "grids:grids"
    list_label = LABEL
    related = ("area",)


class _PostForm(ActionFormView):
    model = GridPost
    object_arg = "post"
    perm = "grids.edit"
    related = ("area", "kind")
    list_url = "grids:grids"
    list_label = LABEL

    def success_url(self, result: Any) -> str:
        return self.object.get_absolute_url() + self.place_suffix


class PostAppoint(_PostForm):
    form = AppointForm
    action = staticmethod(appoint)
    title = "登记任职"

    def initial(self) -> dict[str, Any]:
        return {"since": timezone.localdate()}


class PostVacate(_PostForm):
    form = VacateForm
    action = staticmethod(vacate)
    title = "空出岗位"
