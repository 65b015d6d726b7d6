"""Filters of the lists: django-filter with the search box and the chips that every list has.

::

    class UnitFilter(FilterSet):
        q = Search(fields=("name__icontains", "initials__startswith", "credit_code__startswith"))

        class Meta:
            model = Unit
            fields = ("kind", "state")

Each choice says how many rows it would give, and that costs nothing to declare: see `FilterSet.count`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from functools import cached_property, reduce
from itertools import compress
from operator import or_
from typing import Any, NamedTuple

import django_filters
from django import forms
from django.db.models import F, Model, Q, QuerySet

from core import counting
from core.flags import flag


class Chip(NamedTuple):
    """A filter in force: what it says, and the parameters that its removal takes away."""

    name: str
    label: str
    value: str
    params: tuple[str, ...]


class Search(django_filters.CharFilter):
    """One box over several lookups. Each word must match somewhere; latin letters in lower case,
    as pinyin and initials are kept. `folds`: the lookups see to the case themselves, so that one
    spelling of a word is enough."""

    def __init__(
        self,
        *,
        fields: Sequence[str],
        label: str = "搜索",
        hint: str = "",
        folds: bool = False,
        **kwargs: Any,
    ):
        self.lookups, self.folds = tuple(fields), folds
        widget = forms.TextInput(attrs={"type": "search", "placeholder": hint, "maxlength": 60})
        super().__init__(label=label, widget=widget, max_length=60, **kwargs)

    def filter(self, qs: QuerySet, value: str) -> QuerySet:
        for word in (value or "").split()[:5]:
            variants = {word} if self.folds else {word, word.lower(), word.upper()}
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


class CaseFilter(django_filters.ChoiceFilter):
    """Choices that are conditions and no values of a column. `case` names the method of the
    filterset that says in a `Q` what a choice stands for::

        left = CaseFilter(label="在册", choices=[("no", "在册"), ("yes", "已注销")], case="has_left")

        def has_left(self, value: str) -> Q:
            return Q(left_on__isnull=value == "no")
    """

    def __init__(self, *, case: str, **kwargs: Any) -> None:
        self.case = case
        super().__init__(**kwargs)

    def condition(self, value: str) -> Q:
        return getattr(self.parent, self.case)(value)

    def filter(self, qs: QuerySet, value: str) -> QuerySet:
        return qs.filter(self.condition(value)) if value else qs


class _Filters(dict):
    """The filters of a class: a filterset takes copies of them, but not of the choices they hold."""

    def __deepcopy__(self, memo: dict) -> dict[str, django_filters.Filter]:
        return {name: self._own(one) for name, one in self.items()}

    @staticmethod
    def _own(one: django_filters.Filter) -> django_filters.Filter:
        own = copy(one)
        own.extra = dict(one.extra)
        # The API's schema asks the class's own filters for their fields, which it keeps; they
        # know no model, so that the name of the column would be None on every list from then on.
        vars(own).pop("_field", None)
        own.method = one.method  # which holds the filter that it filters for
        return own


class _Fresh(dict):
    """Fields that were made for one form alone: it need not take copies of them."""

    def __deepcopy__(self, memo: dict) -> dict[str, forms.Field]:
        return dict(self)


class FilterSet(django_filters.FilterSet):
    """`search` is the box in the list's head; the others stand in the panel.

    quiet: names of filters that links lead to (from a chart); they stand in the panel, and are
        counted, only while in force.
    private: names of filters whose value is personal (a phone number): it is kept nowhere, neither
        in a saved view nor in what a job or the log of exports remembers.
    """

    quiet: Sequence[str] = ()
    private: Sequence[str] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for one in self.filters.values():
            if isinstance(one, django_filters.ChoiceFilter):
                one.extra.setdefault("empty_label", "全部")
        self._labels: dict[str, dict[str, str]] = {}
        self.counted: int | None = None

    @classmethod
    def get_filters(cls) -> dict[str, django_filters.Filter]:
        return _Filters(super().get_filters())

    def get_form_class(self) -> type[forms.Form]:
        made = super().get_form_class()
        made.base_fields = _Fresh(made.base_fields)
        return made

    @property
    def search(self):
        name = next((n for n, f in self.filters.items() if isinstance(f, Search)), None)
        return self.form[name] if name else None

    @property
    def panel(self) -> list:
        shown = [f for f in self.form if not isinstance(self.filters[f.name], Search)]
        return [f for f in shown if self._stands(f.name)]

    def _stands(self, name: str) -> bool:
        """Whether the panel shows the filter: a quiet one only while it is in force."""
        params = _params(name, self.form.fields[name])
        return name not in self.quiet or any(self.form.data.get(param) for param in params)

    @property
    def choices(self) -> list:
        """The fields of the panel whose choices are counted."""
        return [self.form[name] for name in self._counted]

    @property
    def in_panel(self) -> int:
        """How many filters of the panel are in force."""
        return sum(not isinstance(self.filters[c.name], Search) for c in self.chips)

    @property
    def cleared(self) -> dict[str, None]:
        """The parameters that an address without any filter lacks."""
        return {p: None for chip in self.chips for p in chip.params}

    @property
    def params(self) -> list[str]:
        """The parameters of an address that a saved view may keep."""
        fields = self.form.fields.items()
        return [p for name, f in fields if name not in self.private for p in _params(name, f)]

    @property
    def is_private(self) -> bool:
        """Whether something personal is asked for."""
        return bool(set(self.private) & set(self._values))

    @property
    def chips(self) -> list[Chip]:
        """The filters in force, in words. Only what is valid is in force."""
        found = []
        for name, value in self._values.items():
            field = self.form.fields[name]
            labels = self._labels.get(name)
            said = _words(field, value) if labels is None else labels.get(value, value)
            found.append(Chip(name, field.label or name, said, _params(name, field)))
        return found

    @cached_property
    def _values(self) -> dict[str, Any]:
        """What is asked for and valid, by name."""
        self.form.is_valid()
        cleaned = getattr(self.form, "cleaned_data", {})
        return {
            name: value
            for name, value in cleaned.items()
            if value not in (None, "", [], ()) and (not hasattr(value, "exists") or value)
        }

    # -- numbers

    @cached_property
    def _counted(self) -> dict[str, django_filters.ChoiceFilter]:
        """Those whose choices can be counted: a column's values, or conditions."""
        model = self.queryset.model
        return {
            name: one
            for name, one in self.filters.items()
            if self._stands(name)
            and (
                isinstance(one, CaseFilter)
                or (isinstance(one, django_filters.ChoiceFilter) and _is_column(model, one))
            )
        }

    def count(self, limit: int) -> int | None:
        """How many rows there are as filtered, and into the label of each choice, how many it
        would give beside the other filters in force.

        One look at no more than `limit` rows, in place of the query that counts them
        (`core.counting`). None, and no numbers, when there are more: half a count would mislead.
        `counted` says then how many there are, up to one more than the limit, if it is known.
        """
        counted, chosen = self._counted, self._values
        if not counted:
            return None
        rows = self.queryset.all()
        for name in chosen:
            if name not in counted:
                rows = self.filters[name].filter(rows, chosen[name])
        marks = {name: self._mark(name, one) for name, one in counted.items()}
        wanted = {name: value for name, value in chosen.items() if name in counted}
        found = counting.numbers(rows, marks, wanted, limit)
        if isinstance(found, counting.TooMany):
            self.counted = found.counted
            return None
        for name in counted:
            self._label(name, {v: n for (of, v), n in found.by_choice.items() if of == name})
        return found.shown

    def _options(self, name: str) -> dict[str, str]:
        """The choices of a filter without the one that means all."""
        choices = self.form.fields[name].choices
        return {str(value): label for value, label in choices if value not in (None, "")}

    def _mark(self, name: str, one: django_filters.ChoiceFilter) -> counting.Mark:
        """What each row carries into the count."""
        if not isinstance(one, CaseFilter):
            return counting.Mark({f"counted_{name}": F(one.field_name)}, _as_choice)
        values = list(self._options(name))
        asked = self.queryset
        cases = {
            f"counted_{name}_{n}": flag(asked.model, one.condition(value), using=asked.db)
            for n, value in enumerate(values)
        }
        return counting.Mark(cases, lambda held: list(compress(values, held)))

    def _label(self, name: str, numbers: Mapping[str, int]) -> None:
        field = self.form.fields[name]
        self._labels[name] = options = self._options(name)
        field.empty_label = f"{field.empty_label}（{numbers[counting.ALL]:,}）"
        field.choices = [
            (value, f"{label}（{numbers.get(value, 0):,}）") for value, label in options.items()
        ]


