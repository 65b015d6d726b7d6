from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone

from core.forms import Form, ModelForm
from grids.models import GridPost, GridProfile


class CountForm(ModelForm):
    class Meta:
        model = GridProfile
        fields = ("households", "members", "counted_on")
        widgets = {"counted_on": forms.DateInput}
        help_texts = {"households": "只登记数量，不登记住户名单。"}


class AppointForm(Form):
    """Data of the transition `appoint`."""

    holder = forms.CharField(label="任职人", max_length=40)
    organisation = forms.CharField(label="所属单位", max_length=80, required=False)
    since = forms.DateField(label="任职日期", widget=forms.DateInput)

    @classmethod
    def for_object(cls, post: GridPost) -> dict[str, Any]:
        return {"since": timezone.localdate()}
