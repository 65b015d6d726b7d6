"""Filters of the lists: django-filter with the search box and the chips that every list has.

::

    class UnitFilter(FilterSet):
        q = Search(fields=("name__icontains", "initials__startswith", "credit_code__startswith"))

        class Meta:
            model = Unit
            fields = ("kind", "state")
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any, NamedTuple

import django_filters
from django import forms
from django.db.models import Q, QuerySet


class Chip(NamedTuple):
    """A filter in force: what it says, and the parameters that its removal takes away."""

    label: str
    value: str
    params: tuple[str, ...]


class Search(django_filters.CharFilter):
    """One box over several lookups. Each word must match somewhere; latin letters in lower case,
    as pinyin and initials are kept."""

    def __init__(
        self, *, fields: Sequence[str], label: str = "搜索", hint: str = "", **kwargs: Any
    ):
        self.lookups = tuple(fields)
        widget = forms.TextInput(attrs={"type": "search", "placeholder": hint, "maxlength": 60})
        super().__init__(label=label, widget=widget, max_length=60, **kwargs)

    def filter(self, qs: QuerySet, value: str) -> QuerySet:
        for word in (value or "").split()[:5]:
            variants = {word, word.lower(), word.upper()}
            found = (Q(**{lookup: v}) for lookup in self.lookups for v in variants)
            qs = qs.filter(reduce(or_, found))
        return qs


class DayRange(django_filters.DateFromToRangeFilter):
    """From one day to another, both included."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", DayRangeWidget())
        super().__init__(**kwargs)


class DayRangeWidget(django_filters.widgets.DateRangeWidget):
    template_name = "django/forms/widgets/multiwidget.html"

    def __init__(self) -> None:
        super().__init__(attrs={"type": "date"})

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        for box, said in zip(context["widget"]["subwidgets"], ("从", "到"), strict=True):
            box["attrs"]["aria-label"] = said
        return context


class FilterSet(django_filters.FilterSet):
    """`search` is the box in the list's head; the others stand in the panel.

    quiet: filters that links lead to (from a chart); they stand in the panel while in force.
    """

    quiet: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for one in self.filters.values():
            if isinstance(one, django_filters.ChoiceFilter):
                one.extra.setdefault("empty_label", "全部")

    @property
    def search(self):
        name = next((n for n, f in self.filters.items() if isinstance(f, Search)), None)
        return self.form[name] if name else None

    @property
    def panel(self) -> list:
        shown = [f for f in self.form if not isinstance(self.filters[f.name], Search)]
        return [f for f in shown if f.name not in self.quiet or self._is_given(f.name)]

    def _is_given(self, name: str) -> bool:
        params = _params(name, self.form.fields[name])
        return any(self.form.data.get(param) for param in params)

    @property
    def cleared(self) -> dict[str, None]:
        """The parameters that an address without any filter lacks."""
        return {p: None for chip in self.chips for p in chip.params}

    @property
    def chips(self) -> list[Chip]:
        """The filters in force, in words. Only what is valid is in force."""
        cleaned = getattr(self.form, "cleaned_data", {})
        found = []
        for name, value in cleaned.items():
            if value in (None, "", [], ()) or (hasattr(value, "exists") and not value):
                continue
            field = self.form.fields[name]
            found.append(Chip(field.label or name, _words(field, value), _params(name, field)))
        return found


def _words(field: forms.Field, value: Any) -> str:
    if isinstance(value, slice):
        start, end = (d.date().isoformat() if d else "" for d in (value.start, value.stop))
        return f"{start} 至 {end}".strip()
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, list | tuple | QuerySet):
        return "、".join(_words(field, v) for v in value)
    labels = dict(getattr(field, "choices", ()) or ()) if isinstance(value, str) else {}
    return str(labels.get(value, value))


def _params(name: str, field: forms.Field) -> tuple[str, ...]:
    suffixes = getattr(field.widget, "suffixes", None)
    return tuple(f"{name}_{s}" for s in suffixes) if suffixes else (name,)
