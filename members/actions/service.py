"""Service hours: recorded by the community where the member reported, and confirmed there."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Q, Sum
from django.utils import timezone

from core import audit
from core.errors import Refused
from core.scope import require
from core.transitions import transit
from members.enums import HOUR_STEP, LATE_AFTER_DAYS, MOST_HOURS, ServiceState
from members.models import Post, Reporting, ServiceRecord


def record_service(
    *,
    reporting: Reporting,
    served_on: date,
    hours: Decimal,
    content: str,
    post: Post | None = None,
    by: Any,
) -> ServiceRecord:
    """Record what a member did within the last `LATE_AFTER_DAYS` days."""
    if served_on < timezone.localdate() - timedelta(days=LATE_AFTER_DAYS):
        raise Refused(
            f"服务日期已超过 {LATE_AFTER_DAYS} 天，请使用“补录”并说明理由。", field="served_on"
        )
    return _record(reporting, served_on, hours, content, post, "", by)


def record_late_service(
    *,
    reporting: Reporting,
    served_on: date,
    hours: Decimal,
    content: str,
    reason: str,
    post: Post | None = None,
    by: Any,
) -> ServiceRecord:
    """Enter an older service (补录): with a reason, and confirmed by somebody else."""
    if not reason.strip():
        raise Refused("补录须填写理由。", field="reason")
    if served_on >= timezone.localdate() - timedelta(days=LATE_AFTER_DAYS):
        raise Refused(f"{LATE_AFTER_DAYS} 天内的服务请直接登记，不需要补录。", field="served_on")
    return _record(reporting, served_on, hours, content, post, reason.strip(), by)


def record_services(
    *, reportings: Iterable[Reporting], served_on: date, hours: Decimal, content: str, by: Any
) -> list[ServiceRecord]:
    """Record one activity for several members, all or none. A refusal names the member."""
    made = []
    with transaction.atomic():
        for reporting in sorted(reportings, key=lambda r: r.pk):
            try:
                record = record_service(
                    reporting=reporting, served_on=served_on, hours=hours, content=content, by=by
                )
            except Refused as error:
                raise Refused(f"{reporting.member.name}：{error}", field=error.field) from error
            made.append(record)
    return made


def confirm_services(*, records: Iterable[ServiceRecord], by: Any) -> int:
    """Confirm several records at once, all or none; how many."""
    count = 0
    with transaction.atomic():
        for record in sorted(records, key=lambda r: (r.reporting_id, r.pk)):
            transit(record, "confirm", by=by)
            count += 1
    return count


def _record(
    reporting: Reporting,
    served_on: date,
    hours: Decimal,
    content: str,
    post: Post | None,
    late_reason: str,
    by: Any,
) -> ServiceRecord:
    hours = Decimal(hours)
    with transaction.atomic():
        # Two desks that record for one member queue here, so that the day's sum holds.
        reporting = (
            Reporting.objects.select_for_update(of=("self",))
            .select_related("member")
            .get(pk=reporting.pk)
        )
        require(by, "members.receive", reporting)
        _check_day(reporting, served_on)
        _check_hours(reporting, served_on, hours)
        if post is not None:
            _check_post(reporting, post, served_on)
        record = ServiceRecord.objects.create(
            reporting=reporting,
            member_id=reporting.member_id,
            unit_id=reporting.unit_id,
            area=reporting.area,
            post=post,
            served_on=served_on,
            hours=hours,
            content=content.strip(),
            late_reason=late_reason,
            recorded_by=by,
        )
        audit.record(
            "members.service.late" if late_reason else "members.service.record",
            record,
            by=by,
            after=audit.snapshot(record),
            reason=late_reason,
        )
    return record


def _check_day(reporting: Reporting, served_on: date) -> None:
    if served_on > timezone.localdate():
        raise Refused("服务日期不能晚于今天。", field="served_on")
    if reporting.reported_on is None:
        raise Refused("该党员尚未确认报到，不能登记服务。", field="served_on")
    if served_on < reporting.reported_on:
        raise Refused(f"服务日期不能早于报到日期 {reporting.reported_on}。", field="served_on")
    if reporting.closed_on and served_on > reporting.closed_on:
        raise Refused(
            f"该党员已于 {reporting.closed_on} 离开本社区，此后的服务由新社区登记。",
            field="served_on",
        )


def _check_hours(reporting: Reporting, served_on: date, hours: Decimal) -> None:
    if not 0 < hours <= MOST_HOURS or hours % HOUR_STEP:
        raise Refused(
            f"服务时长以 0.5 小时为单位，大于 0、不超过 {MOST_HOURS} 小时。", field="hours"
        )
    same_day = ServiceRecord.objects.filter(member=reporting.member_id, served_on=served_on)
    already = same_day.exclude(state=ServiceState.RETURNED).aggregate(sum=Sum("hours"))["sum"] or 0
    if already + hours > MOST_HOURS:
        raise Refused(
            f"该党员当天已登记 {already} 小时，合计不能超过 {MOST_HOURS} 小时，请核对是否重复登记。",
            field="hours",
        )


def _check_post(reporting: Reporting, post: Post, served_on: date) -> None:
    held = reporting.claims.filter(Q(ended_on__isnull=True) | Q(ended_on__gte=served_on), post=post)
    if not held.exists():
        raise Refused(f"该党员当时没有认领“{post.title}”，请改选岗位或不选。", field="post")
