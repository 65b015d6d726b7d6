from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from reports.enums import Basis, Category


class Indicator(models.Model):
    """What a review scores and how: the weights, targets and order are data (domain.md §5).

    `key` names a measure in `reports.measures`; a run copies the indicators it used, so a
    locked review stays explained after a weight has changed.
    """

    key = models.SlugField("指标标识", max_length=40, unique=True)
    label = models.CharField("指标", max_length=40)
    category = models.CharField("类别", max_length=16, choices=Category.choices)
    basis = models.CharField("计分方式", max_length=16, choices=Basis.choices)
    weight = models.DecimalField(
        "分值",
        max_digits=5,
        decimal_places=2,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
    )
    target = models.DecimalField("满分标准", max_digits=9, decimal_places=2)
    unit_label = models.CharField("计量单位", max_length=8, blank=True)
    order = models.PositiveSmallIntegerField("次序")
    is_active = models.BooleanField("启用", default=True)

    class Meta:
        verbose_name = "评估指标"
        ordering = ["order"]
        constraints = [
            models.CheckConstraint(name="indicator_target_positive", condition=Q(target__gt=0)),
            models.CheckConstraint(
                name="indicator_weight_range", condition=Q(weight__gte=0, weight__lte=100)
            ),
        ]

    def __str__(self) -> str:
        return self.label


class Band(models.Model):
    """等次: the band of a total is the one with the highest floor that the total reaches."""

    label = models.CharField("等次", max_length=8, unique=True)
    floor = models.DecimalField("最低分", max_digits=5, decimal_places=2, unique=True)

    class Meta:
        verbose_name = "等次"
        ordering = ["-floor"]

    def __str__(self) -> str:
        return self.label
