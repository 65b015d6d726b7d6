from django.db import models
from django.db.models import Q
from django.urls import reverse

from core.fields import EncryptedTextField
from core.scope import AreaRule, Scope
from orgs.models import Placed, PlacedQuerySet
from services.enums import Beneficiary, TicketState, Topic


class Ticket(Placed):
    """What a resident asked for at the portal, without an account and without a name.

    The community writes an item of its own from it (the resident's words are never published);
    number and secret let the resident follow the matter and rate it.
    """

    number = models.CharField("单号", max_length=20, unique=True)
    secret_hash = models.CharField(max_length=64, editable=False)
    topic = models.CharField("事项", max_length=8, choices=Topic.choices, default=Topic.OTHER)
    beneficiary = models.CharField(
        "受益对象", max_length=12, choices=Beneficiary.choices, default=Beneficiary.RESIDENTS
    )
    content = models.TextField("诉求", max_length=1000)
    # Optional, for the community to call back; erased soon after the matter ends.
    phone = EncryptedTextField("联系电话", max_length=20, blank=True)
    state = models.CharField(
        "状态",
        max_length=8,
        choices=TicketState.choices,
        default=TicketState.RECEIVED,
        editable=False,
    )
    item = models.OneToOneField(
        "services.Item", models.PROTECT, null=True, related_name="ticket", verbose_name="事项"
    )
    decided_by = models.ForeignKey(
        "accounts.User",
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        verbose_name="受理人",
    )
    decided_at = models.DateTimeField("受理时间", null=True, editable=False)
    return_reason = models.TextField("未采纳理由", blank=True, editable=False)
    created_at = models.DateTimeField("提交时间", auto_now_add=True)
    closed_at = models.DateTimeField("办结时间", null=True, editable=False)
    phone_erased_at = models.DateTimeField("电话清除时间", null=True, editable=False)

    # The resident's own words and phone stay out of the audit log.
    audit_hidden = ("content", "secret_hash", "phone")

    scope = Scope(AreaRule(), view="services.tickets")
    objects = models.Manager.from_queryset(PlacedQuerySet)()

    class Meta:
        verbose_name = "居民诉求"
        constraints = [
            models.CheckConstraint(
                name="ticket_decision_together",
                condition=Q(state="received", decided_at__isnull=True, decided_by__isnull=True)
                | (~Q(state="received") & Q(decided_at__isnull=False, decided_by__isnull=False)),
            ),
            models.CheckConstraint(
                name="ticket_adopted_has_an_item",
                condition=Q(state__in=["received", "returned"], item__isnull=True)
                | Q(state__in=["adopted", "closed"], item__isnull=False),
            ),
            models.CheckConstraint(
                name="ticket_ended_is_dated",
                condition=Q(state__in=["received", "adopted"], closed_at__isnull=True)
                | Q(state__in=["returned", "closed"], closed_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=[level, "state", "-id"], name=f"ticket_{level}")
            for level in ("district", "street", "community")
        ]

    def __str__(self) -> str:
        return f"居民诉求 {self.number}"

    def get_absolute_url(self) -> str:
        return reverse("services:ticket", args=[self.pk])
