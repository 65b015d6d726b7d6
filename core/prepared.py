"""Queries of a fixed shape, compiled once a process and database, and asked with other values each time.

What every page asks (the grants of a person, the views of a list) takes Django longer to put into words
than PostgreSQL to answer::

    _in_force = Prepared(lambda user, day: Grant.objects.in_force(day).filter(user=user))
    _in_force(user=7, day=date(2026, 11, 26))  # a list of grants

The values may be whole numbers, dates and text, and the shape must not depend on them. Where it does
depend on something, as a list's on what a person reaches, the words are kept under that (`Worded`)::

    _pages = Worded()
    _pages.rows((reach, size), lambda after: seen.filter(pk__lt=after).values_list(…)[:size], after=7)
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

from django.core.exceptions import EmptyResultSet
from django.db import connections, models, router
from django.db.models.query import get_related_populators

_STAND_INS = {
    int: lambda n: 987_654_321_000 + n,
    str: lambda n: f"\x7fstands-for-{n}",
    date: lambda n: date(1, 1, 1 + n),
}


class _Plan(NamedTuple):
    compiler: Any
    sql: str
    params: tuple  # a value, or a `_Place`
    converters: dict  # of columns that Python holds otherwise than the database, by position


class _Place(NamedTuple):
    name: str
    as_text: bool  # as SQLite keeps a date


def _worded(rows: models.QuerySet, stand_ins: dict[str, Any]) -> _Plan:
    """`rows` in words, with the places where the values stand. Raises `ValueError` for a value that
    is none of the parameters, `EmptyResultSet` for what can have no rows."""
    compiler = rows.query.get_compiler(rows.db)
    sql, params = compiler.as_sql()
    places = {value: _Place(name, as_text=False) for name, value in stand_ins.items()}
    places |= {str(v): _Place(n, as_text=not isinstance(v, str)) for n, v in stand_ins.items()}
    found = tuple(places.get(param, param) for param in params)
    if {p.name for p in found if isinstance(p, _Place)} != set(stand_ins):
        raise ValueError(f"a value of {sorted(stand_ins)} is not among the parameters of {sql}")
    columns = [column[0] for column in compiler.select[: compiler.col_count]]
    return _Plan(compiler, sql, found, compiler.get_converters(columns))


def _answer(plan: _Plan, values: dict[str, Any]) -> Iterable[Sequence[Any]]:
    params = [
        (str(values[p.name]) if p.as_text else values[p.name]) if isinstance(p, _Place) else p
        for p in plan.params
    ]
    with connections[plan.compiler.using].cursor() as cursor:
        cursor.execute(plan.sql, params)
        rows = cursor.fetchall()
    return plan.compiler.apply_converters(rows, plan.converters) if plan.converters else rows


def _stand_ins(values: dict[str, Any]) -> dict[str, Any]:
    return {name: _STAND_INS[type(value)](n) for n, (name, value) in enumerate(values.items())}


class Prepared:
    """`build` makes the queryset of named values."""

    def __init__(self, build: Callable[..., models.QuerySet]) -> None:
        self._build = build
        self._model: type[models.Model] | None = None  # known with the first plan
        self._plans: dict[tuple[str, tuple], _Plan] = {}  # by database and kinds of values

    def __call__(self, **values: Any) -> list[models.Model]:
        """The rows, with the relations and annotations that the queryset names. One query."""
        kinds = tuple((name, type(value)) for name, value in values.items())
        # Asked anew each time: the standby may be read now, and gone or too old with the next page.
        using = router.db_for_read(self._model) if self._model else ""
        plan = self._plans.get((using, kinds)) or self._plan(kinds, values)
        return self._models(plan.compiler, _answer(plan, values))

    def _plan(self, kinds: tuple, values: dict[str, Any]) -> _Plan:
        stand_ins = _stand_ins(values)
        rows = self._build(**stand_ins)
        plan = _worded(rows, stand_ins)
        self._model = rows.model
        return self._plans.setdefault((plan.compiler.using, kinds), plan)

    @staticmethod
    def _models(compiler: Any, rows: Any) -> list[models.Model]:
        """As Django's own ModelIterable makes them."""
        info, select = compiler.klass_info, compiler.select
        first, last = info["select_fields"][0], info["select_fields"][-1] + 1
        names = [field[0].target.attname for field in select[first:last]]
        related = get_related_populators(info, select, compiler.using)
        made = []
        for row in rows:
            obj = info["model"].from_db(compiler.using, names, row[first:last])
            for populator in related:
                populator.populate(row, obj)
            for name, at in compiler.annotation_col_map.items():
                setattr(obj, name, row[at])
            made.append(obj)
        return made


class Worded:
    """Rows of values, in words that are kept by what they follow from; the `MOST` last used."""

    MOST = 256

    def __init__(self) -> None:
        self._plans: OrderedDict[Hashable, _Plan] = OrderedDict()

    def rows(
        self, key: Hashable, build: Callable[..., models.QuerySet], **values: Any
    ) -> list[Sequence[Any]]:
        """What ``build(**values)`` gives, a `values_list`. `build` is not called where the words are
        known: equal keys must mean equal words, the model and every choice in them included."""
        # Taken out and put back last, each in one step: another thread may be at it.
        plan = self._plans.pop(key, None)
        if plan is None:
            stand_ins = _stand_ins(values)
            try:
                plan = _worded(build(**stand_ins), stand_ins)
            except EmptyResultSet:
                return []
        if len(self._plans) >= self.MOST:
            self._plans.popitem(last=False)
        self._plans[key] = plan
        return list(_answer(plan, values))
