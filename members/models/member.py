from django.db import models
from django.db.models import Q
from django.urls import reverse

from core.fields import EncryptedTextField, mask_phone
from core.scope import AreaRule, Scope, UnitRule
from members.querysets import MemberQuerySet
from orgs.models import Placed


class Member(Placed):
    """An in-service party member: registered by the unit, at home in a community (`area`: the
    community, or the grid once it is known). No more personal data than this is kept, and never
    an identity number (domain.md §7)."""

    unit = models.ForeignKey(
        "orgs.Unit", models.PROTECT, related_name="+", db_index=False, verbose_name="单位"
    )
    name = models.CharField("姓名", max_length=40)
    phone = EncryptedTextField("手机号", max_length=20, blank=True)
    phone_index = models.CharField(max_length=64, blank=True, editable=False)
    speciality = models.CharField("特长", max_length=100, blank=True)
    party_org = models.CharField("单位党组织", max_length=120, blank=True)
    left_on = models.DateField("离开日期", null=True, editable=False)
    created_at = models.DateTimeField("登记时间", auto_now_add=True)
    updated_at = models.DateTimeField("更新时间", auto_now=True)

    scope = Scope(AreaRule(), UnitRule("unit_id"), view="members.view")
    audit_hidden = ("phone", "phone_index")
    deeds = {"register": "登记", "revise": "修改", "move": "转出", "unmask": "查看手机号"}
    objects = models.Manager.from_queryset(MemberQuerySet)()

    class Meta:
        verbose_name = "在职党员"
        constraints = [
            # One person is registered once: by phone, or where none is given by name in the unit.
            models.UniqueConstraint(
                fields=["phone_index"],
                condition=Q(left_on__isnull=True) & ~Q(phone_index=""),
                name="member_phone_once",
            ),
            models.UniqueConstraint(
                fields=["unit", "name"],
                condition=Q(left_on__isnull=True, phone_index=""),
                name="member_name_once_without_phone",
            ),
        ]
        indexes = [
            *(
                models.Index(fields=[level, "-id"], name=f"member_{level}")
                for level in ("city", "district", "street", "community")
            ),
            models.Index(fields=["unit", "name"], name="member_unit"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("members:member", args=[self.pk])

    @property
    def masked_phone(self) -> str:
        """``138****1234``: the only form in which a phone reaches a page, a sheet or the API."""
        return mask_phone(self.phone)
