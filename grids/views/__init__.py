"""Pages of the grids: counts against the standard, and who holds the five posts."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from core.views import Action, ActionFormView, DetailView, ListView
from core.views.details import happenings
from grids.actions.counts import count_grid
from grids.filters import GridFilter
from grids.forms import CountForm
from grids.models import GridPost, GridProfile, GridStandard
from grids.tables import GridTable
from grids.transitions import POST

LABEL = "网格"


class GridList(ListView):
    model = GridProfile
    table = GridTable
    filters = GridFilter
    perm = "grids.view"
    title = LABEL
    lead = "户数和党员数超出标准的会标出，不影响使用；空缺岗位请及时配备。"
    empty = "还没有网格。请在“区划”中进入社区新增网格，台账和五个岗位随之建立。"
    actions = (
        Action("导入数量", "grids:grids-import", "grids.edit", icon="upload"),
        Action("导出", "grids:grids-export", "grids.view", icon="download", keep_query=True),
    )

    def get_queryset(self) -> QuerySet:
        return GridProfile.objects.with_vacancies()


class GridDetail(DetailView):
    model = GridProfile
    template = "grids/grid.html"
    perm = "grids.view"
    related = ("area__successor", "community", "street")
    list_url = "grids:grids"
    list_label = LABEL

    @property
    def actions(self) -> list[Action]:
        if not self.object.area.is_active:
            return []
        return [Action("更新数量", "grids:grid-count", "grids.edit", icon="edit")]

    def extra(self) -> dict[str, Any]:
        user, profile, standard = self.request.user, self.object, GridStandard.current()
        posts = GridPost.objects.visible_to(user).filter(area=profile.area_id, kind__is_active=True)
        posts = posts.select_related("area", "kind").order_by("kind__order", "pk")
        in_use = profile.area.is_active
        return {
            "posts": [
                (post, POST.offers(post, user) if in_use else [], happenings(post))
                for post in posts
            ],
            "standard": standard,
            "flags": standard.flags(profile.households, profile.members)
            if in_use and profile.is_counted
            else [],
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

    def initial(self) -> dict[str, Any]:
        """Who counts anew mostly does so today."""
        return {"counted_on": timezone.localdate()}
