"""How the text of the lists is searched: any part of it, found by its pairs of characters.

Chinese words are two characters long, too short for PostgreSQL's trigrams. A GIN index holds every
pair that stands in a row (`services_pairs`, migration 0003); a word is looked up by its own pairs and then
compared as it stands. SQLite, and a word of one character, do with the comparison alone.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Lookup

from core.planner import Way, way_of

# Every pair is read off the text cut in two from its first and from its second character on; what is
# left over at an end is a key that nobody asks for.
# COST: dear, as it is in truth, so that no plan asks it of row after row.
CREATE = r"""
CREATE FUNCTION services_pairs(text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 100 AS $$
  SELECT string_to_array(regexp_replace($1, '(..)', E'\\1\x01', 'g'), E'\x01')
      || string_to_array(regexp_replace(substr($1, 2), '(..)', E'\\1\x01', 'g'), E'\x01')
$$
"""
DROP = "DROP FUNCTION services_pairs(text)"
INDEXES = {
    "item_search_pairs": "services_pairs(search)",
    "item_title_pairs": "services_pairs(lower(title))",
    "item_initials_pairs": "services_pairs(' ' || initials)",
}


class _Paired(Lookup):
    """A part of the column's text, which the index holds as `indexed` says."""

    indexed = "{}"
    before = ""  # stands in front of what is looked for

    def get_prep_lookup(self) -> str:
        return self.before + str(self.rhs).lower()

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list]:
        column, params = self._column(compiler)
        operator = connection.operators["contains"]
        pattern = f"%{connection.ops.prep_for_like_query(self.rhs)}%"
        return f"{column} {operator}", [*params, pattern]

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list]:
        if len(self.rhs) < 2:
            return self.as_sql(compiler, connection)
        column, own = self._column(compiler)
        pairs = sorted({self.rhs[n : n + 2] for n in range(len(self.rhs) - 1)})
        # Not by LIKE: the planner would take its rows for a part of those that have the pairs.
        stands, has_pairs = f"strpos({column}, %s) <> 0", f"services_pairs({column}) @> %s"
        match way_of(compiler):
            case Way.EACH:
                return stands, [*own, self.rhs]
            case Way.ALL if len(self.rhs) == 2:  # one pair, and no more to compare
                return has_pairs, [*own, pairs]
        # The comparison first: where a plan reads row after row, the pairs of few are asked for.
        return f"({stands} AND {has_pairs})", [*own, self.rhs, *own, pairs]

    def _column(self, compiler: Any) -> tuple[str, list]:
        column, params = compiler.compile(self.lhs)
        return self.indexed.format(column), list(params)


class Holds(_Paired):
    """``search__holds="理发"``: a text that is kept in lower case has this part somewhere."""

    lookup_name = "holds"


class Named(_Paired):
    """``title__named="WiFi"``: a name has this part somewhere, Latin letters in any case."""

    lookup_name = "named"
    indexed = "lower({})"


class Typed(_Paired):
    """``initials__typed="axlf"``: one of the readings, a space between them, begins so."""

    lookup_name = "typed"
    indexed = "(' ' || {})"
    before = " "
