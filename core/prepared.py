"""Queries of a fixed shape, compiled once a process and database, and asked with other values each time.

What every page asks (the grants of a person, the views of a list) takes Django longer to put into words
than PostgreSQL to answer::

    _in_force = Prepared(lambda user, day: Grant.objects.in_force(day).filter(user=user))
    _in_force(user=7, day=date(2026, 11, 26))  # a list of grants

The values may be whole numbers, dates and text, and the shape must not depend on them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, NamedTuple

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


class _Place(NamedTuple):
    name: str
    as_text: bool  # as SQLite keeps a date


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
        plan = self._plans.get((using, kinds)) or self._plan(kinds)
        params = [
            (str(values[p.name]) if p.as_text else values[p.name]) if isinstance(p, _Place) else p
            for p in plan.params
        ]
        compiler = plan.compiler
        with connections[compiler.using].cursor() as cursor:
            cursor.execute(plan.sql, params)
            rows = cursor.fetchall()
        return self._models(compiler, compiler.results_iter([rows]))

    def _plan(self, kinds: tuple) -> _Plan:
        stand_ins = {name: _STAND_INS[kind](n) for n, (name, kind) in enumerate(kinds)}
        rows = self._build(**stand_ins)
        compiler = rows.query.get_compiler(rows.db)
        sql, params = compiler.as_sql()
        places = {value: _Place(name, as_text=False) for name, value in stand_ins.items()}
        places |= {str(v): _Place(n, as_text=not isinstance(v, str)) for n, v in stand_ins.items()}
        found = tuple(places.get(param, param) for param in params)
        if {p.name for p in found if isinstance(p, _Place)} != set(stand_ins):
            raise ValueError(f"a value of {sorted(stand_ins)} is not among the parameters of {sql}")
        self._model = rows.model
        key = router.db_for_read(rows.model), kinds
        return self._plans.setdefault(key, _Plan(compiler, sql, found))

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
