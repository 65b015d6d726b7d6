"""What people do to reviews: adjust by hand, report and approve a whole subtree."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.db import transaction

from core import audit
from core.errors import Conflict, Refused
from core.jobs import submit
from core.models import Job
from core.periods import Period
from core.scope import require
from core.transitions import transit
from orgs.models import Area
from reports.actions.store import retotal
from reports.enums import AdjustmentKind, ReviewState
from reports.models import Adjustment, Review

_UPWARD = ("community", "street", "district")


def adjust(*, review: Review, kind: str, marks: Decimal, ground: str, by: Any) -> Adjustment:
    """Give 加分 or 扣分 with its ground to an open review; the total follows at once."""
    require(by, "reports.approve", review)
    if not ground.strip():
        raise Refused("请写明加分或扣分的事由。", field="ground")
    with transaction.atomic():
        locked = Review.objects.select_for_update(of=("self",)).get(pk=review.pk)
        if locked.state in (ReviewState.APPROVED, ReviewState.COMPUTING):
            raise Conflict(
                f"“{locked}”{locked.get_state_display()}，不能加减分。请先解锁或稍候再试。"
            )
        before = audit.snapshot(locked)
        given = Adjustment.objects.create(
            review=locked,
            kind=AdjustmentKind(kind),
            marks=marks,
            ground=ground.strip(),
            given_by=by,
        )
        retotal(locked)
        locked.save(update_fields=["bonus", "deduction", "total", "band"])
        audit.record(
            "reports.review.adjust",
            locked,
            by=by,
            before=before,
            after=audit.snapshot(locked),
            reason=given.ground,
        )
    return given


def raise_all(
    *,
    area: Area,
    period: Period,
    step: str,
    by: Any,
    progress: Callable[[int, int, str], None] = lambda done, total, message: None,
) -> tuple[int, list[str], list[str]]:
    """Report or approve (`step`) every review of `area` and below, from the communities up.

    Returns how many moved; for those that could not, why (one Chinese sentence each); and the names
    of those that were not ready for the step at all. Each review is its own transaction: what was
    done stays done, the rest can be tried again.
    """
    perm = {"report": "reports.submit", "approve": "reports.approve"}[step]
    source = {"report": ReviewState.TO_CHECK, "approve": ReviewState.REPORTED}[step]
    require(by, perm, area)
    within = Review.objects.visible_to(by, perm).at(area).filter(period=period.text)
    ready = within.filter(state=source)
    total, done, moved, refused = ready.count(), 0, 0, []
    for level in _UPWARD:
        for review in ready.filter(level=level).order_by("pk"):
            done += 1
            try:
                transit(review, step, by=by)
                moved += 1
            except Refused as why:
                refused.append(f"{review.area_name}：{why}")
            if done % 50 == 0:
                progress(done, total, review.area_name)
    early = list(ReviewState)[: list(ReviewState).index(source)]
    names = within.filter(state__in=early).order_by("pk").values_list("area_name", flat=True)
    return moved, refused, list(names)


def raise_later(*, area: Area, period: Period, step: str, by: Any) -> Job:
    """Submit `raise_all` as a job: a district has hundreds of reviews."""
    return submit(
        {"report": "reports.report", "approve": "reports.approve"}[step],
        by=by,
        about=area,
        key=f"{period.text}-{area.pk}",
        title=f"{area.name} {period.label}{'批量上报' if step == 'report' else '批量审定'}",
        period=period.text,
    )
