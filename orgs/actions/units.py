"""Writes of member units."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction
from django.utils import timezone

from core import audit
from core.errors import Conflict, Refused
from core.scope import require
from orgs.enums import STAMPS
from orgs.models import Unit
from orgs.models.placed import stamp_all
from orgs.pinyin import reading

_FIELDS = ("name", "kind", "area", "party_org", "contact_name")
_BATCH = 2000


class Upserted(NamedTuple):
    created: int
    changed: int


def upsert_units(*, rows: Iterable[Mapping[str, Any]], by: Any) -> Upserted:
    """Register units, or change those already registered under their credit code: a register
    that was checked row by row (orgs/sheets.py). All or none.

    Each row has `credit_code`, and of the other fields those that are to be set; a new unit needs
    `name`, `kind` and `area`. Raises `PermissionDenied` when a unit lies, or would lie, beyond the
    reach of `by`; `Refused` when one code comes twice, `Conflict` when somebody else was first.
    """
    by_code = _by_code(rows)
    with transaction.atomic():
        known = _hold(list(by_code))
        before = {}
        units = []
        for code, row in by_code.items():
            unit = known.get(code) or Unit(credit_code=code)
            if unit.pk:
                require(by, "units.edit", unit)
                before[code] = audit.snapshot(unit)
            for name in _FIELDS:
                if name in row:
                    setattr(unit, name, row[name])
            _spell(unit)
            units.append(unit)
        stamp_all(units)
        for unit in units:
            require(by, "units.edit", unit)
        _create([unit for unit in units if unit.pk is None])
        _change([unit for unit in units if unit.credit_code in before])
        audit.record_many(
            "orgs.unit.import",
            [audit.Entry(u, before.get(u.credit_code, {}), audit.snapshot(u)) for u in units],
            by=by,
        )
    return Upserted(len(units) - len(before), len(before))


def _by_code(rows: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        code = row["credit_code"]
        if code in found:
            raise Refused(f"统一社会信用代码 {code} 出现了两次，没有写入。")
        found[code] = row
    return found


def _hold(codes: list[str]) -> dict[str, Unit]:
    """The registered units among these codes, locked until the end, always in one order."""
    found: dict[str, Unit] = {}
    for start in range(0, len(codes), _BATCH):
        batch = Unit.objects.filter(credit_code__in=codes[start : start + _BATCH])
        found |= {u.credit_code: u for u in batch.select_for_update(of=("self",)).order_by("pk")}
    return found


def _spell(unit: Unit) -> None:
    said = reading(unit.name)
    unit.pinyin, unit.initials = said.full[:400], said.initials[:120]


def _create(units: list[Unit]) -> None:
    try:
        with transaction.atomic():
            Unit.objects.bulk_create(units, batch_size=_BATCH)
    except IntegrityError as error:
        raise Conflict("有单位刚刚由他人登记，没有写入。请重新检查后再确认。") from error


def _change(units: list[Unit]) -> None:
    """One statement a batch, found by the code: the rows are locked, so each is there."""
    now = timezone.now()
    rows = []
    for unit in units:
        unit.updated_at = now
        row = Unit(**{f.attname: getattr(unit, f.attname) for f in Unit._meta.concrete_fields})
        row.pk = None
        rows.append(row)
    Unit.objects.bulk_create(
        rows,
        batch_size=_BATCH,
        update_conflicts=True,
        unique_fields=["credit_code"],
        update_fields=[*_FIELDS, *STAMPS, "pinyin", "initials", "updated_at"],
    )
