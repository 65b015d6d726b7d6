"""Grants: the security administrator gives and takes them, never their own."""

from __future__ import annotations

from datetime import date

from django.db import transaction
from django.utils import timezone

from accounts.enums import DUTIES, Role
from accounts.models import Grant, User
from accounts.roles import AREA_ROLES
from core import audit
from core.errors import Conflict, Refused
from core.scope import require
from orgs.enums import STAMPS
from orgs.models import Area, Unit


def give_grant(
    *,
    user: User,
    role: str,
    by: User,
    area: Area | None = None,
    unit: Unit | None = None,
    starts_on: date | None = None,
    ends_on: date | None = None,
) -> Grant:
    """Give `user` a role on an area and all below it, on a unit, or (a duty) on nothing, from
    `starts_on` (today) to `ends_on`, both included. In force with their next request.

    Three administrator duties are never one account's, not even one after the other, and an
    account with a duty does no other work: who runs the system does not act in it. A duty that
    has ended may be taken up again by the same account.
    """
    require(by, "accounts.grant")
    if user.pk == by.pk:
        raise Refused("不能给自己授权，请由另一位安全管理员办理。", field="user")
    today = timezone.localdate()
    starts_on = starts_on or today
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=user.pk)  # one grant at a time a person
        _check_place(role, area, unit)
        _check_dates(starts_on, ends_on, today)
        _check_person(user, role, today)
        _check_same(user, role, area, unit, starts_on, ends_on)
        grant = Grant.objects.filter(user=user, role=role).first() if role in DUTIES else None
        before = audit.snapshot(grant) if grant else None
        grant = grant or Grant(user=user, role=role, area=area, unit=unit)
        grant.starts_on, grant.ends_on, grant.revoked_at = starts_on, ends_on, None
        grant.save()
        audit.record(
            "accounts.grant.give", grant, by=by, before=before, after=audit.snapshot(grant)
        )
    return grant


def end_grant(*, grant: Grant, by: User, reason: str) -> Grant:
    """Take a grant back now: it reaches nothing from the holder's next request on."""
    require(by, "accounts.grant", grant)
    if not reason.strip():
        raise Refused("收回授权须填写理由。", field="reason")
    with transaction.atomic():
        grant = Grant.objects.select_for_update().get(pk=grant.pk)
        if grant.user_id == by.pk:
            raise Refused("不能收回自己的授权，请由另一位安全管理员办理。")
        if grant.revoked_at:
            raise Conflict("这项授权已经收回，请刷新页面查看。")
        before = audit.snapshot(grant)
        grant.revoked_at = timezone.now()
        grant.save(update_fields=["revoked_at"])
        audit.record(
            "accounts.grant.end",
            grant,
            by=by,
            before=before,
            after=audit.snapshot(grant),
            reason=reason.strip(),
        )
    return grant


def _check_place(role: str, area: Area | None, unit: Unit | None) -> None:
    label = Role(role).label
    if role in DUTIES and (area or unit):
        raise Refused(f"{label}不限区域和单位，请勿填写。", field="area" if area else "unit")
    if role in AREA_ROLES:
        if unit:
            raise Refused(f"{label}须授权到区域，不能授权到单位。", field="unit")
        if area is None:
            raise Refused(f"{label}须授权到区域，请选择区域。", field="area")
        if area.kind not in STAMPS:
            raise Refused(
                f"不能授权到{area.get_kind_display()}，请选择其所在的网格或更高一级。", field="area"
            )
        if area.state != "active":
            raise Refused(f"“{area}”已撤销，请选择使用中的区域。", field="area")
    if role == Role.UNIT_LIAISON:
        if area:
            raise Refused(f"{label}须授权到单位，不能授权到区域。", field="area")
        if unit is None:
            raise Refused(f"{label}须授权到单位，请选择单位。", field="unit")


def _check_dates(starts_on: date, ends_on: date | None, today: date) -> None:
    if ends_on is None:
        return
    if ends_on < starts_on:
        raise Refused("截止日期不能早于开始日期。", field="ends_on")
    if ends_on < today:
        raise Refused("截止日期已经过去，请填写今天或以后的日期。", field="ends_on")


def _check_person(user: User, role: str, today: date) -> None:
    if not user.is_active:
        raise Refused(f"账号“{user}”已停用，请先由系统管理员启用。", field="user")
    duty = user.grants.filter(role__in=DUTIES).exclude(role=role).first()
    if role in DUTIES and duty:
        raise Refused(
            f"“{user}”担任或曾担任{duty.get_role_display()}。系统管理员、安全管理员、安全审计员"
            "不得由同一账号先后或同时担任，请为新的人员另建账号。",
            field="role",
        )
    standing = user.grants.standing(today)
    held = standing.exclude(role__in=DUTIES) if role in DUTIES else standing.filter(role__in=DUTIES)
    if other := held.first():
        raise Refused(
            f"“{user}”现为{other.get_role_display()}。管理员账号不得兼任业务角色，"
            "请先收回原有授权，或另建账号。",
            field="role",
        )


def _check_same(
    user: User,
    role: str,
    area: Area | None,
    unit: Unit | None,
    starts_on: date,
    ends_on: date | None,
) -> None:
    """The same role on the same place on the same days would have to be ended twice."""
    others = Grant.objects.filter(
        user=user, role=role, area=area, unit=unit, revoked_at__isnull=True
    )
    for other in others:
        before = other.ends_on is not None and other.ends_on < starts_on
        after = ends_on is not None and ends_on < other.starts_on
        if not before and not after:
            raise Conflict(f"“{user}”在这段时间已有授权：{other}，无须重复授权。")
