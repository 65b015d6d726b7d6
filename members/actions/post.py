"""Volunteer posts: offered by the community, taken for its members by their units."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from core import audit
from core.errors import Conflict, Refused
from core.scope import require, still_visible
from core.transitions import transit
from members.enums import ACCEPTED, PostState, ReportingState
from members.models import Member, Post, PostClaim, Reporting
from orgs.enums import AreaKind
from orgs.models import Area


def publish_post(
    *,
    area: Area,
    title: str,
    category: str,
    headcount: int,
    description: str = "",
    skills: str = "",
    by: Any,
) -> Post:
    """Offer a post in a community, or in one of its grids."""
    if area.kind not in (AreaKind.COMMUNITY, AreaKind.GRID):
        raise Refused("岗位须设在社区或网格，请重新选择。", field="area")
    with transaction.atomic():
        post = Post.objects.create(
            area=area,
            title=title.strip(),
            category=category,
            headcount=headcount,
            description=description.strip(),
            skills=skills.strip(),
            created_by=by,
        )
        # Of an open post everybody may look: the right to post is what must reach it.
        still_visible(post, by, "members.post")
        audit.record("members.post.publish", post, by=by, after=audit.snapshot(post))
    return post


def revise_post(
    *,
    post: Post,
    version: int,
    title: str,
    category: str,
    headcount: int,
    description: str = "",
    skills: str = "",
    by: Any,
) -> Post:
    """Change a post; its headcount never falls below those who hold it."""
    with transaction.atomic():
        post = Post.objects.select_for_update(of=("self",)).get(pk=post.pk)
        require(by, "members.post", post)
        if post.version != version:
            raise Conflict("岗位刚被他人改动，请刷新页面，在最新内容上重新填写。")
        if headcount < post.claimed:
            raise Refused(f"已有 {post.claimed} 人认领，招募人数不能少于此数。", field="headcount")
        before = audit.snapshot(post)
        post.title, post.category, post.headcount = title.strip(), category, headcount
        post.description, post.skills = description.strip(), skills.strip()
        post.version += 1
        post.save()
        audit.record("members.post.revise", post, by=by, before=before, after=audit.snapshot(post))
    return post


def claim_post(*, post: Post, member: Member, by: Any) -> PostClaim:
    """Put a member on a post. Of two who want the last place one gets it, the other is told."""
    with transaction.atomic():
        require(by, "members.claim", member)
        reporting = _accepted(member)
        if post.community_id != reporting.community_id:
            raise Refused("该岗位不在党员报到的社区，请选择报到社区的岗位。", field="post")
        taken = Post.objects.filter(
            pk=post.pk, state=PostState.OPEN, claimed__lt=F("headcount")
        ).update(claimed=F("claimed") + 1)
        if not taken:
            raise Conflict(f"“{post.title}”名额已满或已停止招募，请选择其他岗位。", field="post")
        claim = PostClaim(
            post=post,
            member=member,
            reporting=reporting,
            unit_id=reporting.unit_id,
            claimed_on=timezone.localdate(),
        )
        try:
            with transaction.atomic():
                claim.save()
        except IntegrityError as error:
            raise Conflict(f"{member.name}已认领“{post.title}”，不必重复认领。") from error
        audit.record("members.claim.take", claim, by=by, after=audit.snapshot(claim))
        if reporting.state == ReportingState.REPORTED:
            transit(reporting, "take_post", by=None)
    return claim


def leave_post(*, claim: PostClaim, reason: str, by: Any) -> PostClaim:
    """Take a member off a post; the place is free again."""
    reason = reason.strip()
    with transaction.atomic():
        reporting = Reporting.objects.select_for_update(of=("self",)).get(pk=claim.reporting_id)
        claim = PostClaim.objects.select_for_update(of=("self",)).get(pk=claim.pk)
        require(by, "members.claim", claim)
        if claim.ended_on:
            raise Conflict("该党员已离岗，请刷新页面。")
        if not reason:
            raise Refused("离岗须填写原因。", field="reason")
        end_claim(claim, reason=reason, by=by)
        holds = reporting.claims.filter(ended_on=None).exists()
        if reporting.state == ReportingState.POSTED and not holds:
            transit(reporting, "leave_posts", by=None)
    return claim


def end_claim(claim: PostClaim, *, reason: str, by: Any) -> None:
    """Close one open claim and free its place. The caller has checked the right."""
    before = audit.snapshot(claim)
    claim.ended_on, claim.ended_reason = timezone.localdate(), reason[:200]
    claim.save(update_fields=["ended_on", "ended_reason"])
    Post.objects.filter(pk=claim.post_id).update(claimed=F("claimed") - 1)
    audit.record("members.claim.end", claim, by=by, before=before, after=audit.snapshot(claim))


def end_claims_of(reporting: Reporting, *, reason: str, by: Any) -> None:
    """Close what a member holds where he no longer reports. Places are taken in one order, so
    that two such moves do not wait for each other."""
    for claim in reporting.claims.filter(ended_on=None).order_by("post_id"):
        end_claim(claim, reason=reason, by=by)


def _accepted(member: Member) -> Reporting:
    """The member's open reporting, locked: what he may claim depends on it."""
    reporting = (
        Reporting.objects.open().select_for_update(of=("self",)).filter(member=member).first()
    )
    if reporting is None or reporting.state not in ACCEPTED:
        raise Refused(
            f"{member.name}尚未在社区报到，不能认领岗位；请等社区确认报到后再认领。", field="member"
        )
    return reporting
