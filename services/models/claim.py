import itertools
from datetime import timedelta

from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from core.scope import AreaRule, Scope, UnitRule
from orgs.models import Placed
from services.enums import CONTACT_DAYS, OPEN_CLAIM, ClaimState, Direction, ItemKind
from services.querysets import ClaimQuerySet

_OPEN = [s.value for s in OPEN_CLAIM]
_OF_UNITS = [d.value for d in Direction if d.startswith("unit_")]
_OF_AREAS = [d.value for d in Direction if d.startswith("area_")]
_STEPS = ("claimed_at", "contacted_at", "started_at", "submitted_at", "accepted_at", "closed_at")


def _reached(field: str, *states: str) -> models.CheckConstraint:
    """`field` is set in all of `states` (it may also be set in the others)."""
    return models.CheckConstraint(
        name=f"claim_{field}",
        condition=~Q(state__in=[str(s) for s in states]) | Q(**{f"{field}__isnull": False}),
    )


class Claim(Placed):
    """One side's claim on an item: the matter that is contacted, done, accepted and closed.

    `area` is where the claimant is: the community itself, or the place of the claiming `unit`.
    """

    item = models.ForeignKey(
        "services.Item", models.PROTECT, related_name="claims", verbose_name="事项"
    )
    unit = models.ForeignKey(
        "orgs.Unit",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="claims",
        db_index=False,
        verbose_name="认领单位",
    )
    claimant = models.CharField("认领方", max_length=160, editable=False)
    direction = models.CharField("认领方向", max_length=16, choices=Direction.choices)
    quantity = models.PositiveIntegerField("认领名额", default=1)
    # What the provider has promised under an agreement with the receiver, if this is part of it.
    clause = models.ForeignKey(
        "alliance.Clause",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="claims",
        verbose_name="所属协议条款",
    )
    delivered = models.DecimalField(
        "计入履约数量", max_digits=9, decimal_places=1, null=True, editable=False
    )
    responsible = models.CharField("责任人", max_length=40)
    due_on = models.DateField("时限")

    state = models.CharField(
        "进度",
        max_length=12,
        choices=ClaimState.choices,
        default=ClaimState.CLAIMED,
        editable=False,
    )
    claimed_by = models.ForeignKey(
        "accounts.User",
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        verbose_name="认领人",
    )
    claimed_at = models.DateTimeField("认领时间", editable=False)
    contacted_at = models.DateTimeField("对接时间", null=True, editable=False)
    started_at = models.DateTimeField("实施时间", null=True, editable=False)
    submitted_at = models.DateTimeField("提请验收时间", null=True, editable=False)
    result = models.TextField("完成情况", blank=True, max_length=1000)
    returns = models.PositiveSmallIntegerField("退回次数", default=0, editable=False)
    return_reason = models.TextField("退回理由", blank=True, editable=False)
    accepted_by = models.ForeignKey(
        "accounts.User",
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        verbose_name="验收人",
    )
    accepted_at = models.DateTimeField("验收时间", null=True, editable=False)
    closed_at = models.DateTimeField("销号时间", null=True, editable=False)
    withdrawn_at = models.DateTimeField("退出时间", null=True, editable=False)

    # Both sides see the claim, and those above each of them.
    scope = Scope(
        AreaRule("item__"),
        UnitRule("item__unit_id"),
        AreaRule(),
        UnitRule("unit_id"),
        view="services.view",
    )
    objects = models.Manager.from_queryset(ClaimQuerySet)()
    asked_by_guards = ("rating__rectification",)  # before many are closed at once

    class Meta:
        verbose_name = "认领"
        constraints = [
            models.UniqueConstraint(
                fields=["item", "unit"],
                condition=Q(state__in=_OPEN, unit__isnull=False),
                name="claim_one_open_a_unit",
            ),
            models.UniqueConstraint(
                fields=["item", "area"],
                condition=Q(state__in=_OPEN, unit__isnull=True),
                name="claim_one_open_an_area",
            ),
            models.CheckConstraint(
                name="claim_direction_is_the_sides",
                condition=Q(unit__isnull=True, direction__in=_OF_AREAS)
                | Q(unit__isnull=False, direction__in=_OF_UNITS),
            ),
            models.CheckConstraint(name="claim_takes_a_place", condition=Q(quantity__gte=1)),
            models.CheckConstraint(
                name="claim_delivers_under_a_clause",
                condition=Q(delivered__isnull=True) | Q(delivered__gt=0, clause__isnull=False),
            ),
            models.CheckConstraint(
                name="claim_acceptance_together",
                condition=Q(accepted_at__isnull=True, accepted_by__isnull=True)
                | Q(accepted_at__isnull=False, accepted_by__isnull=False),
            ),
            _reached("contacted_at", *_OPEN[1:], "closed"),
            _reached("started_at", *_OPEN[2:], "closed"),
            _reached("submitted_at", *_OPEN[3:], "closed"),
            _reached("accepted_at", *_OPEN[4:], "closed"),
            _reached("closed_at", "closed"),
            _reached("withdrawn_at", "withdrawn"),
            *(
                models.CheckConstraint(
                    name=f"claim_{later}_after_{earlier}",
                    condition=Q(**{f"{later}__isnull": True}) | Q(**{f"{later}__gte": F(earlier)}),
                )
                for earlier, later in itertools.pairwise(_STEPS)
            ),
        ]
        indexes = [
            models.Index(fields=["unit", "state", "-id"], name="claim_unit"),
            *(
                models.Index(fields=[level, "state", "-id"], name=f"claim_{level}")
                for level in ("district", "street", "community")
            ),
            models.Index(fields=["state", "due_on"], name="claim_due"),
        ]

    def __str__(self) -> str:
        return f"{self.claimant}{self.get_direction_display()[2:]}“{self.item.title}”"

    def get_absolute_url(self) -> str:
        return reverse("services:claim", args=[self.pk])

    @property
    def provider(self) -> str:
        """Who does the work, by name: the claimant of a need, the publisher of what is offered."""
        return self.claimant if self.item.kind == ItemKind.NEED else self.item.publisher

    @property
    def contact_by(self):
        """The moment by which the two sides should have been in contact."""
        return self.claimed_at + timedelta(days=CONTACT_DAYS)

    @property
    def contact_overdue(self) -> bool:
        return self.state == ClaimState.CLAIMED and timezone.now() > self.contact_by
