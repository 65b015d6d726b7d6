"""How a reporting, a post and a service record move (domain.md §4)."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils import timezone

from core.errors import Refused
from core.transitions import Machine, Transition, transit
from members.actions.post import end_claims_of
from members.enums import ACCEPTED, OPEN, PostState
from members.enums import ReportingState as R
from members.enums import ServiceState as V
from members.models import Feedback, Reporting, ServiceRecord
from members.queries import community_people, unit_people
from orgs.models import Area


def _receive(
    reporting: Reporting, by: Any, reported_on: date | None = None, grid: Area | None = None
) -> None:
    today = timezone.localdate()
    reporting.reported_on = reported_on or today
    if reporting.reported_on > today:
        raise Refused("报到日期不能晚于今天。", field="reported_on")
    if grid is not None:
        if grid.community_id != reporting.community_id:
            raise Refused("网格不在报到社区内，请重新选择。", field="grid")
        reporting.area = grid


def _keep_reason(reporting: Reporting, by: Any, reason: str) -> None:
    reporting.reason = reason[:200]


def _forget_reason(reporting: Reporting, by: Any) -> None:
    reporting.reason = ""


def _close(reporting: Reporting, by: Any, reason: str) -> None:
    reporting.reason = reason[:200]
    reporting.closed_on = timezone.localdate()
    end_claims_of(reporting, reason=reason, by=by)


def _leave(reporting: Reporting, by: Any, reason: str) -> None:
    """The person is no longer a member of the unit: the record is closed as well as the row."""
    _close(reporting, by, reason)
    reporting.member.left_on = reporting.closed_on
    reporting.member.save(update_fields=["left_on", "updated_at"])


def _feed_back(reporting: Reporting, by: Any, opinion: str, year: int, comment: str = "") -> None:
    today = timezone.localdate()
    if not reporting.reported_on.year <= year <= today.year:
        raise Refused(
            f"反馈年度须在报到当年（{reporting.reported_on.year}）至今年之间。", field="year"
        )
    if reporting.feedbacks.filter(year=year).exists():
        raise Refused(f"{year} 年度已经反馈过，不能重复反馈。", field="year")
    Feedback.objects.create(
        reporting=reporting, year=year, opinion=opinion, comment=comment.strip(), on=today, by=by
    )


REPORTING = Machine(
    "members.Reporting",
    states=R,
    deeds={"open": "登记"},
    transitions=[
        Transition(
            "receive",
            "确认报到",
            [R.PENDING],
            R.REPORTED,
            perm="members.receive",
            apply=_receive,
            tell=unit_people,
            form="members.forms.ReceiveForm",
            hint="确认后该党员即可认领岗位、登记服务。",
        ),
        Transition(
            "return",
            "退回",
            [R.PENDING],
            R.RETURNED,
            perm="members.receive",
            reason=True,
            apply=_keep_reason,
            tell=unit_people,
            tone="default",
            hint="退回给单位联络员，由其更正后重新报到，或转到正确的社区。",
        ),
        Transition(
            "resubmit",
            "重新报到",
            [R.RETURNED],
            R.PENDING,
            perm="members.register",
            apply=_forget_reason,
            tell=community_people,
            hint="更正后重新报给社区。",
        ),
        Transition(
            "exempt",
            "免报",
            [R.PENDING, R.RETURNED, R.REPORTED],
            R.EXEMPT,
            perm="members.receive",
            reason=True,
            apply=_keep_reason,
            tell=unit_people,
            tone="default",
            hint="因驻外、重病等不需要报到的，写明原因；以后可以恢复。",
        ),
        Transition(
            "resume",
            "恢复报到",
            [R.EXEMPT],
            R.PENDING,
            perm="members.receive",
            apply=_forget_reason,
            tell=unit_people,
        ),
        Transition("take_post", "领岗", [R.REPORTED], R.POSTED),
        Transition("leave_posts", "离岗", [R.POSTED], R.REPORTED),
        Transition("serve", "开始服务", [R.REPORTED, R.POSTED, R.REVIEWED], R.SERVING),
        Transition(
            "feed_back",
            "年度反馈",
            [R.REPORTED, R.POSTED, R.SERVING],
            R.REVIEWED,
            perm="members.receive",
            apply=_feed_back,
            tell=unit_people,
            form="members.forms.FeedbackForm",
            hint="社区评价反馈给单位党组织，每年一次，提交后不能修改。",
        ),
        Transition("move", "转出", OPEN, R.MOVED, reason=True, apply=_close, tell=community_people),
        Transition(
            "cancel",
            "注销",
            OPEN,
            R.CANCELLED,
            perm="members.register",
            reason=True,
            apply=_leave,
            tell=community_people,
            tone="danger",
            hint="党员调离单位、退休或去世时使用。已有的服务记录保留；以后重新到岗须重新登记。",
        ),
    ],
)

POST = Machine(
    "members.Post",
    states=PostState,
    deeds={"publish": "发布", "revise": "修改"},
    transitions=[
        Transition(
            "close",
            "停止招募",
            [PostState.OPEN],
            PostState.CLOSED,
            perm="members.post",
            tone="default",
            hint="不再接受新的认领，已在岗的不受影响。",
        ),
        Transition("reopen", "恢复招募", [PostState.CLOSED], PostState.OPEN, perm="members.post"),
    ],
)


def _own_late_entry(record: ServiceRecord, by: Any) -> str | None:
    if record.is_late and by is not None and record.recorded_by_id == by.pk:
        return "补录须由登记人以外的人确认，请本社区其他人员或街道办理。"
    return None


def _decide(record: ServiceRecord, by: Any) -> None:
    record.decided_by, record.decided_at = by, timezone.now()


def _confirm(record: ServiceRecord, by: Any) -> None:
    _decide(record, by)
    reporting = Reporting.objects.select_for_update(of=("self",)).get(pk=record.reporting_id)
    if reporting.state not in ACCEPTED or reporting.state == R.SERVING:
        return
    told = reporting.feedbacks.order_by("-year").values_list("year", flat=True).first()
    # After a year's feedback a service of that year changes nothing; the next year begins anew.
    if reporting.state != R.REVIEWED or told is None or record.served_on.year > told:
        transit(reporting, "serve", by=None)


def _return(record: ServiceRecord, by: Any, reason: str) -> None:
    _decide(record, by)
    record.return_reason = reason[:200]


SERVICE = Machine(
    "members.ServiceRecord",
    states=V,
    deeds={"record": "登记", "late": "补录"},
    transitions=[
        Transition(
            "confirm",
            "确认",
            [V.RECORDED],
            V.CONFIRMED,
            perm="members.receive",
            guard=_own_late_entry,
            apply=_confirm,
            hint="确认后计入服务次数和时长，不能再改。",
        ),
        Transition(
            "return",
            "退回",
            [V.RECORDED],
            V.RETURNED,
            perm="members.receive",
            reason=True,
            apply=_return,
            tone="default",
            hint="退回的记录不计入；如系填错，请重新登记一条。",
        ),
    ],
)
