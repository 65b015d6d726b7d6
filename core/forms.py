"""Forms of the console and the portal: plain Django forms that know who fills them in.

::

    class UnitForm(ModelForm):
        groups = (("基本信息", ("name", "kind", "credit_code")), ("联系", ("contact_name",)))

        class Meta:
            model = Unit
            fields = ("name", "kind", "credit_code", "contact_name")

A form checks and cleans; the action writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms


class Asked:
    """Keeps the person for choices that depend on their reach: `self.user`."""

    groups: Sequence[tuple[str, Sequence[str]]] = ()

    def __init__(self, *args: Any, user: Any = None, **kwargs: Any) -> None:
        self.user = user
        super().__init__(*args, **kwargs)

    @property
    def sections(self) -> list[tuple[str, list]]:
        """(heading, fields) as declared in `groups`; what is in none stands last without one."""
        grouped = {name for _, names in self.groups for name in names}
        found = [
            (head, [self[n] for n in names if n in self.fields]) for head, names in self.groups
        ]
        rest = [f for f in self.visible_fields() if f.name not in grouped]
        return [*found, ("", rest)] if rest else found


class Form(Asked, forms.Form):
    """A form of its own fields."""


class ModelForm(Asked, forms.ModelForm):
    """A form whose fields and checks come from a model. Never saved: the action writes."""

    def save(self, commit: bool = True):
        raise TypeError("forms do not write: call the action with cleaned_data")


def widget(bound: forms.BoundField) -> str:
    """The field's widget with the class that the styles know, the native date picker included."""
    kind = bound.field.widget
    css = "form-control"
    if isinstance(kind, forms.CheckboxInput):
        css = "form-check-input"
    elif isinstance(kind, forms.RadioSelect | forms.CheckboxSelectMultiple):
        css = "choices"
    elif isinstance(kind, forms.Select):
        css = "form-select"
    for part in getattr(kind, "widgets", [kind]):
        if isinstance(part, forms.DateInput):
            part.input_type, part.format = "date", "%Y-%m-%d"
    own = kind.attrs.get("class", "")
    return bound.as_widget(attrs={"class": f"{css} {own}".strip()})


def is_check(bound: forms.BoundField) -> bool:
    """A single box to tick: its label stands beside it."""
    return isinstance(bound.field.widget, forms.CheckboxInput)


def anchor(bound: forms.BoundField) -> str:
    """The id that an error's link leads to: the field, or the group of its choices."""
    return f"{bound.auto_id}_field" if bound.use_fieldset else bound.id_for_label
