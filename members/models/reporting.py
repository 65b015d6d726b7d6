from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from core.scope import AreaRule, Scope, ScopedQuerySet, UnitRule
from members.enums import ACCEPTED, CLOSED, Opinion, ReportingState
from members.querysets import ReportingQuerySet
from orgs.models import Placed


class Reporting(Placed):
    """One member's reporting to one community (报到). A move closes the row and opens another;
    what stood is never overwritten. The unit is the member's at the time."""

    member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="reportings", verbose_name="党员"
    )
    unit = models.ForeignKey(
        "orgs.Unit", models.PROTECT, related_name="+", db_index=False, verbose_name="单位"
    )
    state = models.CharField(
        "状态", max_length=10, choices=ReportingState.choices, default=ReportingState.PENDING
    )
    opened_on = models.DateField("登记日期")
    reported_on = models.DateField("报到日期", null=True, editable=False)
    closed_on = models.DateField("结束日期", null=True, editable=False)
    reason = models.CharField("退回、免报或结束原因", max_length=200, blank=True, editable=False)

    scope = Scope(AreaRule(), UnitRule("unit_id"), view="members.view")
    objects = models.Manager.from_queryset(ReportingQuerySet)()

    class Meta:
        verbose_name = "报到"
        constraints = [
            models.UniqueConstraint(
                fields=["member"],
                condition=Q(closed_on__isnull=True),
                name="reporting_one_open_a_member",
            ),
            models.CheckConstraint(
                name="reporting_closed_is_dated",
                condition=Q(state__in=CLOSED, closed_on__isnull=False)
                | (~Q(state__in=CLOSED) & Q(closed_on__isnull=True)),
            ),
            models.CheckConstraint(
                name="reporting_accepted_is_dated",
                condition=~Q(state__in=ACCEPTED) | Q(reported_on__isnull=False),
            ),
            models.CheckConstraint(
                name="reporting_dates_in_order",
                condition=Q(closed_on__isnull=True) | Q(closed_on__gte=F("opened_on")),
            ),
        ]
        indexes = [
            *(
                models.Index(fields=[level, "state", "-id"], name=f"reporting_{level}")
                for level in ("city", "district", "street", "community", "unit")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.member.name}的报到"

    def get_absolute_url(self) -> str:
        return reverse("members:reporting", args=[self.pk])

    @property
    def is_open(self) -> bool:
        return self.closed_on is None


class Feedback(models.Model):
    """What a community told the unit about a member's year (社区评价). One a year."""

    reporting = models.ForeignKey(
        Reporting, models.PROTECT, related_name="feedbacks", verbose_name="报到"
    )
    year = models.PositiveSmallIntegerField("年度")
    opinion = models.CharField("社区评价", max_length=8, choices=Opinion.choices)
    comment = models.CharField("评语", max_length=400, blank=True)
    on = models.DateField("反馈日期")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="反馈人"
    )

    scope = Scope(AreaRule("reporting__"), UnitRule("reporting__unit_id"), view="members.view")
    objects = models.Manager.from_queryset(ScopedQuerySet)()

    class Meta:
        verbose_name = "年度反馈"
        ordering = ["-year"]
        constraints = [
            models.UniqueConstraint(fields=["reporting", "year"], name="feedback_one_a_year")
        ]

    def __str__(self) -> str:
        return f"{self.year}年度 {self.get_opinion_display()}"
