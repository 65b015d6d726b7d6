from core.console import menu, waiting
from core.formats import short_place
from grids.models import GridProfile

menu("网格", "grids:grids", perm="grids.view", order=21, icon="grid", key="w")


def _looked_after(user):
    """Grids in use that are this person's to count and to staff."""
    return (
        GridProfile.objects.visible_to(user, "grids.edit")
        .in_use()
        .select_related("area", "community")
    )


def _named(grid: GridProfile) -> str:
    """With its community: most have a 第一网格."""
    return f"{short_place(grid.community.name)}{grid}"


waiting(
    "网格岗位空缺",
    perm="grids.edit",
    rows=lambda user: _looked_after(user).with_vacancies().filter(vacancies__gt=0),
    title=lambda grid: f"{_named(grid)}空缺 {grid.vacancies} 个岗位",
    order=90,
)
waiting(
    "网格未统计",
    perm="grids.edit",
    rows=lambda user: _looked_after(user).uncounted(),
    title=_named,
    order=91,
)
