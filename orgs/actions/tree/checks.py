"""Hold the derived parts of the tree against the parent links, and derive them afresh."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import F, Q
from django.utils import timezone

from core import audit
from orgs.actions.tree import history, numbers
from orgs.actions.tree.lock import tree_action
from orgs.actions.tree.stamps import placed_models
from orgs.enums import BEGINNING, STAMPS, AreaKind, AreaState
from orgs.models import Area, AreaHistory

_AREA = Area._meta.db_table
_HISTORY = AreaHistory._meta.db_table


class Fault(NamedTuple):
    """One broken node or fact. `by_hand`: the parent links themselves are wrong, and they are
    the truth that everything else is derived from."""

    where: str
    why: str
    by_hand: bool = False


def faults() -> Iterator[Fault]:
    """Everything about the tree that does not follow from the parent links."""
    yield from _links()
    yield from _numbers()
    yield from _stamps()
    yield from _history()
    yield from _facts()


@tree_action
def rebuild(*, by: Any = None) -> list[Fault]:
    """Derive numbers, stamps and open history rows from the parent links, set-based, and restamp
    the facts. Returns what remains, which is for people to put right."""
    found = list(faults())
    numbers.renumber()
    _restamp_areas()
    for model in placed_models():
        _execute(
            f"UPDATE {model._meta.db_table} AS f SET {_assign('a')} FROM {_AREA} a "
            f"WHERE f.area_id = a.id AND ({_differ('f', 'a')})"
        )
    _chain_history()
    history.follow(Area.objects.all(), timezone.localdate())
    for city in Area.objects.filter(parent=None):
        audit.record("orgs.tree.rebuild", city, by=by, after={"faults": len(found)})
    return list(faults())


def _links() -> Iterator[Fault]:
    lost = f"""
        WITH RECURSIVE reached(id) AS (
            SELECT id FROM {_AREA} WHERE parent_id IS NULL
            UNION
            SELECT a.id FROM {_AREA} a JOIN reached r ON a.parent_id = r.id
        )
        SELECT code, name FROM {_AREA} WHERE id NOT IN (SELECT id FROM reached) ORDER BY code
    """
    for row in _rows(lost):
        yield Fault(_label(*row), "沿上级找不到城市（上级成环），须人工改正上级", by_hand=True)
    for kind in AreaKind:
        wrong = Area.objects.filter(kind=kind, parent__isnull=False)
        for row in wrong.exclude(parent__kind=kind.parent_kind).values_list("code", "name"):
            yield Fault(_label(*row), "上级的层级不对，须人工改正上级", by_hand=True)
    below = Area.objects.active().filter(parent__state=AreaState.RETIRED)
    for row in below.values_list("code", "name"):
        yield Fault(_label(*row), "仍在使用，上级却已撤销，须移走或撤销", by_hand=True)


def _numbers() -> Iterator[Fault]:
    roots = Area.objects.filter(parent=None)
    for row in roots.exclude(level=0, tree_id=F("pk")).values_list("code", "name"):
        yield Fault(_label(*row), "城市的层次或树号不对")
    for row in Area.objects.filter(lft__gte=F("rght")).values_list("code", "name"):
        yield Fault(_label(*row), "左右值颠倒")
    below = Area.objects.filter(parent__isnull=False)
    wrong = {
        "层次与上级不衔接": ~Q(level=F("parent__level") + 1),
        "树号与上级不同": ~Q(tree_id=F("parent__tree_id")),
        "左右值不在上级之内": Q(lft__lte=F("parent__lft")) | Q(rght__gte=F("parent__rght")),
    }
    for why, condition in wrong.items():
        for row in below.filter(condition).values_list("code", "name"):
            yield Fault(_label(*row), why)
    neighbours = f"""
        SELECT code, name, before_rght >= lft FROM (
            SELECT code, name, lft,
                lag(rght) OVER siblings AS before_rght, lag(code) OVER siblings AS before_code
            FROM {_AREA} WHERE parent_id IS NOT NULL
            WINDOW siblings AS (PARTITION BY parent_id ORDER BY lft, id)
        ) s WHERE before_rght >= lft OR before_code > code
    """
    for code, name, overlaps in _rows(neighbours):
        yield Fault(
            _label(code, name), "与同级的左右值重叠" if overlaps else "没有按代码排在同级中"
        )


def _stamps() -> Iterator[Fault]:
    for where, condition in _wrong_stamps():
        for row in _rows(f"SELECT a.code, a.name FROM {where} WHERE {condition}"):
            yield Fault(_label(*row), "各级所属与上级链不符")


def _wrong_stamps() -> Iterator[tuple[str, str]]:
    """Per kind, and for merged nodes: tables and the condition under which stamps are wrong."""
    merged = f"{_AREA} a JOIN {_AREA} s ON s.id = a.successor_id"
    yield merged, _differ("a", "s")
    for kind in AreaKind:
        table = f"{_AREA} a LEFT JOIN {_AREA} p ON p.id = a.parent_id"
        wrong = " OR ".join(
            f"a.{column} {_distinct()} {value}" for column, value in _derived(kind).items()
        )
        yield table, f"a.kind = '{kind.value}' AND a.successor_id IS NULL AND ({wrong})"


def _derived(kind: AreaKind) -> dict[str, str]:
    """SQL of each stamp of a `kind` from its own row `a` and its parent's row `p`."""
    kinds = list(AreaKind)
    derived = {}
    for level in STAMPS:
        gap = kinds.index(AreaKind(level)) - kinds.index(kind)
        above = f"p.{level}_id" if gap < 0 else "NULL"
        derived[f"{level}_id"] = "a.id" if gap == 0 else above
    return derived


