"""Grids and their posts over the API."""

from core.api import ScopedViewSet, Write, register
from grids.actions.counts import count_grid
from grids.filters import GridFilter, PostFilter
from grids.forms import CountForm
from grids.models import GridPost, GridProfile


@register("grids")
class GridApi(ScopedViewSet):
    model = GridProfile
    perm = "grids.view"
    filters = GridFilter
    fields = (
        "id",
        "area_id",
        "area__code",
        "area__name",
        "area__state",
        "community_id",
        "community__name",
        "households",
        "members",
        "counted_on",
    )
    updates = Write(CountForm, count_grid, perm="grids.edit", object_arg="profile")


@register("grid-posts")
class PostApi(ScopedViewSet):
    model = GridPost
    perm = "grids.view"
    filters = PostFilter
    fields = (
        "id",
        "area_id",
        "area__code",
        "area__name",
        "kind_id",
        "kind__name",
        "state",
        "holder",
        "organisation",
        "since",
    )
