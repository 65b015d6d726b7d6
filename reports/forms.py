from __future__ import annotations

from decimal import Decimal

from django import forms

from core.forms import Form
from core.periods import Period, PeriodField
from core.scope import reach_of
from orgs.models import Area
from reports.enums import AdjustmentKind
from reports.scopes import OFFICES


class _PlaceAndPeriod(Form):
    """A place that the person holds `perm` over, and a period. The places offered are those of
    the person's own grants; any other within reach may be given by its code in the address."""

    perm = ""
    kinds: tuple[str, ...] = ("city", "district", "street", "community")
    area = forms.ModelChoiceField(Area.objects.none(), label="范围", empty_label=None)
    period = PeriodField(label="期间")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        reach = reach_of(self.user, self.perm)
        own = [pk for _, pk in reach.areas]
        wanted = self.initial.get("area")
        within = Area.objects.visible_to(self.user, self.perm).filter(kind__in=self.kinds)
        offered = within.filter(pk__in=[*own, wanted] if wanted else own)
        if self.is_bound:  # a place handed on by the page before
            offered = within
        self.fields["area"].queryset = offered


class RunForm(_PlaceAndPeriod):
    perm = "reports.run"


class ReportAllForm(_PlaceAndPeriod):
    perm = "reports.submit"

    @property
    def kinds(self):
        levels = {level for level, _ in reach_of(self.user, self.perm).areas}
        return {kind for level in levels for kind in OFFICES[self.perm].get(level, ())}


class ApproveAllForm(_PlaceAndPeriod):
    perm = "reports.approve"


class OverviewForm(Form):
    """The time that charts are about: a quarter or a year."""

    period = PeriodField()

    @property
    def chosen(self) -> Period | None:
        """None when none is chosen, or what is no period."""
        return self.cleaned_data["period"] if self.is_valid() else None


class AdjustForm(Form):
    kind = forms.ChoiceField(label="类型", choices=AdjustmentKind.choices, widget=forms.RadioSelect)
    marks = forms.DecimalField(
        label="分值",
        min_value=Decimal("0.5"),
        max_value=Decimal(10),
        decimal_places=2,
        max_digits=4,
        help_text="0.5 至 10 分。",
    )
    ground = forms.CharField(
        label="事由",
        max_length=200,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="写明依据，例如文件名称、表彰或通报。",
    )
