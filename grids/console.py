from core.console import menu, waiting
from grids.models import GridPost

menu("网格", "grids:grids", perm="grids.view", order=21, icon="grid")


def _vacant(user):
    """Posts without a holder, in grids that this person looks after."""
    posts = GridPost.objects.visible_to(user, "grids.edit").vacant()
    return posts.select_related("area", "kind")


waiting("网格岗位空缺", perm="grids.edit", rows=_vacant, order=90)
