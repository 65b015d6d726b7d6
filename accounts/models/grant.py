from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from accounts.enums import DUTIES, GrantState, Role
from accounts.roles import AREA_ROLES
from core.scope import AreaRule, OwnRule, Scope, ScopedQuerySet, UnitRule


class GrantQuerySet(ScopedQuerySet):
    def in_force(self, day):
        """Begun by `day`, not over, not revoked."""
        return self.filter(self._not_over(day), starts_on__lte=day)

    def standing(self, day):
        """In force on `day` or later: what still has to be ended."""
        return self.filter(self._not_over(day))

    def in_state(self, state, day):
        """Those that are in `state` on `day` (`Grant.state` says the same of one)."""
        begun, over = Q(starts_on__lte=day), Q(ends_on__lt=day)
        revoked = Q(revoked_at__isnull=False)
        return self.filter(
            {
                GrantState.AHEAD: ~revoked & ~begun,
                GrantState.IN_FORCE: self._not_over(day) & begun,
                GrantState.OVER: ~revoked & begun & over,
                GrantState.REVOKED: revoked,
            }[state]
        )

    @staticmethod
    def _not_over(day) -> Q:
        return Q(revoked_at__isnull=True) & (Q(ends_on__isnull=True) | Q(ends_on__gte=day))


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
    revoked_at = models.DateTimeField("收回时间", null=True, blank=True)

    deeds = {"give": "授权", "end": "收回授权"}  # for its timeline
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
            # One account never holds two of the three administrator duties, not even one after
            # the other: whoever audits must not find their own deeds as administrator in the
            # log. The row of a duty that has ended stays and holds the place.
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

    def get_absolute_url(self) -> str:
        return reverse("accounts:grant", args=[self.pk])

    @property
    def state(self) -> GrantState:
        """How it stands today."""
        today = timezone.localdate()
        if self.revoked_at:
            return GrantState.REVOKED
        if self.starts_on > today:
            return GrantState.AHEAD
        over = self.ends_on is not None and self.ends_on < today
        return GrantState.OVER if over else GrantState.IN_FORCE
