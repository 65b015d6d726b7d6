from django.urls import reverse

from core.console import menu, waiting
from grids.models import GridPost, GridProfile

menu("网格", "grids:grids", perm="grids.view", order=21, icon="grid")


def _vacant(user):
    """Posts without a holder, in grids that this person looks after."""
    posts = GridPost.objects.visible_to(user, "grids.edit").vacant()
    return posts.select_related("area", "kind").with_record()


def _uncounted(user):
    """Grids that this person looks after and nobody has counted yet."""
    grids = GridProfile.objects.visible_to(user, "grids.edit").in_use().uncounted()
    return grids.select_related("area")


waiting(
    "网格岗位空缺",
    perm="grids.edit",
    rows=_vacant,
    url=lambda post: reverse("grids:grid", args=[post.record]),
    order=90,
)
waiting("网格未统计", perm="grids.edit", rows=_uncounted, order=91)
