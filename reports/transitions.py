"""The states of a review (domain.md §4). A run moves many reviews at once, as the system;
people check, report and approve them one by one or a subtree at a time."""

from __future__ import annotations

from django.utils import timezone

from accounts.queries import people_over
from core.transitions import Machine, Transition
from reports.enums import ReviewState as S
from reports.models import Change, Review
from reports.queries import open_children


def _children_approved(review: Review, by) -> str | None:
    waiting = open_children(review).count()
    return f"下级还有 {waiting} 个单位未审定，请先逐级审定后再试。" if waiting else None


def _children_reported(review: Review, by) -> str | None:
    waiting = open_children(review).exclude(state=S.REPORTED).count()
    return f"下级还有 {waiting} 个单位未上报，请先核对并上报后再试。" if waiting else None


def _reported(review: Review, by) -> None:
    review.reported_at, review.reported_by = timezone.now(), by


def _withdrawn(review: Review, by) -> None:
    review.reported_at = review.reported_by = None
    # It follows the records again, and has missed what changed while it stood still.
    Change.objects.create(room=Change.REOPENED, area_id=review.area_id)


def _may_be_approved(review: Review, by) -> str | None:
    if review.reported_by_id == by.pk:
        return "此结果由您本人上报，须由上级的另一位同事审定。"
    return _children_approved(review, by)


def _approved(review: Review, by) -> None:
    review.approved_at, review.approved_by = timezone.now(), by


def _parent_open(review: Review, by) -> str | None:
    superior = Review.objects.filter(
        area=review.parent_area, period=review.period, state=S.APPROVED
    ).first()
    return f"上级“{superior.area_name}”已审定，请先解锁上级。" if superior else None


def _unlocked(review: Review, by) -> None:
    review.approved_at = review.approved_by = None
    _withdrawn(review, by)


def _approvers(review: Review, by):
    return people_over("reports.approve", review)


def _reporters(review: Review, by):
    return people_over("reports.submit", review)


REVIEW = Machine(
    "reports.Review",
    states=S,
    deeds={"adjust": "加分或扣分"},
    transitions=[
        Transition("compute", "开始计算", [S.WAITING, S.TO_CHECK], S.COMPUTING),
        Transition("computed", "计算完成", [S.COMPUTING], S.TO_CHECK),
        # A run that was given up: who had a result keeps it.
        Transition("abandon", "计算中止", [S.COMPUTING], S.WAITING),
        Transition("keep", "计算中止，保留原结果", [S.COMPUTING], S.TO_CHECK),
        Transition(
            "report",
            "上报",
            [S.TO_CHECK],
            S.REPORTED,
            perm="reports.submit",
            guard=_children_reported,
            apply=_reported,
            tell=_approvers,
            hint="上报后由上级组织部门审定；需要更正时可请其退回。",
        ),
        Transition(
            "return",
            "退回",
            [S.REPORTED],
            S.TO_CHECK,
            perm="reports.approve",
            reason=True,
            apply=_withdrawn,
            tell=_reporters,
            tone="default",
        ),
        Transition(
            "approve",
            "审定",
            [S.REPORTED],
            S.APPROVED,
            perm="reports.approve",
            guard=_may_be_approved,
            apply=_approved,
            tell=_reporters,
            hint="审定后锁定，不再重新计算；解锁须填写理由。",
        ),
        Transition(
            "unlock",
            "解锁",
            [S.APPROVED],
            S.TO_CHECK,
            perm="reports.approve",
            reason=True,
            guard=_parent_open,
            apply=_unlocked,
            tell=_reporters,
            tone="danger",
        ),
    ],
)
