"""Forms of agreements. What is known is filled in: one's own side, the unit's liaison."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone

from alliance.models import Agreement, Clause, Party
from core.forms import Form, ModelForm, PlaceField
from core.scope import reach_of
from orgs.enums import AreaKind, UnitState
from orgs.fields import UnitsField
from orgs.models import Area, Unit

MOST_BOXES = 60  # more units than this are typed, not ticked
YEAR = timedelta(days=364)


class TermsForm(ModelForm):
    """The terms of a draft and its units."""

    units = forms.ModelMultipleChoiceField(
        Unit.objects.none(),
        label="乙方单位",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    others = UnitsField(
        label="其他乙方单位",
        required=False,
        help_text="每行一家，填写单位全称；不在您管理范围内的单位填写统一社会信用代码。",
    )

    class Meta:
        model = Agreement
        fields = ("title", "goal", "starts_on", "ends_on")
        widgets = {"goal": forms.Textarea(attrs={"rows": 3})}

    groups = (
        ("协议", ("title", "goal", "starts_on", "ends_on")),
        ("签约方", ("community", "liaison", "units", "others")),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        present = self._present()
        boxes = Unit.objects.visible_to(self.user).filter(state=UnitState.ACTIVE).order_by("name")
        if len(boxes[: MOST_BOXES + 1]) > MOST_BOXES:
            boxes = boxes.filter(pk__in=[unit.pk for unit in present])
        self.fields["units"].queryset = boxes
        ticked = set(boxes.values_list("pk", flat=True)) if present else set()
        self.initial.setdefault("units", [u.pk for u in present if u.pk in ticked])
        self.initial.setdefault("others", [u for u in present if u.pk not in ticked])

    def _present(self) -> list[Unit]:
        if not self.instance.pk:
            return []
        return [party.unit for party in self.instance.unit_parties]

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        chosen = {u.pk: u for u in (*data.get("units", ()), *(data.pop("others", None) or ()))}
        data["units"] = list(chosen.values())
        return data


class AgreementForm(TermsForm):
    """A new draft. A community's worker drafts for the community, a liaison with any one."""

    community = PlaceField(label="甲方社区", kinds=(AreaKind.COMMUNITY,), anywhere=True)
    liaison = forms.CharField(label="社区联络员", max_length=40, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        reach = reach_of(self.user, "alliance.draft")
        today = timezone.localdate()
        self.initial.setdefault("starts_on", today)
        self.initial.setdefault("ends_on", today + YEAR)
        own = [pk for kind, pk in reach.areas if kind == AreaKind.COMMUNITY]
        if reach.units:
            units = Unit.objects.filter(pk__in=reach.units).select_related("area")
            self.initial["units"] = [unit.pk for unit in units]
            own = own or [unit.community_id for unit in units if unit.community_id]
        if len(set(own)) == 1:
            self.initial.setdefault("community", Area.objects.get(pk=own[0]))


class ClauseForm(ModelForm):
    """One clause. The page hands in the parties to choose from."""

    class Meta:
        model = Clause
        fields = ("party", "category", "content", "quantity", "measure", "due_on")
        widgets = {"content": forms.Textarea(attrs={"rows": 3})}
        help_texts = {"measure": "如：次、场、小时、人次。"}

    def offer(self, agreement: Agreement) -> None:
        """Let one choose among the parties of `agreement`."""
        self.fields["party"].queryset = agreement.parties.select_related("unit", "agreement__area")
        self.fields["party"].empty_label = "请选择"
        if not self.instance.pk:
            self.initial.setdefault("due_on", agreement.ends_on)


class LiaisonForm(ModelForm):
    class Meta:
        model = Party
        fields = ("liaison",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["liaison"].required = True


class ConfirmForm(Form):
    """One tick, under the text that is signed."""

    agreed = forms.BooleanField(
        label="已阅读全部条款，代表本方确认签署",
        error_messages={"required": "请先阅读条款，并勾选确认。"},
    )


class RenewForm(Form):
    ends_on = forms.DateField(label="新的到期日期", widget=forms.DateInput)


class DiscardForm(Form):
    """Nothing to fill in: the button is the question."""