def _as_choice(read: Sequence[Any]) -> tuple[str]:
    """A column's value as the address has it."""
    return (str(read[0]),)


def _is_column(model: type[Model], one: django_filters.Filter) -> bool:
    """Whether the filter compares a column of the row itself, or of one it points to."""
    if isinstance(one, django_filters.ModelChoiceFilter) or one.method or one.exclude:
        return False
    if one.distinct or one.lookup_expr != "exact":
        return False
    *links, last = one.field_name.split("__")
    for link in links:
        found = model._meta.get_field(link)
        if not (found.many_to_one or found.one_to_one) or not found.concrete:
            return False
        model = found.related_model
    return any(f.name == last for f in model._meta.concrete_fields)


def _words(field: forms.Field, value: Any) -> str:
    if isinstance(value, slice):
        start, end = (d.date().isoformat() if d else "" for d in (value.start, value.stop))
        return f"{start} 至 {end}".strip()
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, list | tuple | QuerySet):
        return "、".join(_words(field, v) for v in value)
    # Only gone through: choices that a function gives have no length, nor any truth.
    labels = dict(getattr(field, "choices", ())) if isinstance(value, str) else {}
    return str(labels.get(value, value))


def _params(name: str, field: forms.Field) -> tuple[str, ...]:
    suffixes = getattr(field.widget, "suffixes", None)
    return tuple(f"{name}_{s}" for s in suffixes) if suffixes else (name,)
