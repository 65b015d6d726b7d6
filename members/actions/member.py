"""Registering members, moving them, and the one way to read a phone number in the clear."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.queries import people_with
from core import audit
from core.errors import Conflict, Refused
from core.fields import blind_index
from core.notify import notify
from core.scope import require, still_visible
from core.transitions import transit
from members.models import Member, Reporting
from orgs.enums import AreaKind, AreaState, UnitState
from orgs.models import Area, Unit

_PHONE = re.compile(r"1\d{10}|0\d{9,11}", re.ASCII)
_HOME = (AreaKind.COMMUNITY, AreaKind.GRID)


def clean_phone(text: str) -> str:
    """A mobile or land-line number, half-width, without spaces and hyphens. Raises `Refused`, never
    quoting it."""
    phone = text
    if not (text.isascii() and text.isdigit()):
        phone = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", text))
    if phone and not _PHONE.fullmatch(phone):
        raise Refused("手机号应为 11 位数字（固定电话请带区号），请核对。", field="phone")
    return phone


def register_member(
    *,
    unit: Unit,
    name: str,
    area: Area,
    phone: str = "",
    speciality: str = "",
    party_org: str = "",
    by: Any,
) -> Member:
    """Register a member of `unit` whose home is in `area`; the report goes to the community.

    Raises `Refused` when the person is registered already, here or with another unit.
    """
    check_home(area)
    if unit.state != UnitState.ACTIVE:
        raise Refused(f"“{unit.name}”已迁出，不能登记党员。", field="unit")
    phone = clean_phone(phone)
    with transaction.atomic():
        member = Member(
            unit=unit,
            area=area,
            name=name.strip(),
            phone=phone,
            phone_index=blind_index(phone),
            speciality=speciality.strip(),
            party_org=party_org.strip() or unit.party_org,
        )
        _save_once(member)
        still_visible(member, by, "members.register")
        audit.record("members.member.register", member, by=by, after=audit.snapshot(member))
        _open_reporting(member, by=by)
    return member


def revise_member(
    *,
    member: Member,
    name: str,
    speciality: str,
    party_org: str,
    phone: str | None = None,
    by: Any,
) -> Member:
    """Correct a member's record. `phone` None leaves the number as it is: forms show it masked."""
    with transaction.atomic():
        member = Member.objects.select_for_update(of=("self",)).get(pk=member.pk)
        require(by, "members.register", member)
        before = audit.snapshot(member)
        member.name, member.speciality = name.strip(), speciality.strip()
        member.party_org = party_org.strip()
        if phone is not None:
            member.phone = clean_phone(phone)
            member.phone_index = blind_index(member.phone)
        _save_once(member)
        audit.record(
            "members.member.revise", member, by=by, before=before, after=audit.snapshot(member)
        )
    return member


def move_member(*, member: Member, area: Area, reason: str, by: Any) -> Reporting:
    """The member has moved house: the row with the old community closes, one with the new opens.

    Within the same community this only corrects the grid. Returns the row that is now open.
    """
    check_home(area)
    reason = reason.strip()
    with transaction.atomic():
        member = Member.objects.select_for_update(of=("self",)).get(pk=member.pk)
        require(by, "members.register", member)
        old = member.reportings.open().first()
        if old is None:
            raise Conflict("该党员已注销，不能转出。如重新到岗，请重新登记。")
        if area.community_id == old.community_id:
            raise Refused("新的居住社区与原社区相同，不需要转出。", field="area")
        if not reason:
            raise Refused("转出须填写理由。", field="reason")
        before = audit.snapshot(member)
        transit(old, "move", by=None, reason=reason)
        member.area = area
        member.save()
        still_visible(member, by, "members.register")
        audit.record(
            "members.member.move",
            member,
            by=by,
            before=before,
            after=audit.snapshot(member),
            reason=reason,
        )
        return _open_reporting(member, by=by)


def reveal_phone(*, member: Member, reason: str, by: Any) -> str:
    """The member's phone in the clear, for one who has the right and says what for.

    Each look is an audit row; the number itself is written nowhere.
    """
    with transaction.atomic():
        require(by, "members.unmask", member)
        if not reason.strip():
            raise Refused("查看完整手机号须填写用途，并会记入审计日志。", field="reason")
        audit.record("members.member.unmask", member, by=by, reason=reason.strip())
    return member.phone


def check_home(area: Area) -> None:
    """A home is a community in use, or one of its grids."""
    if area.kind not in _HOME:
        raise Refused("居住地须选到社区（或其网格），请重新选择。", field="area")
    if area.state != AreaState.ACTIVE:
        raise Refused(f"“{area.name}”已撤销，请选择承接它的社区。", field="area")


def _open_reporting(member: Member, *, by: Any) -> Reporting:
    reporting = Reporting.objects.create(
        member=member, unit=member.unit, area=member.area, opened_on=timezone.localdate()
    )
    audit.record("members.reporting.open", reporting, by=by, after=audit.snapshot(reporting))
    notify(
        people_with("members.receive", area=member.area),
        title=f"有党员待报到：{member.name}（{member.unit.name}）",
        about=reporting,
    )
    return reporting


def _save_once(member: Member) -> None:
    try:
        with transaction.atomic():
            member.save()
    except IntegrityError as error:
        if "member_phone_once" in str(error) or "phone_index" in str(error):
            raise Refused(
                "该手机号已登记在一名党员名下。如是同一人调入，请原单位先办理注销；否则请核对号码。",
                field="phone",
            ) from error
        if "member_name_once" in str(error) or ".name" in str(error):
            raise Refused(
                f"本单位已有一名未填手机号的“{member.name}”。如是同名的另一人，请填写手机号加以区分。",
                field="name",
            ) from error
        raise
