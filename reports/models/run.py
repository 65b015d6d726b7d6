from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from core.periods import label_of
from core.scope import AreaRule, Scope
from orgs.models import Placed, PlacedQuerySet
from reports.enums import ReviewKind


class Run(Placed):
    """One computation of the reviews of a period, for `area` and every street, district and
    community below it. `indicators` holds the scheme as it was used. A run is never changed
    once finished; the reviews name the run that filled them, and follow the records by its scheme
    while they are open (`reports.actions.refresh`)."""

    kind = models.CharField("类型", max_length=12, choices=ReviewKind.choices)
    period = models.CharField("期间", max_length=8)
    starts_on = models.DateField("自")
    ends_on = models.DateField("至")
    indicators = models.JSONField("指标", default=list)
    # The background job that computes it; its row tells progress. No relation: jobs expire.
    job_id = models.UUIDField(null=True, editable=False)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name="发起人"
    )
    started_at = models.DateTimeField("发起时间", auto_now_add=True)
    finished_at = models.DateTimeField("完成时间", null=True)
    counted = models.PositiveIntegerField("评估对象数", default=0)
    kept = models.PositiveIntegerField("已锁定未重算数", default=0)

    deeds = {"start": "发起评估", "finish": "计算完成", "refresh": "按新的记录更新"}
    scope = Scope(AreaRule(), view="reports.view")
    objects = models.Manager.from_queryset(PlacedQuerySet)()

    class Meta:
        verbose_name = "评估批次"
        constraints = [
            models.CheckConstraint(name="run_dates", condition=Q(ends_on__gte=F("starts_on"))),
        ]
        indexes = [
            models.Index(fields=["city", "-id"], name="run_city"),
            models.Index(fields=["district", "-id"], name="run_district"),
        ]

    def __str__(self) -> str:
        return f"{label_of(self.period)}评估"

    def get_absolute_url(self) -> str:
        return reverse("reports:run", args=[self.pk])
