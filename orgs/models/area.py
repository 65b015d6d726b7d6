from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from mptt.models import MPTTModel, TreeForeignKey

from core.scope import AreaRule, Scope
from orgs.enums import AreaKind, AreaState
from orgs.models.placed import stamp_field
from orgs.querysets import (
    AreaHistoryQuerySet,
    AreaManager,
    OutsideTheTreeAction,
    ReadOnlyTreeManager,
    refuse_outside,
)


class Area(MPTTModel):
    """A node of the division tree. `parent` is the truth; the tree numbers and the stamps are
    derived from it by `orgs.actions.tree`, the only writer.

    The stamps name the node's ancestors by level, itself included, so that a place is a filter
    on one indexed column here and on every fact (docs/adr/0007-orgs-stamps-and-history.md).
    """

    parent = TreeForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name="上级"
    )
    kind = models.CharField("层级", max_length=12, choices=AreaKind.choices)
    code = models.CharField("区划代码", max_length=18, unique=True)
    name = models.CharField("名称", max_length=80)
    pinyin = models.CharField("拼音", max_length=600, editable=False)
    initials = models.CharField("拼音首字母", max_length=162, editable=False)
    state = models.CharField(
        "状态", max_length=8, choices=AreaState.choices, default=AreaState.ACTIVE
    )
    successor = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="并入"
    )
    valid_from = models.DateField("启用日期")
    valid_to = models.DateField("撤销日期", null=True, blank=True)
    city = stamp_field()
    district = stamp_field()
    street = stamp_field()
    community = stamp_field()
    grid = stamp_field()
    version = models.PositiveIntegerField(default=1, editable=False)
    # Nested intervals. 64-bit, because they are laid out with room between them: a new node takes
    # spare numbers and rewrites no other row.
    lft = models.PositiveBigIntegerField(editable=False)
    rght = models.PositiveBigIntegerField(editable=False)
    tree_id = models.PositiveBigIntegerField(editable=False)
    level = models.PositiveSmallIntegerField(editable=False)

    deeds = {  # for its timeline
        "rename": "更名",
        "move": "调整上级",
        "retire": "撤销",
        "load": "由文件导入",
        "rebuild": "重建编号",
    }
    scope = Scope(AreaRule(), view="orgs.view")
    objects = AreaManager()
    tree = ReadOnlyTreeManager()  # what django-mptt's own reads go through

    class Meta:
        verbose_name = "区划"
        constraints = [
            models.CheckConstraint(
                name="area_retired_is_dated",
                condition=Q(state="active", valid_to__isnull=True, successor__isnull=True)
                | Q(state="retired", valid_to__isnull=False),
            ),
            models.CheckConstraint(
                name="area_dates_in_order",
                condition=Q(valid_to__isnull=True) | Q(valid_to__gte=F("valid_from")),
            ),
            models.CheckConstraint(
                name="area_only_a_city_has_no_parent",
                condition=Q(kind="city", parent__isnull=True)
                | (~Q(kind="city") & Q(parent__isnull=False)),
            ),
        ]
        indexes = [
            models.Index(fields=["tree_id", "lft"], name="area_tree"),
            models.Index(fields=["grid", "kind"], name="area_grid"),
            models.Index(fields=["kind", "state"], name="area_kind"),
            models.Index(fields=["community", "kind"], name="area_community"),
            models.Index(fields=["street", "kind"], name="area_street"),
            models.Index(fields=["district", "kind"], name="area_district"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("orgs:area", args=[self.pk])

    @property
    def is_active(self) -> bool:
        return self.state == AreaState.ACTIVE

    def save(self, *args, **kwargs):
        raise OutsideTheTreeAction("Area.save()")

    def delete(self, *args, **kwargs):
        raise OutsideTheTreeAction("Area.delete()")

    def insert_at(self, *args, **kwargs):
        raise OutsideTheTreeAction("Area.insert_at()")

    def save_base(self, *args, **kwargs):
        refuse_outside("Area.save_base()")
        super().save_base(*args, **kwargs)

    # django-mptt reckons these from rght - lft, which says nothing where numbers have room.

    def get_descendant_count(self) -> int:
        return self.get_descendants().count()

    def is_leaf_node(self) -> bool:
        return self.pk is None or not type(self).objects.filter(parent=self.pk).exists()

    def get_leafnodes(self, include_self: bool = False):
        return self.get_descendants(include_self=include_self).filter(children__isnull=True)


class AreaHistory(models.Model):
    """Where a node hung and what it was called, from one day to another.

    Reviews of a past period read the path as it was (domain.md §2). The rows of a node have no
    gap: from the beginning of time to today exactly one is in force on any day, so that a fact
    of any day finds its path; whether the node itself stood on that day, its own dates say.
    `orgs.actions.tree` closes the open row and opens the next whenever something in it changes.
    """

    area = models.ForeignKey(  # found by the index of `area_history_start`
        Area, models.PROTECT, related_name="history", db_index=False, verbose_name="区划"
    )
    name = models.CharField("名称", max_length=80)
    code = models.CharField("区划代码", max_length=18)
    # A copy like the stamps: no constraint of its own, and nobody looks for rows by it.
    parent = models.ForeignKey(
        Area,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name="上级",
    )
    city = stamp_field()
    district = stamp_field()
    street = stamp_field()
    community = stamp_field()
    grid = stamp_field()
    valid_from = models.DateField("自")
    valid_to = models.DateField("至", null=True, blank=True)  # the last day, inclusive

    objects = models.Manager.from_queryset(AreaHistoryQuerySet)()

    class Meta:
        verbose_name = "区划沿革"
        constraints = [
            models.UniqueConstraint(
                fields=["area"], condition=Q(valid_to__isnull=True), name="area_history_one_open"
            ),
            models.UniqueConstraint(fields=["area", "valid_from"], name="area_history_start"),
            models.CheckConstraint(
                name="area_history_dates",
                condition=Q(valid_to__isnull=True) | Q(valid_to__gte=F("valid_from")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.valid_from}–{self.valid_to or ''}"
