"""The widgets that are written without templates are those that Django writes."""

from __future__ import annotations

import pytest
from django import forms
from django.forms.renderers import Jinja2
from django.utils.safestring import mark_safe

from core.filters import DayRangeWidget
from core.widgets import Renderer

CHOICES = [("", "全部（3）"), ("a", 'A & "B" <c>'), ("组'", [("d", "丁"), (5, mark_safe("<五>"))])]
HARD = {"class": 'x"y', "required": True, "disabled": False, "data-n": 7, "title": "<'&>"}


@pytest.mark.parametrize("value", [None, "", "a", "d", 5, "<\"'&>", "没有"])
@pytest.mark.parametrize(
    "widget",
    [
        forms.Select(choices=CHOICES),
        forms.Select(attrs={"required": True}, choices=CHOICES[1:]),
        forms.NullBooleanSelect(),
        forms.TextInput(attrs={"type": "search", "maxlength": 60}),
        forms.NumberInput(),
        forms.EmailInput(),
        forms.HiddenInput(),
        forms.DateInput(format="%Y-%m-%d"),
        DayRangeWidget(),
        forms.MultiWidget([forms.TextInput(), forms.Textarea()]),
        forms.CheckboxInput(),
        forms.RadioSelect(choices=CHOICES[:2]),
        forms.Textarea(),
    ],
    ids=lambda widget: type(widget).__name__,
)
def test_each_is_as_django_writes_it(widget, value):
    if isinstance(widget, forms.MultiWidget):
        value = [value, None]
        widget.decompress = lambda value: [value, None]
    for attrs in (None, {"id": "id_x"}, HARD):
        own, django = (
            widget.render("名<称", value, attrs, renderer=r()) for r in (Renderer, Jinja2)
        )
        assert own == django
        assert type(own) is type(django)
