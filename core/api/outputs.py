"""What the API gives out: named columns, straight from `values_list`.

A column is a path such as ``"area__name"``; its key is the path with single underscores. A
column that is encrypted at rest goes out masked, whatever the viewset says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from rest_framework import serializers

from core.fields import mask_phone

_KINDS = serializers.ModelSerializer.serializer_field_mapping


class Columns:
    """The columns of one viewset, resolved once."""

    def __init__(self, model: type[models.Model], paths: Sequence[str]) -> None:
        self.paths = tuple(paths)
        self.keys = tuple(path.replace("__", "_") for path in paths)
        self.fields = tuple(field_at(model, path) for path in paths)
        self.may_be_empty = tuple(any(f.null for f in _way(model, path)) for path in paths)
        if len(set(self.keys)) != len(self.keys):
            raise ValueError(f"{model._meta.label}: two columns under one key in {self.keys}")
        self.masks: dict[str, Callable] = {
            key: mask_phone
            for key, field in zip(self.keys, self.fields, strict=True)
            if getattr(field, "encrypted", False)
        }
        self._serializers: dict[str, type[serializers.Serializer]] = {}
        self.related = tuple({p.rpartition("__")[0] for p in paths if "__" in p})

    def row(self, values: Sequence[Any]) -> dict[str, Any]:
        found = dict(zip(self.keys, values, strict=True))
        for key, mask in self.masks.items():
            found[key] = mask(found[key])
        return found

    def of(self, obj: models.Model) -> dict[str, Any]:
        """The same row read from an instance."""
        return self.row([_read(obj, path) for path in self.paths])

    def serializer(self, name: str, **more: serializers.Field) -> type[serializers.Serializer]:
        """What a row looks like, for the schema. One class a name: the schema tells its
        components apart by identity, and every action of a viewset asks anew."""
        if name not in self._serializers:
            made = {
                key: _described(field, empty)
                for key, field, empty in zip(self.keys, self.fields, self.may_be_empty, strict=True)
            }
            self._serializers[name] = type(name, (serializers.Serializer,), made | more)
        return self._serializers[name]


def field_at(model: type[models.Model], path: str) -> models.Field:
    """The model field at the end of `path`. Raises `FieldDoesNotExist` for one that is not there."""
    *links, last = path.split("__")
    for link in links:
        step = model._meta.get_field(link)
        if not (step.many_to_one or step.one_to_one) or step.auto_created:
            raise FieldDoesNotExist(f"{model._meta.label}.{path}: only forward relations")
        model = step.related_model
    if last == "pk":
        return model._meta.pk
    return next(
        (f for f in model._meta.concrete_fields if last in (f.name, f.attname)), None
    ) or model._meta.get_field(last)


def _way(model: type[models.Model], path: str) -> list[models.Field]:
    """The field at the end of `path` and the links on the way: one empty link empties the value."""
    links = path.split("__")
    return [field_at(model, "__".join(links[: n + 1])) for n in range(len(links))]


def _read(obj: models.Model, path: str) -> Any:
    try:
        return attrgetter(path.replace("__", "."))(obj)
    except AttributeError:  # an empty link on the way
        return None


def _described(field: models.Field, may_be_empty: bool) -> serializers.Field:
    options: dict[str, Any] = {"label": str(field.verbose_name), "allow_null": may_be_empty}
    target = field.target_field if field.is_relation else field
    if field.choices:
        return serializers.ChoiceField(choices=field.flatchoices, **options)
    kind = next((_KINDS[c] for c in type(target).__mro__ if c in _KINDS), serializers.CharField)
    if kind is serializers.DecimalField:
        options |= {"max_digits": target.max_digits, "decimal_places": target.decimal_places}
    if kind is serializers.ModelField or kind is serializers.FileField:
        kind = serializers.CharField
    return kind(**options)
