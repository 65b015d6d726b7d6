from django.db.models import Q

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


def _to_approve(user):
    """Reported reviews for which no department stands nearer: of a city its districts, of a
    district its streets and their communities."""
    areas = [pk for _, pk in user.reach("reports.approve").areas]
    near = Q(parent_area__in=areas) | Q(level="community", district__in=areas)
    rows = Review.objects.visible_to(user, "reports.approve")
    return rows.filter(near, state=ReviewState.REPORTED)


def _to_report_by_others(user):
    """Those one level below; whoever reports these answers for what lies further down."""
    areas = [pk for _, pk in user.reach("reports.approve").areas]
    rows = Review.objects.visible_to(user, "reports.approve").filter(parent_area__in=areas)
    others = rows.exclude(Review.scope.q(user, "reports.submit"))
    return others.filter(state=ReviewState.TO_CHECK)


waiting(
    "待上报评估",
    perm="reports.submit",
    rows=lambda user: Review.objects.visible_to(user, "reports.submit").filter(
        state=ReviewState.TO_CHECK
    ),
    order=70,
)
waiting("待审定评估", perm="reports.approve", rows=_to_approve, order=71)
awaited(
    "评估待上报",
    perm="reports.approve",
    rows=_to_report_by_others,
    holder=lambda review: review.area_name,
    order=70,
)
