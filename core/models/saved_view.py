from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from core.scope import (
    AreaRule,
    OwnRule,
    OwnScope,
    Reach,
    Scope,
    ScopedManager,
    ScopedQuerySet,
    UnitRule,
    reach_of,
)

SHARE = "lists.share"


class SavedViewQuerySet(ScopedQuerySet):
    def near(self, user):
        """A person's own, and those shared with the very offices that they hold a role on: the
        short list of a menu. `visible_to` takes in the offices below them as well."""
        return self.near_to(user.pk, reach_of(user, SHARE))

    def near_to(self, user: int, reach: Reach):
        """The same, of the person with this id and this reach."""
        areas = [pk for _, pk in reach.areas]
        return self.filter(Q(owner_id=user) | Q(area_id__in=areas) | Q(unit_id__in=reach.units))

    def with_default(self, user):
        """Each says whether its list opens with it for this person (`is_default`)."""
        return self.with_default_of(user.pk)

    def with_default_of(self, user: int):
        chosen = DefaultView.objects.filter(user_id=user, view_id=models.OuterRef("pk"))
        return self.annotate(is_default=models.Exists(chosen))


class SavedView(models.Model):
    """A list as somebody looked at it, under a name: its filters, order and columns.

    It is an address and nothing more: whoever opens it sees what they themselves may see of that
    list. Private, or shared with an office (an area or a unit), whose people keep it together.
    Written by `core.saved_views` alone.
    """

    page = models.CharField("列表", max_length=80)  # name of the list's address: "services:items"
    name = models.CharField("名称", max_length=30)
    query = models.CharField("条件", max_length=1000, blank=True)  # as in the address
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name="建立人"
    )
    # core knows of the tree only what a scope needs: that there are areas and units.
    area = models.ForeignKey(
        "orgs.Area",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="共享给区域",
    )
    unit = models.ForeignKey(
        "orgs.Unit",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="共享给单位",
    )
    created_at = models.DateTimeField("建立时间", auto_now_add=True)
    updated_at = models.DateTimeField("更新时间", auto_now=True)

    deeds = {"create": "保存", "update": "修改", "delete": "删除"}
    scope = Scope(AreaRule("area__"), UnitRule(), view=SHARE, own=OwnRule("owner_id"))
    objects = models.Manager.from_queryset(SavedViewQuerySet)()

    class Meta:
        verbose_name = "视图"
        constraints = [
            models.CheckConstraint(
                name="saved_view_one_office", condition=Q(area__isnull=True) | Q(unit__isnull=True)
            ),
            models.CheckConstraint(name="saved_view_named", condition=~Q(name="") & ~Q(page="")),
            models.UniqueConstraint(
                fields=["owner", "page", "name"],
                condition=Q(area__isnull=True, unit__isnull=True),
                name="saved_view_own_name",
            ),
            models.UniqueConstraint(
                fields=["area", "page", "name"],
                condition=Q(area__isnull=False),
                name="saved_view_area_name",
            ),
            models.UniqueConstraint(
                fields=["unit", "page", "name"],
                condition=Q(unit__isnull=False),
                name="saved_view_unit_name",
            ),
        ]
        indexes = [models.Index(fields=["page", "owner"], name="saved_view_page")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """The list, as it was kept."""
        return f"{reverse(self.page)}?view={self.pk}{'&' if self.query else ''}{self.query}"

    @property
    def office(self) -> models.Model | None:
        """Whom it is shared with; None while it is its owner's alone."""
        return self.area or self.unit

    @property
    def is_shared(self) -> bool:
        return self.area_id is not None or self.unit_id is not None


class DefaultView(models.Model):
    """The view that a list opens with for one person, whoever saved it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    page = models.CharField("列表", max_length=80)
    view = models.ForeignKey(SavedView, models.CASCADE, related_name="+")

    scope = OwnScope("user_id")
    objects = ScopedManager()

    class Meta:
        verbose_name = "默认视图"
        constraints = [
            models.UniqueConstraint(fields=["user", "page"], name="default_view_one_a_list")
        ]

    def __str__(self) -> str:
        return f"{self.page}: {self.view_id}"
