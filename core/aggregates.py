"""Aggregates that both engines have, under different names."""

from __future__ import annotations

from typing import Any

from django.db.models import Aggregate, CharField, Value


class TextList(Aggregate):
    """The values of a group in one text: ``TextList("unit__name", order_by="id")`` → 甲、乙、丙.

    SQLite before 3.44 cannot order inside the aggregate; it joins in reading order, which for a
    subquery correlated on an indexed foreign key is the order of the rows' ids.
    """

    name = "TextList"
    output_field = CharField()

    def __init__(self, expression: Any, *, order_by: str, separator: str = "、") -> None:
        super().__init__(expression, Value(separator), order_by)

    def as_sql(self, compiler, connection, **extra):
        return self._joined(compiler, "STRING_AGG(%s, %s ORDER BY %s)", 3)

    def as_sqlite(self, compiler, connection, **extra):
        return self._joined(compiler, "GROUP_CONCAT(%s, %s)", 2)

    def _joined(self, compiler, template: str, count: int):
        parts = [compiler.compile(e) for e in self.get_source_expressions()[:count]]
        return template % tuple(sql for sql, _ in parts), [p for _, ps in parts for p in ps]
