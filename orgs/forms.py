"""Forms of units and of the tree."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone

from core.forms import Form, ModelForm, PlaceField
from orgs.enums import AreaKind
from orgs.models import Unit


class UnitForm(ModelForm):
    area = PlaceField(label="所在地", perm="units.edit")

    class Meta:
        model = Unit
        fields = ("name", "credit_code", "kind", "party_org", "contact_name")
        help_texts = {"credit_code": "18 位，含数字和大写字母，末位为校验码。"}

    live = {"credit_code": "credit-code"}
    groups = (
        ("基本信息", ("name", "credit_code", "kind", "area")),
        ("党建联络", ("party_org", "contact_name")),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial.setdefault("area", self.instance.area)

    def validate_unique(self) -> None:
        """Left to the action: a code that is registered out of sight has to be named as such."""


class LeaveForm(Form):
    left_on = forms.DateField(label="迁出日期", widget=forms.DateInput)

    @classmethod
    def for_object(cls, unit: Unit) -> dict[str, Any]:
        return {"left_on": timezone.localdate()}


class AreaAddForm(Form):
    code = forms.CharField(
        label="区划代码",
        max_length=18,
        help_text="社区及以上 12 位，网格 15 位，楼栋组 18 位；以上级的代码开头。",
    )
    name = forms.CharField(label="名称", max_length=80)
    live = {"code": "area-code"}


class AreaRenameForm(Form):
    name = forms.CharField(label="名称", max_length=80)


class AreaMoveForm(Form):
    parent = PlaceField(label="新的上级")

    def fit(self, kind: str, perm: str) -> None:
        """Offer the places that a node of this kind may hang under."""
        above = AreaKind(kind).parent_kind
        self.fields["parent"].offer(kinds=[above] if above else [], perm=perm)


class AreaRetireForm(Form):
    successor = PlaceField(label="并入", required=False)
    reason = forms.CharField(label="理由", max_length=200, widget=forms.Textarea(attrs={"rows": 3}))

    def fit(self, kind: str, perm: str) -> None:
        """Offer the places that a node of this kind may be merged into."""
        self.fields["successor"].offer(kinds=[kind], perm=perm)
