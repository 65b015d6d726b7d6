from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from core.scope import AreaRule, Scope
from grids.querysets import GridProfileQuerySet
from orgs.models import Placed


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


class GridProfile(Placed):
    """The counts of one grid (`area` is the grid). Counts alone: no list of households or
    residents stands behind them (domain.md §7)."""

    households = models.PositiveIntegerField("户数", default=0)
    members = models.PositiveIntegerField("党员数", default=0)
    counted_on = models.DateField("统计日期")
    version = models.PositiveIntegerField(default=1, editable=False)

    scope = Scope(AreaRule(), view="grids.view")
    objects = models.Manager.from_queryset(GridProfileQuerySet)()

    class Meta:
        verbose_name = "网格"
        constraints = [models.UniqueConstraint(fields=["area"], name="grid_profile_once")]
        indexes = [
            models.Index(fields=[level, "id"], name=f"grid_profile_{level}")
            for level in ("city", "district", "street", "community")
        ]

    def __str__(self) -> str:
        return self.area.name

    def get_absolute_url(self) -> str:
        return reverse("grids:grid", args=[self.pk])

    def flags(self, standard: GridStandard) -> list[str]:
        """What lies outside the band, in words; empty when all is within."""
        found = []
        for label, value, low, high, unit in (
            ("户数", self.households, standard.households_min, standard.households_max, "户"),
            ("党员数", self.members, standard.members_min, standard.members_max, "名"),
        ):
            if value < low:
                found.append(f"{label}{value}{unit}，低于标准下限{low}{unit}")
            elif value > high:
                found.append(f"{label}{value}{unit}，高于标准上限{high}{unit}")
        return found
