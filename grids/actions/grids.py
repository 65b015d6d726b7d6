"""Writes of a grid's counts and posts."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone

from core import audit
from core.errors import Conflict, Refused
from core.scope import require, still_visible
from grids.models import GridPost, GridProfile, PostKind
from orgs.models import Area
from orgs.models.placed import stamp_all


def open_grid(
    *, area: Area, households: int, members: int, by: Any, counted_on: date | None = None
) -> GridProfile:
    """Start the record of a grid: its counts, and its five posts, all vacant."""
    if area.kind != "grid" or area.state != "active":
        raise Refused(f"“{area.name}”不是使用中的网格，请在区划中选择网格。", field="area")
    require(by, "grids.edit", area)
    with transaction.atomic():
        if GridProfile.objects.filter(area=area).exists():
            raise Conflict(f"“{area.name}”已有网格台账，请直接修改。")
        profile = GridProfile(
            area=area,
            households=households,
            members=members,
            counted_on=counted_on or timezone.localdate(),
        )
        _check_day(profile.counted_on)
        profile.save()
        posts = [GridPost(area=area, kind=kind) for kind in PostKind.objects.filter(is_active=True)]
        stamp_all(posts)
        GridPost.objects.bulk_create(posts)
        still_visible(profile, by)
        audit.record("grids.grid.open", profile, by=by, after=audit.snapshot(profile))
    return profile


def count_grid(
    *, profile: GridProfile, households: int, members: int, counted_on: date, by: Any
) -> GridProfile:
    """Set the counts. Figures outside the standard are kept and flagged, never refused."""
    require(by, "grids.edit", profile)
    _check_day(counted_on)
    with transaction.atomic():
        locked = GridProfile.objects.select_for_update(of=("self",)).get(pk=profile.pk)
        if locked.version != profile.version:
            raise Conflict("这个网格的数据刚被别人修改过，请核对最新数字后再保存。")
        before = audit.snapshot(locked)
        locked.households, locked.members = households, members
        locked.counted_on = counted_on
        locked.version += 1
        locked.save()
        audit.record("grids.grid.count", locked, by=by, before=before, after=audit.snapshot(locked))
    return locked


def appoint(
    *, post: GridPost, holder: str, by: Any, organisation: str = "", since: date | None = None
) -> GridPost:
    """Put a person on a post; whoever held it before is followed, which the audit log keeps."""
    holder = holder.strip()
    if not holder:
        raise Refused("请填写任职人姓名；要空出岗位请用“空岗”。", field="holder")
    return _set_post(
        post, by, "appoint", holder, organisation.strip(), since or timezone.localdate()
    )


def vacate(*, post: GridPost, by: Any, reason: str = "") -> GridPost:
    """Leave a post without a holder; it then shows as vacant."""
    return _set_post(post, by, "vacate", "", "", None, reason=reason.strip())


def _set_post(
    post: GridPost,
    by: Any,
    verb: str,
    holder: str,
    organisation: str,
    since: date | None,
    reason: str = "",
) -> GridPost:
    require(by, "grids.edit", post)
    if since:
        _check_day(since)
    with transaction.atomic():
        locked = GridPost.objects.select_for_update(of=("self",)).get(pk=post.pk)
        if locked.holder != post.holder:
            raise Conflict(
                f"“{post.kind.name}”刚由别人改为“{locked.holder or '空缺'}”，请核对后再改。"
            )
        before = audit.snapshot(locked)
        locked.holder, locked.organisation, locked.since = holder, organisation, since
        locked.save()
        audit.record(
            f"grids.post.{verb}",
            locked,
            by=by,
            before=before,
            after=audit.snapshot(locked),
            reason=reason,
        )
    return locked


def _check_day(day: date) -> None:
    if day > timezone.localdate():
        raise Refused("日期不能晚于今天。", field="counted_on")