def _restamp_areas() -> None:
    """From the city down: a level's own nodes from their parents, then those merged into them."""
    for kind in AreaKind:
        own = ", ".join(
            f"{column} = {value.replace('a.id', f'{_AREA}.id')}"
            for column, value in _derived(kind).items()
        )
        if kind is AreaKind.CITY:
            _execute(f"UPDATE {_AREA} SET {own} WHERE kind = %s", [kind])
        else:
            _execute(
                f"UPDATE {_AREA} SET {own} FROM {_AREA} p WHERE p.id = {_AREA}.parent_id "
                f"AND {_AREA}.kind = %s AND {_AREA}.successor_id IS NULL",
                [kind],
            )
        for _ in range(Area.objects.filter(kind=kind, successor__isnull=False).count()):
            wrong = f"s.id = a.successor_id AND a.kind = %s AND ({_differ('a', 's')})"
            if not _rows(f"SELECT a.id FROM {_AREA} a JOIN {_AREA} s ON {wrong} LIMIT 1", [kind]):
                break
            _execute(f"UPDATE {_AREA} AS a SET {_assign('s')} FROM {_AREA} s WHERE {wrong}", [kind])


def _history() -> Iterator[Fault]:
    current = " OR ".join(f"h.{c} {_distinct()} a.{c}" for c in history.COPIED)
    checks = {
        "没有现行的沿革记录": f"SELECT a.code, a.name FROM {_AREA} a WHERE NOT EXISTS "
        f"(SELECT 1 FROM {_HISTORY} h WHERE h.area_id = a.id AND h.valid_to IS NULL)",
        "现行的沿革记录与现状不符": f"SELECT a.code, a.name FROM {_AREA} a JOIN {_HISTORY} h "
        f"ON h.area_id = a.id AND h.valid_to IS NULL WHERE {current}",
    }
    for why, sql in checks.items():
        for row in _rows(sql):
            yield Fault(_label(*row), why)
    broken = (
        f"SELECT DISTINCT a.code, a.name FROM ({_chain()}) c JOIN {_AREA} a ON a.id = c.area_id"
    )
    begins = connection.ops.adapt_datefield_value(BEGINNING)
    for row in _rows(
        f"{broken} WHERE c.valid_to {_distinct()} c.ends OR (c.first AND c.valid_from <> %s)",
        [begins],
    ):
        yield Fault(_label(*row), "沿革记录前后不相接")


def _chain() -> str:
    """Each history row with the day on which it should end: the eve of the next one."""
    next_ = "lead(valid_from) OVER rows_of_one"
    eve = f"{next_} - 1" if connection.vendor == "postgresql" else f"date({next_}, '-1 day')"
    return (
        f"SELECT id, area_id, valid_from, valid_to, {eve} AS ends, "
        "lag(id) OVER rows_of_one IS NULL AS first "
        f"FROM {_HISTORY} WINDOW rows_of_one AS (PARTITION BY area_id ORDER BY valid_from)"
    )


def _chain_history() -> None:
    chain = f"WITH c AS ({_chain()}) UPDATE {_HISTORY} AS h SET "
    # Close before opening: one open row a node is a constraint that looks at every single row.
    _execute(f"{chain} valid_to = c.ends FROM c WHERE h.id = c.id AND c.ends IS NOT NULL")
    _execute(f"{chain} valid_to = NULL FROM c WHERE h.id = c.id AND c.ends IS NULL")
    begins = connection.ops.adapt_datefield_value(BEGINNING)
    _execute(f"{chain} valid_from = %s FROM c WHERE h.id = c.id AND c.first", [begins])


def _facts() -> Iterator[Fault]:
    for model in placed_models():
        table = model._meta.db_table
        for (pk,) in _rows(
            f"SELECT f.id FROM {table} f JOIN {_AREA} a ON a.id = f.area_id "
            f"WHERE {_differ('f', 'a')} ORDER BY f.id"
        ):
            yield Fault(f"{model._meta.verbose_name} #{pk}", "各级所属与所在地不符")


def _label(code: str, name: str) -> str:
    return f"{code} {name}"


def _distinct() -> str:
    return "IS DISTINCT FROM" if connection.vendor == "postgresql" else "IS NOT"


def _differ(one: str, other: str) -> str:
    return " OR ".join(f"{one}.{level}_id {_distinct()} {other}.{level}_id" for level in STAMPS)


def _assign(source: str) -> str:
    return ", ".join(f"{level}_id = {source}.{level}_id" for level in STAMPS)


def _rows(sql: str, params: list | None = None) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params or [])
        return cursor.fetchall()


def _execute(sql: str, params: list | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params or [])
