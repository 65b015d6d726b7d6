from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from core.scope import AreaRule, OpenRule, Scope, ScopedQuerySet, UnitRule
from members.enums import PostCategory, PostState
from orgs.models import Placed, PlacedQuerySet


class Post(Placed):
    """A volunteer post (志愿服务岗) that a community offers to the members who report to it."""

    title = models.CharField("岗位名称", max_length=60)
    category = models.CharField("岗位类别", max_length=12, choices=PostCategory.choices)
    description = models.CharField("岗位职责", max_length=400, blank=True)
    skills = models.CharField("所需特长", max_length=100, blank=True)
    headcount = models.PositiveSmallIntegerField("招募人数")
    claimed = models.PositiveSmallIntegerField("已认领", default=0, editable=False)
    state = models.CharField(
        "状态", max_length=8, choices=PostState.choices, default=PostState.OPEN
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="发布人"
    )
    created_at = models.DateTimeField("发布时间", auto_now_add=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    # Open posts are for every unit of the city to read: its members may live anywhere in it.
    scope = Scope(
        AreaRule(),
        OpenRule("state", (PostState.OPEN,), frozenset({"members.view", "members.claim"})),
        view="members.view",
    )
    objects = models.Manager.from_queryset(PlacedQuerySet)()

    class Meta:
        verbose_name = "志愿服务岗"
        constraints = [
            models.CheckConstraint(
                name="post_headcount",
                condition=Q(headcount__gte=1),
                violation_error_message="招募人数至少为 1。",
            ),
            models.CheckConstraint(
                name="post_never_overfull", condition=Q(claimed__lte=F("headcount"))
            ),
        ]
        indexes = [
            models.Index(fields=[level, "state", "-id"], name=f"post_{level}")
            for level in ("city", "district", "street", "community")
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("members:post", args=[self.pk])

    @property
    def vacancies(self) -> int:
        return self.headcount - self.claimed


class PostClaim(models.Model):
    """A member on a post, from day to day."""

    post = models.ForeignKey(Post, models.PROTECT, related_name="claims", verbose_name="岗位")
    member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="claims", verbose_name="党员"
    )
    reporting = models.ForeignKey(
        "members.Reporting", models.PROTECT, related_name="claims", verbose_name="报到"
    )
    unit = models.ForeignKey("orgs.Unit", models.PROTECT, related_name="+", verbose_name="单位")
    claimed_on = models.DateField("认领日期")
    ended_on = models.DateField("离岗日期", null=True)
    ended_reason = models.CharField("离岗原因", max_length=200, blank=True)

    deeds = {"take": "认领岗位", "end": "离岗"}
    scope = Scope(AreaRule("post__"), UnitRule("unit_id"), view="members.view")
    objects = models.Manager.from_queryset(ScopedQuerySet)()

    class Meta:
        verbose_name = "岗位认领"
        constraints = [
            models.UniqueConstraint(
                fields=["post", "member"],
                condition=Q(ended_on__isnull=True),
                name="post_claim_one_open",
            ),
            models.CheckConstraint(
                name="post_claim_dates",
                condition=Q(ended_on__isnull=True) | Q(ended_on__gte=F("claimed_on")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.member.name}认领{self.post.title}"

    def get_absolute_url(self) -> str:
        return self.reporting.get_absolute_url()
