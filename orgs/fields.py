"""Form fields that name member units in words."""

from __future__ import annotations

from typing import Any

from django import forms

from orgs.enums import UnitState
from orgs.models import Unit


def unit_named(text: str, user: Any) -> Unit | None:
    """An active unit by its full name among those that `user` sees, or by its credit code
    wherever it is: who knows the code knows the unit."""
    active = Unit.objects.filter(state=UnitState.ACTIVE)
    named = list(active.visible_to(user).filter(name=text)[:2])
    if len(named) == 1:
        return named[0]
    return active.filter(credit_code=text.upper()).first()


class UnitField(forms.CharField):
    """One unit, typed; `user` is the person who asks (`core.forms.Asked` sets it)."""

    default_error_messages = {
        "unknown": "没有找到“%(text)s”，请核对单位全称，或改填统一社会信用代码。"
    }

    longest = 120

    def __init__(self, **kwargs: Any) -> None:
        self.user = None
        super().__init__(max_length=self.longest, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return value.name if isinstance(value, Unit) else value

    def clean(self, value: Any) -> Unit | None:
        text = super().clean(value)
        found = unit_named(text, self.user) if text else None
        if text and found is None:
            raise forms.ValidationError(self.error_messages["unknown"] % {"text": text}, "unknown")
        return found


class UnitsField(UnitField):
    """Several units, one a line."""

    widget = forms.Textarea
    longest = 4000

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.widget.attrs["rows"] = 2

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return "\n".join(unit.credit_code for unit in value)
        return value

    def clean(self, value: Any) -> list[Unit]:
        lines = [line.strip() for line in forms.CharField.clean(self, value).splitlines()]
        found = [(line, unit_named(line, self.user)) for line in lines if line]
        unknown = "、".join(line for line, unit in found if unit is None)
        if unknown:
            raise forms.ValidationError(
                self.error_messages["unknown"] % {"text": unknown}, "unknown"
            )
        return [unit for _, unit in found if unit]
