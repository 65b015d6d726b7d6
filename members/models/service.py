from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Round
from django.db.models.lookups import Exact
from django.urls import reverse

from core.formats import number
from core.scope import AreaRule, Scope, UnitRule
from members.enums import MOST_HOURS, ServiceState
from orgs.models import Placed, PlacedQuerySet


class ServiceRecord(Placed):
    """Hours that a member served in the community where he reported: what was done and when,
    never where he stood or at what minute (domain.md §7). A million rows a year."""

    reporting = models.ForeignKey(
        "members.Reporting", models.PROTECT, related_name="services", verbose_name="报到"
    )
    # Both stand on the reporting too; here they serve counts of people and the unit's own list.
    member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="+", db_index=False, verbose_name="党员"
    )
    unit = models.ForeignKey(
        "orgs.Unit", models.PROTECT, related_name="+", db_index=False, verbose_name="单位"
    )
    post = models.ForeignKey(
        "members.Post",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name="岗位",
    )
    served_on = models.DateField("服务日期")
    hours = models.DecimalField("服务时长（小时）", max_digits=4, decimal_places=1)
    content = models.CharField("服务内容", max_length=200)
    state = models.CharField(
        "状态", max_length=10, choices=ServiceState.choices, default=ServiceState.RECORDED
    )
    late_reason = models.CharField("补录理由", max_length=200, blank=True, editable=False)
    return_reason = models.CharField("退回理由", max_length=200, blank=True, editable=False)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="+",
        db_index=False,
        verbose_name="登记人",
    )
    recorded_at = models.DateTimeField("登记时间", auto_now_add=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        db_index=False,
        verbose_name="确认人",
    )
    decided_at = models.DateTimeField("确认时间", null=True, editable=False)

    scope = Scope(AreaRule(), UnitRule("unit_id"), view="members.view")
    objects = models.Manager.from_queryset(PlacedQuerySet)()

    class Meta:
        verbose_name = "服务记录"
        constraints = [
            models.CheckConstraint(
                name="service_hours_in_half_steps",
                condition=Q(hours__gt=0, hours__lte=MOST_HOURS)
                & Q(Exact(F("hours") * 2, Round(F("hours") * 2))),
                violation_error_message="服务时长以 0.5 小时为单位，大于 0、不超过 12 小时。",
            ),
            models.CheckConstraint(
                name="service_decided_by_and_at",
                condition=Q(
                    state=ServiceState.RECORDED, decided_by__isnull=True, decided_at__isnull=True
                )
                | (
                    ~Q(state=ServiceState.RECORDED)
                    & Q(decided_by__isnull=False, decided_at__isnull=False)
                ),
            ),
        ]
        indexes = [
            *(
                models.Index(fields=[level, "-served_on", "-id"], name=f"service_{level}")
                for level in ("city", "district", "street", "community", "unit")
            ),
            # A review of a city reads its quarter and nothing else of the table.
            models.Index(
                fields=["served_on"],
                include=["community", "street", "district", "member", "hours"],
                condition=Q(state=ServiceState.CONFIRMED),
                name="service_counted",
            ),
            # A few communities' people and hours: the index alone answers them.
            models.Index(
                fields=["community", "member", "served_on"],
                include=["hours"],
                condition=Q(state=ServiceState.CONFIRMED),
                name="service_review",
            ),
            models.Index(
                fields=["community", "-id"],
                condition=Q(state=ServiceState.RECORDED),
                name="service_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.member.name} {self.served_on} {number(self.hours)} 小时"

    def get_absolute_url(self) -> str:
        return reverse("members:servicerecord", args=[self.pk])

    @property
    def is_late(self) -> bool:
        return bool(self.late_reason)
