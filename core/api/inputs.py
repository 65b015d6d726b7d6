"""What the API takes in: the page's own form, read from JSON.

One form checks what people type and what programs send, so that the two cannot differ. The
serializer made of it says in the schema what is asked for and catches a wrong JSON type.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from functools import cache
from typing import Any

from django import forms
from django.db.models import Model
from rest_framework import serializers

from core.forms import Asked

_KINDS: list[tuple[type[forms.Field], type[serializers.Field]]] = [
    (forms.ModelMultipleChoiceField, serializers.ListField),
    (forms.MultipleChoiceField, serializers.ListField),
    (forms.ModelChoiceField, serializers.IntegerField),
    (forms.TypedChoiceField, serializers.ChoiceField),
    (forms.ChoiceField, serializers.ChoiceField),
    (forms.BooleanField, serializers.BooleanField),
    (forms.DecimalField, serializers.DecimalField),
    (forms.FloatField, serializers.FloatField),
    (forms.IntegerField, serializers.IntegerField),
    (forms.DateTimeField, serializers.DateTimeField),
    (forms.DateField, serializers.DateField),
    (forms.TimeField, serializers.TimeField),
    (forms.EmailField, serializers.EmailField),
    (forms.URLField, serializers.URLField),
]


@dataclass(frozen=True)
class Write:
    """A way to write: the form that checks, the action that writes, the permission it asks for.

    object_arg: the action's parameter for the object that is changed; the model's name if empty.
    """

    form: type[forms.Form]
    action: Callable[..., Any]
    perm: str
    object_arg: str = ""


def check(
    form: type[forms.Form], data: dict[str, Any], *, user: Any, obj: Model | None = None
) -> dict[str, Any]:
    """`data` through the form. Returns what the action takes; raises `ValidationError` with the
    form's own sentences. With `obj`, what is not sent stays as it is."""
    unknown = set(data) - set(form.base_fields)
    if unknown:
        raise serializers.ValidationError({name: ["没有这个字段。"] for name in sorted(unknown)})
    shape = input_of(form)(data=data, partial=obj is not None)
    shape.is_valid(raise_exception=True)
    kwargs: dict[str, Any] = {"user": user} if issubclass(form, Asked) else {}
    if obj and issubclass(form, forms.BaseModelForm):
        # Checking fills the instance in: the action must get the object as it was.
        kwargs["instance"] = copy(obj)
    # Text as it was sent, not as the serializer read it: the form is the one that cleans.
    filled = form({**(_present(form, obj) if obj else {}), **data}, **kwargs)
    if not filled.is_valid():
        errors = {name or "": list(map(str, found)) for name, found in filled.errors.items()}
        raise serializers.ValidationError(errors)
    return filled.cleaned_data


def _present(form: type[forms.Form], obj: Model) -> dict[str, Any]:
    """The object's values as the form's fields would send them."""
    return {
        name: field.prepare_value(getattr(obj, name, None))
        for name, field in form.base_fields.items()
    }


@cache
def input_of(form: type[forms.Form] | None, *, reason: bool | None = None) -> type:
    """A serializer with the form's fields; with `reason`, the body of a transition."""
    fields = {name: _field(field) for name, field in form.base_fields.items()} if form else {}
    name = form.__name__.removesuffix("Form") if form else ""
    plain = type(f"{name}Input", (serializers.Serializer,), fields)
    if reason is None:
        return plain
    body: dict[str, serializers.Field] = {
        "reason": serializers.CharField(
            required=reason, allow_blank=not reason, max_length=500, label="理由"
        )
    }
    if form:
        body["data"] = plain()
    suffix = "Reasoned" if reason else ""
    return type(f"{name}{suffix}Transition", (serializers.Serializer,), body)


def _field(field: forms.Field) -> serializers.Field:
    made = next((to for kind, to in _KINDS if isinstance(field, kind)), serializers.CharField)
    options: dict[str, Any] = {
        "required": field.required and not isinstance(field, forms.BooleanField),
        "label": str(field.label or ""),
        "help_text": str(field.help_text or ""),
    }
    if not field.required and made is not serializers.CharField:
        options["allow_null"] = True
    if made is serializers.ChoiceField:
        options |= {"choices": _choices(field), "allow_blank": not field.required}
    elif made is serializers.ListField:
        inner = serializers.IntegerField if isinstance(field, forms.ModelChoiceField) else None
        options["child"] = inner() if inner else serializers.ChoiceField(_choices(field))
    elif made is serializers.DecimalField:
        options |= {"max_digits": field.max_digits, "decimal_places": field.decimal_places}
    elif made in (serializers.IntegerField, serializers.FloatField):
        bounds = {"min_value": "min_value", "max_value": "max_value"}
        options |= {k: getattr(field, v, None) for k, v in bounds.items()}
        options["error_messages"] = {
            name: field.error_messages[name] for name in bounds if name in field.error_messages
        }
    elif issubclass(made, serializers.CharField):
        options |= {"allow_blank": not field.required, "max_length": field.max_length}
    return made(**options)


def _choices(field: forms.ChoiceField) -> list[tuple[Any, str]]:
    return [(value, str(label)) for value, label in field.choices if value not in ("", None)]
