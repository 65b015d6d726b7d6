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

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.core.validators import MinValueValidator
from django.db.models import BaseConstraint, CheckConstraint, Q
from django.forms.models import ModelFormMetaclass
from django.urls import reverse
from django.utils.http import urlencode

from core import places
from core.sheets.text import visible


class PlaceField(forms.CharField):
    """A node of the tree, typed as name, pinyin or code; with script it is completed.

    kinds: the levels that fit. perm: only where the person holds it. anywhere: every place, for
    facts that name a place outside one's reach (a member's home community).
    """

    default_error_messages = {
        "unknown": "没有找到“%(text)s”，请输入名称、拼音首字母或区划代码，并从提示中选择。",
        "several": "“%(text)s”对应多个地点，请写明代码：%(found)s。",
    }

    def __init__(
        self,
        *,
        kinds: Sequence[str] = (),
        perm: str | None = None,
        anywhere: bool = False,
        **kwargs: Any,
    ) -> None:
        self.kinds, self.perm, self.anywhere = tuple(kinds), perm, anywhere
        self.user = None
        super().__init__(max_length=120, **kwargs)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {
            **super().widget_attrs(widget),
            "autocomplete": "off",
            "placeholder": "名称、拼音首字母或代码",
        }

    def offer(self, *, kinds: Sequence[str], perm: str) -> None:
        """Say what fits when the form is there already: the person's right decides what is taken,
        the levels only what is suggested, so that the action can say what is wrong with others."""
        self.perm = perm
        self.widget.attrs["data-suggest"] = self.address(kinds)

    def address(self, kinds: Sequence[str]) -> str:
        """Where the matches come from while one types."""
        query = {"kinds": ",".join(kinds), "perm": self.perm or ""}
        query |= {"anywhere": "1"} if self.anywhere else {}
        return f"{reverse('console:place-options')}?{urlencode(query)}"

    def prepare_value(self, value: Any) -> Any:
        source = places.source()
        if isinstance(value, int) and source:
            value = source.find(str(value), None, anywhere=True)
        return places.written(value) if hasattr(value, "code") else value

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        source, rule = places.source(), {"perm": self.perm, "anywhere": self.anywhere}
        *_, last = text.split()
        place = source.find(last, self.user, **rule) if len(last) >= CODE_LENGTH else None
        if place is not None and (not self.kinds or place.kind in self.kinds):
            return place
        found = source.search(text, self.user, kinds=self.kinds, **rule)
        same = [f for f in found if f.place.name == text] or found
        if len(same) == 1:
            return same[0].place
        if not same:
            raise forms.ValidationError(self.error_messages["unknown"] % {"text": text}, "unknown")
        named = "、".join(places.written(f.place) for f in same[:5])
        raise forms.ValidationError(
            self.error_messages["several"] % {"text": text, "found": named}, "several"
        )

    def has_changed(self, initial: Any, data: Any) -> bool:
        return (self.prepare_value(initial) or "") != (data or "").strip()


CODE_LENGTH = 12  # of a division code; shorter digits may be part of a name


class Asked:
    """Keeps the person for choices that depend on their reach: `self.user`."""

    groups: Sequence[tuple[str, Sequence[str]]] = ()
    live: Mapping[str, str] = {}  # field → name of its check (core/checks)
    about: Any = None  # id of the object whose form it is, for those checks

    def __init__(self, *args: Any, user: Any = None, **kwargs: Any) -> None:
        self.user = user
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            _ask_for(field)
            _read_as_seen(field)
            if hasattr(field, "user"):
                field.user = user
            if isinstance(field, PlaceField):
                field.widget.attrs["data-suggest"] = field.address(field.kinds)

    @property
    def sections(self) -> list[tuple[str, list]]:
        """(heading, fields) as declared in `groups`; what is in none stands last without one."""
        shown = {field.name: field for field in self.visible_fields()}
        found = []
        for head, names in self.groups:
            fields = [shown.pop(n) for n in names if n in shown]
            found += [(head, fields)] if fields else []
        return [*found, ("", list(shown.values()))] if shown else found


_LIMITS = {
    "max_length": "最多 %(limit_value)d 个字，现在是 %(show_value)d 个。",
    "min_length": "最少 %(limit_value)d 个字，现在是 %(show_value)d 个。",
    "min_value": "不能小于 %(limit_value)s。",
    "max_value": "不能大于 %(limit_value)s。",
}
_UNSEEN = "有看不见的控制字符，请删去这里的文字后重新输入。"
_WORDS: tuple[tuple[type[forms.Field], dict[str, str]], ...] = (
    (forms.DateField, {"invalid": "请按“2026-11-21”的样子填写日期。"}),
    (forms.TimeField, {"invalid": "请按“08:30”的样子填写时间。"}),
    (forms.IntegerField, {"invalid": "请填写整数。"}),
    (forms.FloatField, {"invalid": "请填写数字。"}),
    (forms.DecimalField, {"invalid": "请填写数字。"}),
    (forms.ChoiceField, {"invalid_choice": "请从列出的选项中选择。"}),
    (forms.ModelChoiceField, {"invalid_choice": "请从列出的选项中选择。"}),
    (forms.FileField, {"empty": "文件是空的，请确认选对了文件。"}),
)


