"""The measures of a review, over the records of every room (domain.md §3, §5).

Weights and targets here are where a new city starts; what is in force is `models.Indicator`.
"""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Exists, F, OuterRef, Q

from alliance.models import Agreement, Clause
from core.periods import Period
from grids.models import GridPost, GridProfile, GridStandard
from grids.querysets import in_band
from members.enums import ReportingState, ServiceState
from members.models import Reporting, ServiceRecord
from reports.enums import Category
from reports.measures import Figure, Measure, Source
from services.enums import BAD_GRADES, CONTACT_DAYS, ClaimState, ItemKind, ItemState
from services.models import Claim, Item, Rating


def _during(field: str, period: Period) -> Q:
    """A moment within the period."""
    return Q(**{f"{field}__gte": period.starts_at, f"{field}__lt": period.ends_before})


def _on(field: str, period: Period) -> Q:
    """A day within the period."""
    return Q(**{f"{field}__gte": period.first, f"{field}__lte": period.last})


ITEMS = Source(
    "items",
    lambda period: Item.objects.filter(_during("published_at", period)),
    (
        Figure("needs", lambda period: Q(kind=ItemKind.NEED)),
        Figure(
            "needs_claimed",
            lambda period: Q(kind=ItemKind.NEED) & ~Q(state=ItemState.PUBLISHED, claimed=0),
        ),
        Figure("offers", lambda period: Q(kind__in=[ItemKind.RESOURCE, ItemKind.SERVICE])),
    ),
    number="number",
)

CLAIMS = Source(
    "claims",
    lambda period: Claim.objects.exclude(state=ClaimState.WITHDRAWN).filter(
        _during("claimed_at", period)
    ),
    (
        Figure("all"),
        Figure(
            "contacted",
            lambda period: Q(contacted_at__lte=F("claimed_at") + timedelta(days=CONTACT_DAYS)),
        ),
        Figure("by_units", lambda period: Q(unit__isnull=False)),
    ),
    path="item__",
    related=("item",),
    number="item__number",
)

RESULTS = Source(
    "results",
    lambda period: Claim.objects.filter(_during("accepted_at", period)),
    (
        Figure("accepted"),
        Figure("on_time", lambda period: Q(submitted_at__date__lte=F("due_on"))),
    ),
    path="item__",
    related=("item",),
    number="item__number",
)

RATINGS = Source(
    "ratings",
    lambda period: Rating.objects.filter(_on("rated_on", period)),
    (Figure("all"), Figure("content", lambda period: ~Q(grade__in=BAD_GRADES))),
    path="claim__item__",
    related=("claim__item",),
    number="claim__item__number",
)

AGREEMENTS = Source(
    "agreements",
    lambda period: Agreement.objects.valid_during(period.first, period.last),
    (Figure("in_force"),),
)

CLAUSES = Source(
    "clauses",
    lambda period: Clause.objects.filter(
        _on("due_on", period),
        agreement__in=Agreement.objects.valid_during(period.first, period.last),
    ).with_progress(period.last),
    (Figure("due"), Figure("fulfilled", lambda period: Q(rate__gte=1))),
    path="agreement__",
    related=("agreement",),
    number="agreement__number",
)


def _reportings(period: Period):
    """Reportings that stood on the last day."""
    return Reporting.objects.filter(
        Q(closed_on__isnull=True) | Q(closed_on__gt=period.last), opened_on__lte=period.last
    ).exclude(state=ReportingState.EXEMPT)


def _reported(period: Period) -> Q:
    return Q(reported_on__lte=period.last)


def _served(period: Period) -> Q:
    """The member served this community in the period."""
    served = ServiceRecord.objects.filter(
        _on("served_on", period),
        community=OuterRef("community"),
        member=OuterRef("member"),
        state=ServiceState.CONFIRMED,
    )
    return _reported(period) & Q(Exists(served))


