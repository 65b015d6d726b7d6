from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from core.scope import AreaRule, Scope, ScopedQuerySet, UnitRule
from services.enums import Grade, RectificationState


def _scope(claim: str) -> Scope:
    return Scope(
        AreaRule(f"{claim}item__"),
        UnitRule(f"{claim}item__unit_id"),
        AreaRule(claim),
        UnitRule(f"{claim}unit_id"),
        view="services.view",
    )


class Rating(models.Model):
    """好差评: one a matter. Who gave it is not stored, here or in the audit log."""

    claim = models.OneToOneField("services.Claim", models.PROTECT, related_name="rating")
    grade = models.CharField("评价", max_length=1, choices=Grade.choices)
    comment = models.TextField("意见", blank=True, max_length=500)
    # The day alone: a second would name the rater to whoever reads the web server's log.
    rated_on = models.DateField("评价日期")

    scope = _scope("claim__")
    objects = models.Manager.from_queryset(ScopedQuerySet)()

    class Meta:
        verbose_name = "评价"
        indexes = [models.Index(fields=["rated_on", "grade"], name="rating_day")]

    def __str__(self) -> str:
        return f"“{self.claim.item.title}”：{self.get_grade_display()}"

    def get_absolute_url(self) -> str:
        return reverse("services:claim", args=[self.claim_id])


class Rectification(models.Model):
    """What a bad rating asks for: put right by the provider, then a call-back by the community."""

    rating = models.OneToOneField(Rating, models.PROTECT, related_name="rectification")
    due_on = models.DateField("整改时限")
    state = models.CharField(
        "状态",
        max_length=8,
        choices=RectificationState.choices,
        default=RectificationState.OPEN,
        editable=False,
    )
    measure = models.TextField("整改情况", blank=True, max_length=1000)
    reported_at = models.DateTimeField("整改时间", null=True, editable=False)
    callback = models.TextField("回访情况", blank=True, max_length=1000)
    closed_at = models.DateTimeField("回访时间", null=True, editable=False)
    created_at = models.DateTimeField("发起时间", auto_now_add=True)

    scope = _scope("rating__claim__")
    objects = models.Manager.from_queryset(ScopedQuerySet)()

    class Meta:
        verbose_name = "整改"
        constraints = [
            models.CheckConstraint(
                name="rectification_whole",
                condition=Q(state="open", closed_at__isnull=True)
                | Q(state="reported", reported_at__isnull=False, closed_at__isnull=True)
                | Q(
                    state="closed",
                    reported_at__isnull=False,
                    closed_at__isnull=False,
                    closed_at__gte=F("reported_at"),
                ),
            )
        ]
        indexes = [models.Index(fields=["state", "due_on"], name="rectification_due")]

    def __str__(self) -> str:
        return f"{self.rating.claim}的差评整改"

    def get_absolute_url(self) -> str:
        return reverse("services:claim", args=[self.rating.claim_id])

    @property
    def hangs_on(self) -> models.Model:
        """The claim, on whose page it stands: who follows the one hears of the other."""
        return self.rating.claim
