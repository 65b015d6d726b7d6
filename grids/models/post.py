from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.urls import reverse

from core.scope import AreaRule, Scope
from grids.enums import PostState
from grids.models.profile import GridProfile
from grids.querysets import GridPostQuerySet
from orgs.models import Placed


class PostKind(models.Model):
    """One of the posts that every grid has (一格五员, domain.md row 7): data, five at first."""

    name = models.CharField("岗位", max_length=20, unique=True)
    duty = models.CharField("职责", max_length=200, blank=True)
    order = models.PositiveSmallIntegerField("次序", default=0)
    is_active = models.BooleanField("启用", default=True)

    class Meta:
        verbose_name = "网格岗位"
        ordering = ["order", "id"]

    def __str__(self) -> str:
        return self.name


class GridPost(Placed):
    """One post of one grid (`area`): a row for each kind, held by one person or vacant.

    `grids.transitions` is the way from one to the other. Who held it before stands in the audit
    log; a post never has two holders, because it is one row. The holder is staff by name, not a
    file on a person.
    """

    # No index by kind: there are five, and a city has a row of each for all of its grids.
    kind = models.ForeignKey(
        PostKind, models.PROTECT, related_name="posts", db_index=False, verbose_name="岗位"
    )
    state = models.CharField(
        "状态", max_length=8, choices=PostState.choices, default=PostState.VACANT
    )
    holder = models.CharField("任职人", max_length=40, blank=True)
    organisation = models.CharField("所属单位", max_length=80, blank=True)
    since = models.DateField("任职日期", null=True, blank=True)

    scope = Scope(AreaRule(), view="grids.view")
    objects = models.Manager.from_queryset(GridPostQuerySet)()

    class Meta:
        verbose_name = "网格岗位任职"
        constraints = [
            models.UniqueConstraint(fields=["area", "kind"], name="grid_post_once"),
            models.CheckConstraint(
                name="grid_post_held_by_somebody_since_a_day",
                condition=Q(state=PostState.VACANT, holder="", since__isnull=True, organisation="")
                | Q(~Q(holder=""), state=PostState.HELD, since__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=[level, "id"], name=f"grid_post_{level}")
            for level in ("district", "street", "community")
        ]

    def __str__(self) -> str:
        return f"{self.area.name}{self.kind.name}"

    def get_absolute_url(self) -> str:
        """The page of its grid, where the posts stand."""
        profile = GridProfile.objects.filter(area=self.area_id).only("pk").first()
        return profile.get_absolute_url() if profile else reverse("grids:grids")
