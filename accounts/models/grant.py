from django.db import models
from django.db.models import F, Q

from accounts.enums import DUTIES, Role
from accounts.roles import AREA_ROLES
from core.scope import AreaRule, OwnRule, Scope, ScopedQuerySet, UnitRule


class GrantQuerySet(ScopedQuerySet):
    def in_force(self, day):
        return self.filter(starts_on__lte=day).filter(Q(ends_on__isnull=True) | Q(ends_on__gte=day))


class Grant(models.Model):
    """A role given to a person on an area and all below it, or on a unit, from day to day."""

    user = models.ForeignKey(
        "accounts.User", models.CASCADE, related_name="grants", verbose_name="账号"
    )
    role = models.CharField("角色", max_length=20, choices=Role.choices)
    area = models.ForeignKey(
        "orgs.Area",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="grants",
        verbose_name="区域",
    )
    unit = models.ForeignKey(
        "orgs.Unit",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="grants",
        verbose_name="单位",
    )
    starts_on = models.DateField("自")
    ends_on = models.DateField("至", null=True, blank=True)  # the last day, inclusive

    scope = Scope(AreaRule("area__"), UnitRule(), view="accounts.view", own=OwnRule("user_id"))
    objects = models.Manager.from_queryset(GrantQuerySet)()

    class Meta:
        verbose_name = "授权"
        constraints = [
            models.CheckConstraint(
                name="grant_on_the_right_thing",
                condition=Q(role__in=DUTIES, area__isnull=True, unit__isnull=True)
                | Q(role__in=AREA_ROLES, area__isnull=False, unit__isnull=True)
                | Q(role=Role.UNIT_LIAISON, area__isnull=True, unit__isnull=False),
            ),
            models.CheckConstraint(
                name="grant_dates_in_order",
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
            ),
            # One person never holds two of the three administrator duties, not even one after
            # the other: ending a duty deletes its row (the audit log keeps it).
            models.UniqueConstraint(
                fields=["user"], condition=Q(role__in=DUTIES), name="grant_one_duty_a_person"
            ),
        ]
        indexes = [
            models.Index(fields=["area", "role"], name="grant_area"),
            models.Index(fields=["unit", "role"], name="grant_unit"),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()}@{self.area or self.unit or '全系统'}"
