"""Writes of member units."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction
from django.utils import timezone

from core import audit
from core.errors import Conflict, Refused
from core.scope import require, still_visible
from orgs.credit_code import fault as code_fault
from orgs.enums import STAMPS
from orgs.models import Area, Unit
from orgs.models.placed import stamp_all
from orgs.pinyin import reading

_FIELDS = ("name", "kind", "area", "party_org", "contact_name")
_BATCH = 2000


def register_unit(
    *,
    name: str,
    credit_code: str,
    kind: str,
    area: Area,
    party_org: str = "",
    contact_name: str = "",
    by: Any,
) -> Unit:
    """Register a unit that lies in `area`. Raises `Refused` on a wrong code or place, or when the
    code is registered already; `by=None` is the system."""
    values = {"name": name, "kind": kind, "party_org": party_org, "contact_name": contact_name}
    with transaction.atomic():
        unit = Unit(credit_code=_clean_code(credit_code), area=_fit(area))
        _set(unit, values)
        unit.stamp()
        _allow(by, unit)
        _save_once(unit)
        _stay(unit, by)
        audit.record("orgs.unit.register", unit, by=by, after=audit.snapshot(unit))
    return unit


def update_unit(*, unit: Unit, by: Any, **values: Any) -> Unit:
    """Change what is named in `values` (`name`, `credit_code`, `kind`, `area`, `party_org`,
    `contact_name`). To another place only by who may register units there as well."""
    unknown = set(values) - {*_FIELDS, "credit_code"}
    if unknown:
        raise TypeError(f"update_unit does not set {sorted(unknown)}")
    with transaction.atomic():
        unit = Unit.objects.select_for_update(of=("self",)).select_related("area").get(pk=unit.pk)
        _allow(by, unit)
        before = audit.snapshot(unit)
        if "credit_code" in values:
            unit.credit_code = _clean_code(values.pop("credit_code"))
        area = values.pop("area", None)
        if area is not None and area.pk != unit.area_id:
            unit.area = _fit(area)
            unit.stamp()
            _allow(by, unit)
        _set(unit, values)
        after = audit.snapshot(unit)
        if after == before:
            return unit
        _save_once(unit)
        _stay(unit, by)
        audit.record("orgs.unit.update", unit, by=by, before=before, after=after)
    return unit


def _set(unit: Unit, values: Mapping[str, str]) -> None:
    for name, value in values.items():
        setattr(unit, name, value.strip())
    if not unit.name:
        raise Refused("单位名称不能为空。", field="name")
    _spell(unit)


def _clean_code(text: str) -> str:
    code = text.strip().upper()
    if why := code_fault(code):
        raise Refused(f"统一社会信用代码{why}。", field="credit_code")
    return code


def _fit(area: Area) -> Area:
    area = Area.objects.get(pk=area.pk)
    if not area.is_active:
        raise Refused(f"“{area.name}”已于 {area.valid_to} 撤销，请另选。", field="area")
    return area


def _save_once(unit: Unit) -> None:
    try:
        with transaction.atomic():
            unit.save()
    except IntegrityError as error:
        raise Refused(
            f"统一社会信用代码 {unit.credit_code} 已登记过单位，请核对；"
            "单位若已登记在别处，请由该处修改所在地。",
            field="credit_code",
        ) from error


def _allow(by: Any, unit: Unit) -> None:
    if by is not None:
        require(by, "units.edit", unit)


def _stay(unit: Unit, by: Any) -> None:
    if by is not None:
        still_visible(unit, by, "units.edit")


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
