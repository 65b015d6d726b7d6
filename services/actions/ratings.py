"""好差评: one a matter, the rater's identity kept nowhere; a bad one opens a rectification."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from core import audit
from core.errors import Refused
from core.workdays import add_workdays
from services.enums import (
    BAD_GRADES,
    OPEN_RECTIFICATION,
    RECTIFY_WORKDAYS,
    RESIDENT_RATES_WITHIN_DAYS,
    Grade,
)
from services.models import Claim, Rating, Rectification


def give_rating(claim: Claim, *, grade: str, comment: str = "") -> Rating:
    """Store the grade of a claim on its way to 已评价 (called by that transition alone)."""
    if grade not in Grade.values:
        raise Refused("请选择评价等级。", field="grade")
    comment = comment.strip()
    longest = Rating._meta.get_field("comment").max_length
    if len(comment) > longest:
        raise Refused(f"意见最多 {longest} 字，现为 {len(comment)} 字。", field="comment")
    today = timezone.localdate()
    return Rating.objects.create(claim=claim, grade=grade, comment=comment, rated_on=today)


def open_rectification(claim: Claim) -> None:
    """After a bad grade; by nobody, as far as the log says: who rated is confidential."""
    rating = claim.rating
    if rating.grade not in BAD_GRADES:
        return
    due_on = add_workdays(rating.rated_on, RECTIFY_WORKDAYS)
    matter = Rectification.objects.create(rating=rating, due_on=due_on)
    audit.record("services.rectification.open", matter, by=None, after=audit.snapshot(matter))


def resident_has_the_word(claim: Claim) -> str | None:
    """Why staff may not rate yet: the matter began with a resident, who is asked first."""
    if not hasattr(claim.item, "ticket"):
        return None
    until = claim.accepted_at + timedelta(days=RESIDENT_RATES_WITHIN_DAYS)
    if timezone.now() >= until:
        return None
    day = timezone.localtime(until).strftime("%m月%d日")
    return f"此事来自居民诉求，请等居民凭单号评价；{day}后仍未评价的，可由社区回访后代评。"


def rectification_open(claim: Claim) -> str | None:
    """Why a claim cannot be closed: a bad rating is still to be put right."""
    matter = getattr(getattr(claim, "rating", None), "rectification", None)
    if matter is None or matter.state not in OPEN_RECTIFICATION:
        return None
    return f"差评整改{matter.get_state_display()}（时限 {matter.due_on}），回访后才能销号。"
