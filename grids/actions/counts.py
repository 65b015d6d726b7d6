"""Writes of a grid's counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone

from core import audit
from core.among import Among
from core.errors import Conflict, Refused
from core.scope import require
from grids.models import GridProfile

_BATCH = 1000
_FIELDS = ("households", "members", "counted_on")


def count_grid(
    *, profile: GridProfile, households: int, members: int, counted_on: date, by: Any
) -> GridProfile:
    """Set the counts. Figures outside the standard are kept and flagged, never refused.

    Raises `Refused` on a day to come or for a grid that was struck off, `Conflict` when somebody
    else has counted since `profile` was read.
    """
    require(by, "grids.edit", profile)
    with transaction.atomic():
        locked = _locked([profile.pk])[0]
        if locked.version != profile.version:
            raise Conflict("这个网格的数据刚被别人修改过，请核对最新数字后再保存。")
        before = audit.snapshot(locked)
        _set(locked, households, members, counted_on)
        locked.save()
        audit.record("grids.grid.count", locked, by=by, before=before, after=audit.snapshot(locked))
    return locked


def count_grids(*, rows: Iterable[Mapping[str, Any]], by: Any) -> int:
    """Set the counts of many grids: a table that was checked row by row (grids/sheets.py). All or
    none; returns how many.

    Each row has the `profile` as it was read, `households`, `members` and `counted_on`. Raises
    `PermissionDenied` when one lies beyond the reach of `by`, else as `count_grid`.
    """
    wanted = {row["profile"].pk: row for row in rows}
    entries = []
    with transaction.atomic():
        profiles = _locked(list(wanted))
        for profile in profiles:
            require(by, "grids.edit", profile)
            row = wanted[profile.pk]
            if profile.version != row["profile"].version:
                raise Conflict(
                    f"“{profile.area.name}”的数据刚被别人修改过，没有写入任何一行。"
                    "请重新检查后再确认。"
                )
            before = audit.snapshot(profile)
            _set(profile, *(row[name] for name in _FIELDS))
            entries.append(audit.Entry(profile, before, audit.snapshot(profile)))
        GridProfile.objects.bulk_update(profiles, [*_FIELDS, "version"], batch_size=_BATCH)
        audit.record_many("grids.grid.import", entries, by=by)
    return len(profiles)


def _locked(pks: list[int]) -> list[GridProfile]:
    """The records with their grids as they are now, always locked in one order."""
    rows = GridProfile.objects.filter(Among("pk", pks))
    return list(rows.select_for_update(of=("self",)).select_related("area").order_by("pk"))


def _set(profile: GridProfile, households: int, members: int, counted_on: date) -> None:
    if counted_on > timezone.localdate():
        raise Refused("日期不能晚于今天。", field="counted_on")
    if not profile.area.is_active:
        raise Refused(f"“{profile.area.name}”已于 {profile.area.valid_to} 撤销，不能再登记数量。")
    profile.households, profile.members, profile.counted_on = households, members, counted_on
    profile.version += 1
