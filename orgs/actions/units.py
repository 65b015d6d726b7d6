"""Writes of member units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction
from django.utils import timezone

from core import audit
from core.among import Among
from core.copying import insert_all, maker, update_all
from core.errors import Conflict, Refused
from core.scope import require, require_written, still_visible
from orgs.credit_code import fault as code_fault
from orgs.enums import STAMPS
from orgs.models import Area, Unit
from orgs.models.placed import stamp_all
from orgs.pinyin import reading

_FIELDS = ("name", "kind", "area", "party_org", "contact_name")


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


def upsert_units(
    *, new: Sequence[Mapping[str, Any]], changed: Sequence[Mapping[str, Any]], by: Any
) -> Upserted:
    """Register new units, and change those registered under their credit code: a register that was
    checked row by row (orgs/sheets.py). All or none.

    Each row has `credit_code`, and of the other fields those that are to be set; a new unit needs
    `name`, `kind` and `area`. Raises `PermissionDenied` when a unit lies, or would lie, beyond the
    reach of `by`; `Refused` when one code comes twice, `Conflict` when somebody else was first.
    """
    _check_once(new, changed)
    with transaction.atomic():
        old = _hold(changed, by)
        before = {unit.pk: audit.snapshot(unit) for unit in old}
        for unit, row in zip(old, changed, strict=True):
            for name, value in _values(row).items():
                setattr(unit, name, value)
        make = maker(Unit)
        made = [make(**_values(row)) for row in new]
        units = [*made, *old]
        _spell_all(old)
        stamp_all(units)
        _create(made)
        _change(old)
        require_written(by, "units.edit", Unit, [unit.pk for unit in units])
        entries = (audit.Entry(u, before.get(u.pk, {}), audit.snapshot(u)) for u in units)
        audit.record_many("orgs.unit.import", entries, by=by, at_hand=True)
    return Upserted(len(made), len(old))


def _values(row: Mapping[str, Any]) -> dict[str, Any]:
    """What a row sets, by attribute."""
    values = {**row}
    if area := values.pop("area", None):
        values["area_id"] = area.pk
    return values


def _check_once(new: Sequence[Mapping[str, Any]], changed: Sequence[Mapping[str, Any]]) -> None:
    found: set[str] = set()
    for row in chain(new, changed):
        code = row["credit_code"]
        if code in found:
            raise Refused(f"统一社会信用代码 {code} 出现了两次，没有写入。")
        found.add(code)


def _hold(rows: Sequence[Mapping[str, Any]], by: Any) -> list[Unit]:
    """The registered unit of each row, locked until the end, always in one order."""
    if not rows:
        return []
    units = Unit.objects.filter(Among("credit_code", [row["credit_code"] for row in rows]))
    held = {u.credit_code: u for u in units.select_for_update(of=("self",)).order_by("pk")}
    if len(held) < len(rows):
        raise Conflict("有单位的登记刚刚由他人修改，没有写入。请重新检查后再确认。")
    for unit in held.values():
        require(by, "units.edit", unit)
    return [held[row["credit_code"]] for row in rows]


def _spell(unit: Unit) -> None:
    said = reading(unit.name)
    unit.pinyin, unit.initials = said.full[:400], said.initials[:120]


def _spell_all(units: Sequence[Unit]) -> None:
    for unit in units:
        _spell(unit)


def _create(units: list[Unit]) -> None:
    try:
        with transaction.atomic():
            insert_all(units, dress=_spell_all)
    except IntegrityError as error:
        raise Conflict("有单位刚刚由他人登记，没有写入。请重新检查后再确认。") from error


def _change(units: list[Unit]) -> None:
    now = timezone.now()
    for unit in units:
        unit.updated_at = now
    update_all(units, [*_FIELDS, *STAMPS, "pinyin", "initials", "updated_at"])
