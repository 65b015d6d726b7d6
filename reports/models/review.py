from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from core.periods import label_of
from core.scope import AreaRule, Scope
from orgs.enums import AreaKind
from orgs.models import Placed, PlacedQuerySet
from reports.enums import AdjustmentKind, ReviewKind, ReviewState
from reports.scopes import UpwardRule

LEVELS = (AreaKind.DISTRICT, AreaKind.STREET, AreaKind.COMMUNITY)


class Review(Placed):
    """The result of one place in one period: a row, from 未开始 to 已审定.

    `area` is the place reviewed. `parent_area` is its superior as the tree stood at the end of
    the period, so that an old review still adds up after the tree has changed.
    """

    kind = models.CharField("类型", max_length=12, choices=ReviewKind.choices)
    period = models.CharField("期间", max_length=8)
    level = models.CharField("层级", max_length=12, choices=AreaKind.choices)
    area_name = models.CharField("单位", max_length=80)
    parent_area = models.ForeignKey(
        "orgs.Area", models.PROTECT, related_name="+", db_index=False, verbose_name="上级"
    )
    run = models.ForeignKey(
        "reports.Run", models.PROTECT, null=True, related_name="reviews", verbose_name="批次"
    )
    state = models.CharField(
        "状态", max_length=12, choices=ReviewState.choices, default=ReviewState.WAITING
    )
    ordinary = models.DecimalField("指标得分", max_digits=6, decimal_places=2, default=0)
    bonus = models.DecimalField("加分", max_digits=5, decimal_places=2, default=0)
    deduction = models.DecimalField("扣分", max_digits=5, decimal_places=2, default=0)
    total = models.DecimalField("总分", max_digits=6, decimal_places=2, default=0)
    band = models.CharField("等次", max_length=8, blank=True)
    note = models.CharField("备注", max_length=200, blank=True)
    reported_at = models.DateTimeField("上报时间", null=True)
    reported_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name="上报人"
    )
    approved_at = models.DateTimeField("审定时间", null=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name="审定人"
    )

    scope = Scope(UpwardRule(), view="reports.view")
    objects = models.Manager.from_queryset(PlacedQuerySet)()

    class Meta:
        verbose_name = "评估结果"
        constraints = [
            models.UniqueConstraint(fields=["period", "area"], name="review_one_a_place_a_period"),
            models.CheckConstraint(
                name="review_level",
                condition=Q(level__in=[level.value for level in LEVELS]),
            ),
            models.CheckConstraint(
                name="review_total_adds_up",
                condition=Q(total=F("ordinary") + F("bonus") - F("deduction")),
            ),
            models.CheckConstraint(
                name="review_approval_complete",
                condition=Q(
                    state=ReviewState.APPROVED, approved_at__isnull=False, approved_by__isnull=False
                )
                | (
                    ~Q(state=ReviewState.APPROVED)
                    & Q(approved_at__isnull=True, approved_by__isnull=True)
                ),
            ),
        ]
        indexes = [
            models.Index(fields=["city", "period", "level", "-total"], name="review_city"),
            models.Index(fields=["district", "period", "level", "-total"], name="review_district"),
            models.Index(fields=["street", "period", "level", "-total"], name="review_street"),
            models.Index(fields=["parent_area", "period", "state"], name="review_parent"),
        ]

    def __str__(self) -> str:
        return f"{self.area_name} {label_of(self.period)}"

    def get_absolute_url(self) -> str:
        return reverse("reports:review", args=[self.pk])


class Score(models.Model):
    """One indicator of one review: the figures, the marks, and with `records` the evidence.

    `part` and `whole` are what was counted when the run read them; `reports.measures` opens
    the very records, and says so when they have changed since. `value` is None when there was
    no occasion (`whole` is zero): the marks then follow the rate of the other indicators.
    """

    review = models.ForeignKey(
        Review, models.CASCADE, related_name="scores", db_index=False, verbose_name="评估结果"
    )
    key = models.SlugField("指标标识", max_length=40, db_index=False)
    part = models.DecimalField("分子", max_digits=14, decimal_places=2)
    whole = models.DecimalField("分母", max_digits=14, decimal_places=2)
    value = models.DecimalField("指标值", max_digits=14, decimal_places=2, null=True)
    marks = models.DecimalField("得分", max_digits=6, decimal_places=2)

    scope = Scope(AreaRule("review__"), view="reports.view")
    objects = models.Manager.from_queryset(PlacedQuerySet)()

    class Meta:
        verbose_name = "指标得分"
        constraints = [models.UniqueConstraint(fields=["review", "key"], name="score_once")]

    def __str__(self) -> str:
        return f"{self.key} {self.marks}"


class Adjustment(models.Model):
    """加分 or 扣分 given by hand, with its ground; it counts at once in an open review."""

    review = models.ForeignKey(
        Review, models.CASCADE, related_name="adjustments", verbose_name="评估结果"
    )
    kind = models.CharField("类型", max_length=12, choices=AdjustmentKind.choices)
    marks = models.DecimalField("分值", max_digits=4, decimal_places=2)
    ground = models.CharField("事由", max_length=200)
    given_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="经办人"
    )
    given_at = models.DateTimeField("时间", auto_now_add=True)

    scope = Scope(AreaRule("review__"), view="reports.view")
    objects = models.Manager.from_queryset(PlacedQuerySet)()

    class Meta:
        verbose_name = "加扣分"
        constraints = [
            models.CheckConstraint(
                name="adjustment_range", condition=Q(marks__gt=0, marks__lte=10)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.marks}"
