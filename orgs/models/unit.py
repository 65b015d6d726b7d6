from django.db import models
from django.db.models import Q
from django.urls import reverse

from core.scope import AreaRule, Scope, UnitRule
from orgs.enums import UnitKind, UnitState
from orgs.models.placed import Placed, PlacedQuerySet


class Unit(Placed):
    """A member unit (驻区单位): an organ, school, hospital or firm that shares the place."""

    name = models.CharField("单位名称", max_length=120)
    credit_code = models.CharField("统一社会信用代码", max_length=18, unique=True)
    kind = models.CharField("单位类别", max_length=16, choices=UnitKind.choices)
    party_org = models.CharField("单位党组织", max_length=120, blank=True)
    contact_name = models.CharField("联络员", max_length=40, blank=True)
    pinyin = models.CharField("拼音", max_length=400, editable=False, blank=True)
    initials = models.CharField("拼音首字母", max_length=120, editable=False, blank=True)
    state = models.CharField(
        "状态", max_length=8, choices=UnitState.choices, default=UnitState.ACTIVE
    )
    left_on = models.DateField("迁出日期", null=True, blank=True)
    created_at = models.DateTimeField("登记时间", auto_now_add=True)
    updated_at = models.DateTimeField("更新时间", auto_now=True)

    scope = Scope(AreaRule(), UnitRule("pk"), view="units.view")
    objects = models.Manager.from_queryset(PlacedQuerySet)()

    class Meta:
        verbose_name = "驻区单位"
        constraints = [
            models.CheckConstraint(
                name="unit_left_is_dated",
                condition=Q(state=UnitState.ACTIVE, left_on__isnull=True)
                | Q(state=UnitState.LEFT, left_on__isnull=False),
            )
        ]
        indexes = [
            models.Index(fields=[level, "state", "-id"], name=f"unit_{level}")
            for level in ("district", "street", "community")
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("orgs:unit", args=[self.pk])
