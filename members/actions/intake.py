"""A whole register of members at once: the set-based twin of `register_member`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.queries import people_in
from core import audit
from core.among import Among
from core.copying import insert_all, maker, update_all
from core.errors import Conflict, Refused
from core.fields import blind_index
from core.notify import notify_each
from core.scope import require, require_written
from members.models import Member, Reporting
from orgs.enums import STAMPS
from orgs.models import Area
from orgs.models.placed import stamp_all

_FIELDS = ("name", "speciality", "party_org")


class Taken(NamedTuple):
    created: int
    changed: int


def register_members(
    *, new: Sequence[Mapping[str, Any]], changed: Sequence[Mapping[str, Any]], by: Any
) -> Taken:
    """Register new members, and correct those who are registered under their phone: a register
    that was checked row by row (members/sheets.py). All or none.

    Each row has `phone`, `unit` and `area`, and of the other fields those that are to be set. A
    unit or a home is not changed this way: people leave and move one by one. Each community
    hears once how many reports it has to expect. Raises `Conflict` when somebody else was first.
    """
    by_phone, known = _by_phone(new), _by_phone(changed)
    if not by_phone.keys().isdisjoint(known):
        raise _twice()
    with transaction.atomic():
        held = _hold(known, by)
        before = {member.pk: audit.snapshot(member) for member in held}
        make = maker(Member)
        made = [make(phone_index=index, **_values(row)) for index, row in by_phone.items()]
        old = [_corrected(member, known[member.phone_index]) for member in held]
        _create(made, by)
        _change(old)
        entries = (audit.Entry(m, before.get(m.pk, {}), audit.snapshot(m)) for m in (*made, *old))
        audit.record_many("members.member.import", entries, by=by, at_hand=True)
        _tell(_open_reportings(made, by))
    return Taken(len(made), len(old))


def _values(row: Mapping[str, Any]) -> dict[str, Any]:
    """A new member's, by attribute."""
    unit = row["unit"]
    return {
        "unit_id": unit.pk,
        "area_id": row["area"].pk,
        "phone": row["phone"],
        "name": row.get("name", ""),
        "speciality": row.get("speciality", ""),
        "party_org": row.get("party_org") or unit.party_org,
    }


def _corrected(member: Member, row: Mapping[str, Any]) -> Member:
    for name in _FIELDS:
        if name in row:
            setattr(member, name, row[name])
    member.party_org = member.party_org or member.unit.party_org
    return member


def _by_phone(rows: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        index = blind_index(row["phone"])
        if not index:
            raise Refused("批量登记的每一行都须有手机号，没有写入。")
        if index in found:
            raise _twice()
        found[index] = row
    return found


def _twice() -> Refused:
    return Refused("同一个手机号出现了两次，没有写入。")


def _hold(indexes: Collection[str], by: Any) -> list[Member]:
    """Those registered under these phones, locked until the end, always in one order."""
    if not indexes:
        return []
    members = Member.objects.under_phones(indexes)
    held = list(members.select_for_update(of=("self",)).select_related("unit").order_by("pk"))
    if len(held) < len(indexes):
        raise Conflict("有党员的登记刚刚由他人修改，没有写入。请重新检查后再确认。")
    for member in held:
        require(by, "members.register", member)
    return held


def _create(members: list[Member], by: Any) -> None:
    stamp_all(members)
    try:
        with transaction.atomic():
            insert_all(members)
    except IntegrityError as error:
        raise Conflict("有党员刚刚由他人登记，没有写入。请重新检查后再确认。") from error
    require_written(by, "members.register", Member, [member.pk for member in members])


def _change(members: list[Member]) -> None:
    now = timezone.now()
    for member in members:
        member.updated_at = now
    update_all(members, [*_FIELDS, "updated_at"])


def _open_reportings(members: Sequence[Member], by: Any) -> list[Reporting]:
    """The members' reportings, at the homes that were stamped just now."""
    today = timezone.localdate()
    make = maker(Reporting)
    names = ("unit_id", "area_id", *(f"{level}_id" for level in STAMPS))
    read = itemgetter(*names)
    rows = []
    for member in members:
        # Past the descriptors, which take three times as long.
        said = dict(zip(names, read(vars(member)), strict=True))
        row = make(member_id=member.pk, opened_on=today, **said)
        row._state.fields_cache["member"] = member
        rows.append(row)
    insert_all(rows)
    entries = (audit.Entry(row, {}, audit.snapshot(row)) for row in rows)
    audit.record_many("members.reporting.open", entries, by=by, at_hand=True)
    return rows


def _tell(rows: Sequence[Reporting]) -> None:
    counts = Counter(row.community_id for row in rows)
    communities = list(Area.objects.filter(Among("pk", counts)))
    people = people_in("members.receive", communities)
    notify_each(
        (people[community.pk], f"{community.name}有 {counts[community.pk]} 名党员待报到")
        for community in communities
    )