def _ask_for(field: forms.Field) -> None:
    """Have a wrong box say what to do, where its form has no words of its own for it."""
    words = {**_LIMITS, "null_characters_not_allowed": _UNSEEN}
    for kind, own in _WORDS:
        if isinstance(field, kind):
            words |= own
    if field.label:
        words["required"] = f"请{_verb(field)}{field.label}。"
    general: dict[str, Any] = {}
    for kind in reversed(type(field).__mro__):
        general |= vars(kind).get("default_error_messages", {})
    for code, text in words.items():
        if field.error_messages.get(code) == general.get(code):
            field.error_messages[code] = text


def _read_as_seen(field: forms.Field) -> None:
    """Read text as it is seen on screen: without marks that come along when a name is copied, and
    without those that would show it in another order. Passwords are read as they are."""
    if isinstance(field, forms.CharField) and field.strip:
        plain = field.to_python
        field.to_python = lambda raw: plain(visible(raw) if isinstance(raw, str) else raw)


def _verb(field: forms.Field) -> str:
    if isinstance(field, forms.BooleanField):
        return "勾选"
    return "选择" if isinstance(field, forms.ChoiceField | forms.ModelChoiceField) else "填写"


class Form(Asked, forms.Form):
    """A form of its own fields."""


class _BoundByConstraints(ModelFormMetaclass):
    """Gives a number's box the lowest value that a check of the model allows, and its sentence.

    Django knows that a positive number is not below 0, and the check is asked only of what passed
    that: −1 was told “不能小于 0” and 0, typed then, “至少为 1”.
    """

    def __new__(mcs, name: str, bases: tuple[type, ...], attrs: dict[str, Any]) -> type:
        made = super().__new__(mcs, name, bases, attrs)
        model = made._meta.model
        for check in model._meta.constraints if model else ():
            field_name, lowest = _floor(check)
            field = made.base_fields.get(field_name)
            if isinstance(field, forms.IntegerField) and field_name not in made.declared_fields:
                _set_floor(field, lowest, check)
        return made


def _floor(check: BaseConstraint) -> tuple[str, int]:
    """Of a check that says ``field__gte=1`` and nothing else, the field and the number."""
    said = check.condition if isinstance(check, CheckConstraint) else None
    if isinstance(said, Q) and not said.negated:
        match said.children:
            case [(str(path), int(lowest))] if path.endswith("__gte"):
                return path.removesuffix("__gte"), lowest
    return "", 0


def _set_floor(field: forms.IntegerField, lowest: int, check: CheckConstraint) -> None:
    field.min_value = field.widget.attrs["min"] = lowest
    others = [one for one in field.validators if not isinstance(one, MinValueValidator)]
    field.validators = [*others, MinValueValidator(lowest)]
    if check.violation_error_message != check.default_violation_error_message:
        field.error_messages["min_value"] = check.violation_error_message


class ModelForm(Asked, forms.ModelForm, metaclass=_BoundByConstraints):
    """A form whose fields and checks come from a model. Never saved: the action writes."""

    def save(self, commit: bool = True):
        raise TypeError("forms do not write: call the action with cleaned_data")

    def _update_errors(self, errors: forms.ValidationError) -> None:
        """Say at a field what a check constraint of the model finds.

        Django knows no field for it and shows its sentence above the form, where nobody who looks
        at the boxes finds it.
        """
        found = errors.update_error_dict({})
        for error in found.pop(NON_FIELD_ERRORS, []):
            found.setdefault(self._field_of(error), []).append(error)
        super()._update_errors(forms.ValidationError(found))

    def _field_of(self, error: forms.ValidationError) -> str:
        """Of the fields that the broken constraint compares the one to mend: the first that is
        empty, else the last as the form stands, which was typed against those before it."""
        for _, constraints in self.instance.get_constraints():
            for check in constraints:
                if not isinstance(check, CheckConstraint):
                    continue
                if check.get_violation_error_message() != error.message:
                    continue
                asked = check.condition.referenced_base_fields
                shown = [name for name in self.fields if name in asked]
                empty = [name for name in shown if self.cleaned_data.get(name) in (None, "")]
                return next(iter([*empty, *reversed(shown)]), NON_FIELD_ERRORS)
        return NON_FIELD_ERRORS


def widget(bound: forms.BoundField, attrs: Mapping[str, str] | None = None) -> str:
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
    return bound.as_widget(
        attrs={**(attrs or {}), "class": f"{css} {own}".strip(), **_live_attrs(bound)}
    )


def live_id(bound: forms.BoundField) -> str:
    """The id of the place where the answer to the field's live check stands; empty without one."""
    checked = bound.name in getattr(bound.form, "live", {})
    return f"{bound.id_for_label}_live" if checked else ""


def _live_attrs(bound: forms.BoundField) -> dict[str, str]:
    target = live_id(bound)
    if not target:
        return {}
    query = urlencode({"field": bound.html_name, "about": bound.form.about or ""})
    return {
        "hx-get": f"{reverse('console:check', args=[bound.form.live[bound.name]])}?{query}",
        "hx-trigger": "input changed delay:600ms, change",
        "hx-target": f"#{target}",
        "hx-sync": "this:replace",
    }


def is_check(bound: forms.BoundField) -> bool:
    """A single box to tick: its label stands beside it."""
    return isinstance(bound.field.widget, forms.CheckboxInput)


def anchor(bound: forms.BoundField) -> str:
    """The id that an error's link leads to: the field, or the group of its choices."""
    return f"{bound.auto_id}_field" if bound.use_fieldset else bound.id_for_label
