from core.console import awaited, menu, waiting
from reports.enums import ReviewState
from reports.models import Review

menu("统计图", "reports:overview", perm="reports.view", order=59, icon="chart", group="考核")
menu(
    "评估结果",
    "reports:reviews",
    perm="reports.view",
    order=60,
    icon="chart",
    group="考核",
    key="e",
)
menu("评估批次", "reports:runs", perm="reports.run", order=61, icon="clock", group="考核")


def _own_level(user, perm: str, state: str):
    """Reviews of the very places of the user's grants and one level below: those further down
    wait for somebody nearer."""
    areas = [pk for _, pk in user.reach(perm).areas]
    rows = Review.objects.visible_to(user, perm).filter(state=state)
    return rows.filter(area__in=areas) | rows.filter(parent_area__in=areas)


waiting(
    "待上报评估",
    perm="reports.submit",
    rows=lambda user: _own_level(user, "reports.submit", ReviewState.TO_CHECK),
    order=70,
)
waiting(
    "待审定评估",
    perm="reports.approve",
    rows=lambda user: _own_level(user, "reports.approve", ReviewState.REPORTED),
    order=71,
)


def _to_report_by_others(user):
    rows = _own_level(user, "reports.approve", ReviewState.TO_CHECK)
    return rows.exclude(Review.scope.q(user, "reports.submit"))


awaited(
    "评估待上报",
    perm="reports.approve",
    rows=_to_report_by_others,
    holder=lambda review: review.area_name,
    order=70,
)
