from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from alliance.enums import ENDED, SIGNED, AgreementState, ClauseCategory, Side
from alliance.querysets import AgreementQuerySet, ClauseQuerySet
from core.attachments import Attachable
from core.scope import AreaRule, LinkedUnitRule, Scope, ScopedQuerySet
from orgs.models import Placed

_PARTIES = "alliance.Party"


class Agreement(Placed):
    """What one community (甲方) and one or more units (乙方) promise each other, placed at the
    community. Each party confirms on its own sign-in; the last confirmation signs it."""

    number = models.CharField("编号", max_length=32, unique=True, editable=False)
    title = models.CharField("协议名称", max_length=120)
    goal = models.CharField("目标", max_length=400)
    starts_on = models.DateField("起始日期")
    ends_on = models.DateField("到期日期")  # the last day, inclusive
    state = models.CharField(
        "状态", max_length=12, choices=AgreementState.choices, default=AgreementState.DRAFT
    )
    signed_on = models.DateField("签订日期", null=True, editable=False)
    ended_on = models.DateField("结束日期", null=True, editable=False)  # the last day in force
    ended_reason = models.TextField("结束原因", blank=True, editable=False)
    reminded_on = models.DateField("到期提醒日期", null=True, editable=False)
    renewed_from = models.OneToOneField(
        "self",
        models.PROTECT,
        null=True,
        editable=False,
        related_name="renewal",
        verbose_name="续签自",
    )
    # Of the text (terms, parties, clauses): a confirmation is to one version of it.
    version = models.PositiveIntegerField("版本", default=1, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="起草人"
    )
    created_at = models.DateTimeField("起草时间", auto_now_add=True)
    updated_at = models.DateTimeField("更新时间", auto_now=True)

    scope = Scope(AreaRule(), LinkedUnitRule(_PARTIES, "agreement"), view="alliance.view")
    attachments = Attachable(add="alliance.draft")  # the signed copy, scans, annexes
    objects = models.Manager.from_queryset(AgreementQuerySet)()

    class Meta:
        verbose_name = "共建协议"
        constraints = [
            models.CheckConstraint(
                name="agreement_dates_in_order",
                condition=Q(ends_on__gte=F("starts_on")),
                violation_error_message="到期日期不能早于起始日期，请重新填写。",
            ),
            models.CheckConstraint(
                name="agreement_in_force_is_signed",
                condition=Q(state=AgreementState.DRAFT, signed_on__isnull=True)
                | Q(state=AgreementState.PENDING)
                | Q(state__in=SIGNED, signed_on__isnull=False),
            ),
            models.CheckConstraint(
                name="agreement_ended_is_dated",
                condition=Q(state__in=ENDED, ended_on__isnull=False)
                | (~Q(state__in=ENDED) & Q(ended_on__isnull=True)),
            ),
            models.CheckConstraint(
                name="agreement_terminated_says_why",
                condition=~Q(state=AgreementState.TERMINATED) | ~Q(ended_reason=""),
            ),
        ]
        indexes = [
            *(
                models.Index(fields=[level, "state", "-id"], name=f"agreement_{level}")
                for level in ("city", "district", "street", "community")
            ),
            models.Index(fields=["state", "ends_on"], name="agreement_ends"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    def get_absolute_url(self) -> str:
        return reverse("alliance:agreement", args=[self.pk])

    @property
    def unit_parties(self) -> models.QuerySet:
        """乙方, in the order in which they joined."""
        return self.parties.filter(side=Side.UNIT).select_related("unit")

    @property
    def is_signed(self) -> bool:
        return self.signed_on is not None


class Party(models.Model):
    """One side of an agreement: the community (`unit` empty) or a unit, with its liaison."""

    agreement = models.ForeignKey(
        Agreement, models.CASCADE, related_name="parties", verbose_name="协议"
    )
    side = models.CharField("方", max_length=10, choices=Side.choices)
    unit = models.ForeignKey(
        "orgs.Unit", models.PROTECT, null=True, related_name="+", verbose_name="单位"
    )
    liaison = models.CharField("联络员", max_length=40, blank=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name="确认人",
    )
    confirmed_at = models.DateTimeField("确认时间", null=True)

    # A party is acted for by its own people: the staff who reach the community, or the unit's.
    scope = Scope(
        AreaRule("agreement__"),
        LinkedUnitRule(_PARTIES, "agreement", path="agreement_id"),
        view="alliance.view",
    )
    objects = models.Manager.from_queryset(ScopedQuerySet)()

    class Meta:
        verbose_name = "签约方"
        ordering = ["side", "id"]  # 甲方 first: "community" sorts before "unit"
        constraints = [
            models.CheckConstraint(
                name="party_unit_belongs_to_side",
                condition=Q(side=Side.COMMUNITY, unit__isnull=True)
                | Q(side=Side.UNIT, unit__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["agreement"],
                condition=Q(side=Side.COMMUNITY),
                name="party_one_community",
            ),
            models.UniqueConstraint(fields=["agreement", "unit"], name="party_unit_once"),
            models.CheckConstraint(
                name="party_confirmed_by_and_at",
                condition=Q(confirmed_by__isnull=True, confirmed_at__isnull=True)
                | Q(confirmed_by__isnull=False, confirmed_at__isnull=False),
            ),
            # Nobody signs for two sides, not even one who holds a role with both.
            models.UniqueConstraint(
                fields=["agreement", "confirmed_by"],
                condition=Q(confirmed_by__isnull=False),
                name="party_one_signature_a_person",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return self.agreement.get_absolute_url()

    @property
    def name(self) -> str:
        return self.unit.name if self.unit_id else self.agreement.area.name


class Clause(models.Model):
    """What one party delivers under an agreement: how much of what, by when."""

    agreement = models.ForeignKey(
        Agreement, models.CASCADE, related_name="clauses", verbose_name="协议"
    )
    number = models.PositiveSmallIntegerField("条款号", editable=False)
    party = models.ForeignKey(Party, models.PROTECT, related_name="clauses", verbose_name="履约方")
    category = models.CharField("类别", max_length=12, choices=ClauseCategory.choices)
    content = models.CharField("内容", max_length=400)
    quantity = models.DecimalField("数量", max_digits=9, decimal_places=1)
    measure = models.CharField("计量单位", max_length=10)  # 次, 场, 小时, 人次, 件
    due_on = models.DateField("完成期限")

    scope = Scope(
        AreaRule("agreement__"),
        LinkedUnitRule(_PARTIES, "agreement", path="agreement_id"),
        view="alliance.view",
    )
    objects = models.Manager.from_queryset(ClauseQuerySet)()

    class Meta:
        verbose_name = "协议条款"
        ordering = ["agreement_id", "number"]
        constraints = [
            models.UniqueConstraint(fields=["agreement", "number"], name="clause_number"),
            models.CheckConstraint(
                name="clause_quantity",
                condition=Q(quantity__gt=0),
                violation_error_message="数量须大于零。",
            ),
        ]

    def __str__(self) -> str:
        return f"第{self.number}条 {self.content}"

    def get_absolute_url(self) -> str:
        return self.agreement.get_absolute_url()


class Fulfilment(models.Model):
    """A deed that counts towards a clause. Written by `record_fulfilment` alone, once a source:
    the deed itself is a record elsewhere, named by its model label and id."""

    clause = models.ForeignKey(
        Clause, models.PROTECT, related_name="fulfilments", verbose_name="条款"
    )
    quantity = models.DecimalField("数量", max_digits=9, decimal_places=1)
    on = models.DateField("日期")
    source_type = models.CharField("来源类型", max_length=64)
    source_id = models.BigIntegerField("来源编号")
    source_label = models.CharField("来源", max_length=200)
    recorded_at = models.DateTimeField("记录时间", auto_now_add=True)

    deeds = {"record": "计入履约", "correct": "更正履约", "withdraw": "撤回履约"}
    scope = Scope(
        AreaRule("clause__agreement__"),
        LinkedUnitRule(_PARTIES, "agreement", path="clause__agreement_id"),
        view="alliance.view",
    )
    objects = models.Manager.from_queryset(ScopedQuerySet)()

    class Meta:
        verbose_name = "履约记录"
        constraints = [
            models.UniqueConstraint(
                fields=["source_type", "source_id"], name="fulfilment_source_once"
            ),
            models.CheckConstraint(name="fulfilment_quantity", condition=Q(quantity__gt=0)),
        ]
        indexes = [models.Index(fields=["clause", "on"], name="fulfilment_clause")]

    def __str__(self) -> str:
        return f"{self.clause} {self.quantity}"
