from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from core.scope import AreaRule, OpenRule, Scope, UnitRule
from orgs.models import Placed
from orgs.pinyin import reading
from services.enums import PUBLIC_STATES, Beneficiary, ItemKind, ItemState, Topic
from services.querysets import ItemQuerySet

_PUBLIC = [s.value for s in PUBLIC_STATES]


class Item(Placed):
    """A line of the lists: what a community or a unit needs, or has to offer.

    Up to publication it moves on its own; after that the matter is the claim's, and the item
    says how far its claims are: 已发布 while places are free, then as far as the slowest claim
    (docs/adr/0002-services-item-and-claim.md).
    """

    number = models.CharField("编号", max_length=40, unique=True, editable=False)
    kind = models.CharField("类别", max_length=8, choices=ItemKind.choices)
    unit = models.ForeignKey(
        "orgs.Unit",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="items",
        db_index=False,
        verbose_name="提出单位",
    )
    # The name as it was on the day: a renamed unit does not rewrite old ledgers.
    publisher = models.CharField("提出单位名称", max_length=160, editable=False)
    title = models.CharField("名称", max_length=80)
    content = models.TextField("内容", max_length=2000)
    topic = models.CharField("事项", max_length=8, choices=Topic.choices, default=Topic.OTHER)
    beneficiary = models.CharField(
        "受益对象", max_length=12, choices=Beneficiary.choices, default=Beneficiary.RESIDENTS
    )
    unions = models.CharField("六联", max_length=80, blank=True)  # ",orgs,teams,"
    capacity = models.PositiveIntegerField("名额", default=1)
    claimed = models.PositiveIntegerField("已认领名额", default=0, editable=False)
    due_on = models.DateField("时限", null=True, blank=True)
    contact = models.CharField("联系方式（社区或单位办公电话）", max_length=120, blank=True)
    venue = models.CharField("地点", max_length=120, blank=True)
    weekdays = models.CharField("开放日", max_length=7, blank=True)  # ISO weekdays, e.g. "12345"
    opens_at = models.TimeField("开放时间", null=True, blank=True)
    closes_at = models.TimeField("结束时间", null=True, blank=True)

    state = models.CharField(
        "状态", max_length=12, choices=ItemState.choices, default=ItemState.DRAFT, editable=False
    )
    drafted_by = models.ForeignKey(
        "accounts.User",
        models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        db_index=False,
        verbose_name="起草人",
    )
    decided_by = models.ForeignKey(
        "accounts.User",
        models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        db_index=False,
        verbose_name="审核人",
    )
    decided_at = models.DateTimeField("审核时间", null=True, editable=False)
    return_reason = models.TextField("退回理由", blank=True, editable=False)
    published_at = models.DateTimeField("发布时间", null=True, editable=False)
    round = models.DateField("轮次", null=True, editable=False)  # the 10th that opens the round
    # How often it was left over at the end of a round; what was goes first in the next.
    carried = models.PositiveSmallIntegerField("流转次数", default=0, editable=False)
    closed_at = models.DateTimeField("销号时间", null=True, editable=False)
    created_at = models.DateTimeField("登记时间", auto_now_add=True)
    updated_at = models.DateTimeField("更新时间", auto_now=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    search = models.TextField(editable=False)
    initials = models.CharField("拼音首字母", max_length=162, editable=False, default="")

    scope = Scope(
        AreaRule(),
        UnitRule("unit_id"),
        # What is published is there to be found and claimed, whoever's it is.
        OpenRule("state", tuple(_PUBLIC), frozenset({"services.view", "services.claim"})),
        view="services.view",
    )
    objects = models.Manager.from_queryset(ItemQuerySet)()

    class Meta:
        verbose_name = "清单事项"
        constraints = [
            models.CheckConstraint(
                name="item_has_room",
                condition=Q(capacity__gte=1),
                violation_error_message="名额至少为 1。",
            ),
            models.CheckConstraint(
                name="item_claimed_within_capacity", condition=Q(claimed__lte=F("capacity"))
            ),
            models.CheckConstraint(
                name="item_unpublished_is_unclaimed",
                condition=Q(state__in=_PUBLIC) | Q(claimed=0),
            ),
            models.CheckConstraint(
                name="item_published_is_dated",
                condition=Q(state__in=_PUBLIC, published_at__isnull=False, round__isnull=False)
                | (
                    ~Q(state__in=_PUBLIC)
                    & Q(published_at__isnull=True, round__isnull=True, closed_at__isnull=True)
                ),
            ),
            models.CheckConstraint(
                name="item_decision_together",
                condition=Q(decided_at__isnull=True, decided_by__isnull=True)
                | Q(decided_at__isnull=False, decided_by__isnull=False),
            ),
            models.CheckConstraint(
                name="item_closed_is_dated",
                condition=Q(state="closed", closed_at__isnull=False)
                | (~Q(state="closed") & Q(closed_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="item_dates_in_order",
                condition=Q(closed_at__isnull=True) | Q(closed_at__gte=F("published_at")),
            ),
            # Each end by itself: a comparison with nothing is neither true nor false, and a check
            # refuses only what is false.
            models.CheckConstraint(
                name="item_hours_whole",
                condition=Q(opens_at__isnull=True, closes_at__isnull=True)
                | Q(
                    opens_at__isnull=False,
                    closes_at__isnull=False,
                    closes_at__gt=F("opens_at"),
                ),
                violation_error_message="开放时间和结束时间须同时填写，且结束晚于开放。",
            ),
        ]
        indexes = [
            *(
                models.Index(fields=[level, "state", "-id"], name=f"item_{level}")
                for level in ("street", "community")
            ),
            # Of a whole district the numbers of the filters (services/filters.py) are ten thousand
            # rows: read off the index as well.
            *(
                models.Index(
                    fields=[level, "state", "-id"],
                    include=[
                        *above,
                        "kind",
                        "topic",
                        "beneficiary",
                        "unit",
                        "claimed",
                        "capacity",
                    ],
                    name=f"item_in_{level}",
                )
                for level, above in {"city": (), "district": ("city",)}.items()
            ),
            # What residents and claimants browse: published, newest first, of one place and kind.
            *(
                models.Index(
                    fields=[level, "kind", "-published_at", "-id"],
                    name=f"item_open_{level}",
                    condition=Q(state__in=_PUBLIC),
                )
                for level in ("city", "district", "street", "community")
            ),
            # What the whole city may claim: what was left over first, then the newest.
            models.Index(
                fields=["-carried", "-id"],
                name="item_offered",
                condition=Q(state="published", claimed__lt=F("capacity")),
            ),
            models.Index(fields=["unit", "state", "-id"], name="item_unit"),
            models.Index(fields=["state", "-id"], name="item_state"),
            # What a period closed, by month: a twentieth of what there is.
            models.Index(
                fields=["closed_at"], name="item_closed", condition=Q(closed_at__isnull=False)
            ),
            # What a review counts, and where the claims and ratings of a period belong: read off the
            # index, because a row with all its text is twenty times as wide.
            models.Index(
                fields=["published_at"],
                include=["community", "street", "district", "kind", "state", "claimed"],
                name="item_counted",
            ),
            models.Index(
                fields=["id"], include=["community", "street", "district"], name="item_place"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}“{self.title}”"

    def get_absolute_url(self) -> str:
        return reverse("services:item", args=[self.pk])

    def save(self, *args, **kwargs):
        if kwargs.get("update_fields") is None:
            self.index()
        super().save(*args, **kwargs)

    def index(self) -> None:
        """Fill what is searched: the text, and how the name is typed. With `bulk_create`, call it first."""
        self.initials = reading(self.title).initials
        self.search = " ".join(
            (self.number, self.publisher, self.title, self.content, self.venue)
        ).lower()

    @property
    def places_left(self) -> int:
        return self.capacity - self.claimed

    @property
    def union_labels(self) -> list[str]:
        from services.enums import Union

        return [Union(value).label for value in self.unions.strip(",").split(",") if value]
