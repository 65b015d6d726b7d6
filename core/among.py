"""Whether a value is among thousands of others.

::

    rows.alias(place=Coalesce("community_id", "street_id")).filter(Among("place", ids))
    Unit.objects.filter(Among("credit_code", codes))

`__in` makes each of them a parameter, which takes Django longer than the database to look at them: here
they are one, however many.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.models import BooleanField, F, Func

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\""})


class Among(Func):
    """A condition: `name`, a field or an annotation, is one of `values`, all of them whole numbers
    or all of them texts; null is not."""

    output_field = BooleanField()
    conditional = True
    empty_result_set_value = False  # among none: nothing is asked

    def __init__(self, name: str, values: Iterable[int] | Iterable[str]) -> None:
        super().__init__(F(name))
        self.values = list(values)
        self.of_text = bool(self.values) and isinstance(self.values[0], str)
        if not self.of_text:
            self.values = list(map(int, self.values))

    def as_sql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, list]:
        """SQLite: the values as a JSON array."""
        self._check()
        sql, params = compiler.compile(self.source_expressions[0])
        chosen = "(SELECT value FROM json_each(%s))"
        return f"{sql} IN {chosen}", [*params, json.dumps(self.values)]

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, list]:
        self._check()
        sql, params = compiler.compile(self.source_expressions[0])
        if self.of_text:
            said, kind = f'"{self._texts()}"', "text"
        else:
            said, kind = ",".join(map(str, self.values)), "bigint"
        return f"{sql} = ANY (%s::{kind}[])", [*params, f"{{{said}}}"]

    def _texts(self) -> str:
        """The texts between their quotes: escaped only where one of them needs it, as hardly any do."""
        said = '","'.join(self.values)
        if "\\" in said or said.count('"') > 2 * len(self.values) - 2:
            said = '","'.join([value.translate(_ESCAPES) for value in self.values])
        return said

    def _check(self) -> None:
        if not self.values:
            raise EmptyResultSet
