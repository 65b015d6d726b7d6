"""A whole register of members at once: the set-based twin of `register_member`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.queries import people_with
from core import audit
from core.errors import Conflict, Refused
from core.fields import blind_index
from core.notify import notify
from core.scope import require
from members.models import Member, Reporting
from orgs.models import Area
from orgs.models.placed import stamp_all

_BATCH = 2000
_FIELDS = ("name", "speciality", "party_org")


class Taken(NamedTuple):
    created: int
    changed: int


def register_members(*, rows: Iterable[Mapping[str, Any]], by: Any) -> Taken:
    """Register members, or correct those who are registered already under their phone: a register
    that was checked row by row (members/sheets.py). All or none.

    Each row has `phone`, `unit` and `area`, and of the other fields those that are to be set. A
    unit or a home is not changed this way: people leave and move one by one. Each community
    hears once how many reports it has to expect.
    """
    by_phone = _by_phone(rows)
    with transaction.atomic():
        known = _hold(list(by_phone))
        new, old, before = [], [], {}
        for index, row in by_phone.items():
            member = known.get(index)
            if member is None:
                member = Member(unit=row["unit"], area=row["area"], phone=row["phone"])
                member.phone_index = index
                new.append(member)
            else:
                before[member.pk] = audit.snapshot(member)
                old.append(member)
            for name in _FIELDS:
                if name in row:
                    setattr(member, name, row[name])
            member.party_org = member.party_org or member.unit.party_org
        for member in old:
            require(by, "members.register", member)
        _create(new, by)
        _change(old)
        audit.record_many(
            "members.member.import",
            [audit.Entry(m, before.get(m.pk, {}), audit.snapshot(m)) for m in (*new, *old)],
            by=by,
        )
        _tell(_open_reportings(new, by))
    return Taken(len(new), len(old))


def _by_phone(rows: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        index = blind_index(row["phone"])
        if not index:
            raise Refused("批量登记的每一行都须有手机号，没有写入。")
        if index in found:
            raise Refused("同一个手机号出现了两次，没有写入。")
        found[index] = row
    return found


def _hold(indexes: Sequence[str]) -> dict[str, Member]:
    """Those registered under these phones, locked until the end, always in one order."""
    found: dict[str, Member] = {}
    for batch in _batches(indexes):
        members = Member.objects.filter(phone_index__in=batch, left_on=None)
        locked = members.select_for_update(of=("self",)).select_related("unit").order_by("pk")
        found |= {member.phone_index: member for member in locked}
    return found


def _create(members: list[Member], by: Any) -> None:
    stamp_all(members)
    for member in members:
        require(by, "members.register", member)
    try:
        with transaction.atomic():
            Member.objects.bulk_create(members, batch_size=_BATCH)
    except IntegrityError as error:
        raise Conflict("有党员刚刚由他人登记，没有写入。请重新检查后再确认。") from error


def _change(members: list[Member]) -> None:
    now = timezone.now()
    for member in members:
        member.updated_at = now
    Member.objects.bulk_update(members, [*_FIELDS, "updated_at"], batch_size=500)


def _open_reportings(members: Sequence[Member], by: Any) -> list[Reporting]:
    today = timezone.localdate()
    rows = [Reporting(member=m, unit=m.unit, area=m.area, opened_on=today) for m in members]
    stamp_all(rows)
    Reporting.objects.bulk_create(rows, batch_size=_BATCH)
    audit.record_many(
        "members.reporting.open",
        [audit.Entry(row, {}, audit.snapshot(row)) for row in rows],
        by=by,
    )
    return rows


def _tell(rows: Sequence[Reporting]) -> None:
    counts: dict[int, int] = {}
    for row in rows:
        counts[row.community_id] = counts.get(row.community_id, 0) + 1
    for batch in _batches(sorted(counts)):
        for community in Area.objects.filter(pk__in=batch):
            notify(
                people_with("members.receive", area=community),
                title=f"{community.name}有 {counts[community.pk]} 名党员待报到",
            )


def _batches(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), _BATCH):
        yield values[start : start + _BATCH]