REPORTINGS = Source(
    "reportings",
    _reportings,
    (
        Figure("all"),
        Figure("reported", _reported),
        Figure("served", _served, apart=True),
    ),
    related=("member",),
)

SERVICE = Source(
    "service",
    lambda period: ServiceRecord.objects.filter(
        _on("served_on", period), state=ServiceState.CONFIRMED
    ),
    (Figure("hours", of="sum:hours"),),
    related=("member",),
)

GRIDS = Source(
    "grids",
    lambda period: GridProfile.objects.in_use().counted(),
    (Figure("all"), Figure("in_band", lambda period: in_band(GridStandard.current()))),
    related=("area",),
)

POSTS = Source(
    "grid_posts",
    lambda period: GridPost.objects.in_use(),
    (Figure("all"), Figure("held", lambda period: ~Q(holder=""))),
    related=("area", "kind"),
)

_CATALOGUE = [
    Measure(
        "needs_published", "需求发布数", Category.LISTS, ITEMS, "needs", None, 6, 6, "件",
        "期内发布的需求，按社区平均。",
    ),
    Measure(
        "needs_claimed", "需求认领率", Category.LISTS, ITEMS, "needs_claimed", "needs", 10, 80, "%",
        "期内发布的需求中已有单位或社区认领的比例。",
    ),
    Measure(
        "offers_published", "资源服务发布数", Category.LISTS, ITEMS, "offers", None, 6, 6, "件",
        "期内发布的资源和服务，按社区平均。",
    ),
    Measure(
        "unit_claims", "单位认领数", Category.LISTS, CLAIMS, "by_units", None, 6, 4, "件",
        "驻区单位在期内认领、且未退出的事项，按社区平均。",
    ),
    Measure(
        "contact_in_time", "7日对接率", Category.LISTS, CLAIMS, "contacted", "all", 8, 90, "%",
        "期内的认领中7日内完成对接的比例。",
    ),
    Measure(
        "closed_on_time", "按期办结率", Category.LISTS, RESULTS, "on_time", "accepted", 10, 90, "%",
        "期内验收的事项中在时限前提请验收的比例。",
    ),
    Measure(
        "satisfaction", "群众满意率", Category.LISTS, RATINGS, "content", "all", 12, 95, "%",
        "期内好差评中“基本满意”及以上的比例。",
    ),
    Measure(
        "agreements_in_force", "生效协议数", Category.AGREEMENTS, AGREEMENTS, "in_force", None, 6, 3,
        "份", "期内生效过的共建协议，按社区平均。",
    ),
    Measure(
        "clauses_fulfilled", "条款履约率", Category.AGREEMENTS, CLAUSES, "fulfilled", "due", 10, 90,
        "%", "期内到期的条款中至期末已足额履行的比例。",
    ),
    Measure(
        "reporting_rate", "党员报到率", Category.REPORTING, REPORTINGS, "reported", "all", 8, 95, "%",
        "期末应报到的在职党员（免报除外）中社区已接收报到的比例。",
    ),
    Measure(
        "members_served", "参与服务率", Category.REPORTING, REPORTINGS, "served", "reported", 6, 60,
        "%", "已报到党员中期内至少有一次经确认的服务的比例。",
    ),
    Measure(
        "service_hours", "服务时长", Category.REPORTING, SERVICE, "hours", None, 4, 60, "小时",
        "期内经确认的服务时长，按社区平均。",
    ),
    Measure(
        "grids_in_band", "网格达标率", Category.GRIDS, GRIDS, "in_band", "all", 4, 90, "%",
        "已统计的网格中户数和党员数都在标准之内的比例（按计算时的数字）。",
    ),
    Measure(
        "posts_held", "五员到岗率", Category.GRIDS, POSTS, "held", "all", 4, 95, "%",
        "网格岗位中有人任职的比例（按计算时的情况）。",
    ),
]  # fmt: skip

MEASURES = {measure.key: measure for measure in _CATALOGUE}
