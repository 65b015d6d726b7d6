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


def _near(user, state: str, perm: str):
    """Reviews in `state` within the user's reach for which nobody stands nearer with `perm`: those
    of their very places, one level below, and of a district also the communities."""
    areas = [pk for _, pk in user.reach(perm).areas]
    near = Q(area__in=areas) | Q(parent_area__in=areas) | Q(level="community", district__in=areas)
    return Review.objects.visible_to(user, perm).filter(near, state=state)


waiting(
    "待上报评估",
    perm="reports.submit",
    rows=lambda user: _near(user, ReviewState.TO_CHECK, "reports.submit"),
    order=70,
)
waiting(
    "待审定评估",
    perm="reports.approve",
    rows=lambda user: _near(user, ReviewState.REPORTED, "reports.approve"),
    order=71,
)


def _to_report_by_others(user):
    rows = _near(user, ReviewState.TO_CHECK, "reports.approve")
    return rows.exclude(Review.scope.q(user, "reports.submit")).select_related("street")


def _reporter(review: Review) -> str:
    return review.street.name if review.level == "community" else review.area_name


awaited(
    "评估待上报",
    perm="reports.approve",
    rows=_to_report_by_others,
    holder=_reporter,
    order=70,
)
