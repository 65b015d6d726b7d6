"""Whether a whole number is among thousands of others.

::

    rows.alias(place=Coalesce("community_id", "street_id")).filter(Among("place", ids))

`__in` makes each number a parameter, which takes Django longer than the database to look at them: here
they are one. For columns and expressions of whole numbers.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.db.models import BooleanField, F, Func


class Among(Func):
    """A condition: `name`, a field or an annotation, is one of `numbers`; null is not."""

    output_field = BooleanField()
    conditional = True

    def __init__(self, name: str, numbers: Iterable[int]) -> None:
        super().__init__(F(name))
        self.numbers = [int(number) for number in numbers]

    def as_sql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, list]:
        """SQLite: the numbers as a JSON array."""
        sql, params = compiler.compile(self.source_expressions[0])
        chosen = "(SELECT value FROM json_each(%s))"
        return f"{sql} IN {chosen}", [*params, json.dumps(self.numbers)]

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, list]:
        sql, params = compiler.compile(self.source_expressions[0])
        numbers = "{" + ",".join(map(str, self.numbers)) + "}"
        return f"{sql} = ANY (%s::bigint[])", [*params, numbers]
