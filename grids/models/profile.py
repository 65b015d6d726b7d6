from __future__ import annotations

from typing import NamedTuple

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from core.scope import AreaRule, Scope
from grids.querysets import GridProfileQuerySet
from orgs.models import Placed

COUNT_MAX = 99_999  # a grid has some 400 households: more digits are a slip of the hand


class Flag(NamedTuple):
    """A figure outside the standard, in two words and in a sentence."""

    short: str
    words: str


class GridStandard(models.Model):
    """The band a grid should lie in (domain.md row 2): data, one row. Outside it a grid is
    flagged, never blocked."""

    households_min = models.PositiveIntegerField("户数下限", default=300)
    households_max = models.PositiveIntegerField("户数上限", default=500)
    members_min = models.PositiveIntegerField("党员数下限", default=30)
    members_max = models.PositiveIntegerField("党员数上限", default=50)

    class Meta:
        verbose_name = "网格标准"
        constraints = [
            models.CheckConstraint(name="grid_standard_one_row", condition=Q(id=1)),
            models.CheckConstraint(
                name="grid_standard_in_order",
                condition=Q(
                    households_min__lte=F("households_max"), members_min__lte=F("members_max")
                ),
            ),
        ]

    def __str__(self) -> str:
        return (
            f"{self.households_min}–{self.households_max}户，"
            f"{self.members_min}–{self.members_max}名党员"
        )

    @classmethod
    def current(cls) -> GridStandard:
        """The band in force: the row, or the field's own figures where none was set."""
        return cls.objects.filter(pk=1).first() or cls(pk=1)

    def flags(self, households: int, members: int) -> list[Flag]:
        """What lies outside the band; empty when all is within."""
        found = []
        for label, value, low, high, unit in (
            ("户数", households, self.households_min, self.households_max, "户"),
            ("党员数", members, self.members_min, self.members_max, "名"),
        ):
            if value < low:
                words = f"{label}{value}{unit}，低于标准下限{low}{unit}"
                found.append(Flag(f"{label}低于标准", words))
            elif value > high:
                words = f"{label}{value}{unit}，高于标准上限{high}{unit}"
                found.append(Flag(f"{label}高于标准", words))
        return found


class GridProfile(Placed):
    """The record of one grid (`area` is the grid): opened with the grid, its counts unknown until
    somebody counts, which is not the same as none. Counts alone: no list of households or
    residents stands behind them (domain.md §7)."""

    households = models.PositiveIntegerField(
        "户数", null=True, validators=[MaxValueValidator(COUNT_MAX)]
    )
    members = models.PositiveIntegerField(
        "党员数", null=True, validators=[MaxValueValidator(COUNT_MAX)]
    )
    counted_on = models.DateField("统计日期", null=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    deeds = {"count": "更新数量"}  # for its timeline
    scope = Scope(AreaRule(), view="grids.view")
    objects = models.Manager.from_queryset(GridProfileQuerySet)()

    class Meta:
        verbose_name = "网格"
        constraints = [
            models.UniqueConstraint(fields=["area"], name="grid_profile_once"),
            models.CheckConstraint(
                name="grid_profile_counted_together",
                condition=Q(households__isnull=True, members__isnull=True, counted_on__isnull=True)
                | Q(households__isnull=False, members__isnull=False, counted_on__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=[level, "id"], name=f"grid_profile_{level}")
            for level in ("city", "district", "street", "community")
        ]

    def __str__(self) -> str:
        return self.area.name

    def get_absolute_url(self) -> str:
        return reverse("grids:grid", args=[self.pk])

    @property
    def is_counted(self) -> bool:
        return self.counted_on is not None
