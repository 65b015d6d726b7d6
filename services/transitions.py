"""How items, claims, rectifications and tickets move: the tables of domain.md §4."""

from __future__ import annotations

from decimal import Decimal

from django.utils import timezone

from core.transitions import Machine, Transition
from services import notices
from services.actions import ratings
from services.actions.clauses import count_fulfilment
from services.actions.follow import follow
from services.actions.items import is_past, write_need
from services.enums import ClaimState as C
from services.enums import ItemState as I
from services.enums import RectificationState as R
from services.enums import TicketState as T
from services.models import Claim, Item, Rectification, Ticket
from services.people import (
    both_sides,
    callers,
    claimant_people,
    drafter,
    provider_people,
    publisher_people,
    receiver_people,
    rectifiers,
    reviewers,
    sides_of_matter,
    told_of_rating,
)
from services.rounds import round_of
from services.scopes import AUTHOR, CALLER, CLAIMANT, OFFICE, PARTIES, PROVIDER, RECEIVER, RECTIFIER

# Items -------------------------------------------------------------------------------------


def _in_time(item: Item, by) -> str | None:
    """Its author can mend what is not submitted; what waits for publication must go back first."""
    if not is_past(item.due_on):
        return None
    if item.state == I.PENDING:
        return f"时限 {item.due_on} 已过，请先退回，改期后再发布。"
    return f"时限 {item.due_on} 已过，请先修改时限，再提交审核。"


def _unclaimed(item: Item, by) -> str | None:
    if item.claimed:
        return f"已有 {item.claimed} 个名额被认领，不能撤下。可将名额调整为已认领数，不再接受新的认领。"
    return None


def _publish(item: Item, by) -> None:
    item.decided_by, item.decided_at, item.return_reason = by, timezone.now(), ""
    item.published_at = item.decided_at
    item.round = round_of(timezone.localdate(item.decided_at))


def _send_back(item: Item, by, reason: str) -> None:
    item.decided_by, item.decided_at, item.return_reason = by, timezone.now(), reason
    item.published_at = item.round = None


def _close_item(item: Item, by) -> None:
    item.closed_at = timezone.now()
    ticket = Ticket.objects.filter(item=item).first()
    if ticket is not None:
        from core.transitions import transit

        transit(ticket, "close", by=None)


ITEM = Machine(
    "services.Item",
    states=I,
    deeds={"resize": "调整名额", "carry": "流转下轮", "discard": "删除草稿"},
    transitions=[
        Transition(
            "submit",
            "提交审核",
            [I.DRAFT, I.RETURNED],
            I.PENDING,
            perm="services.draft",
            within=AUTHOR,
            guard=_in_time,
            tell=reviewers,
            hint="提交后由社区或街道审核，审核期间不能修改。",
        ),
        Transition(
            "recall",
            "撤回修改",
            [I.PENDING],
            I.DRAFT,
            perm="services.draft",
            within=AUTHOR,
            tone="default",
        ),
        Transition(
            "publish",
            "发布",
            [I.PENDING],
            I.PUBLISHED,
            perm="services.review",
            guard=_in_time,
            apply=_publish,
            tell=drafter,
            hint="发布后居民和驻区单位都能看到。请确认没有居民姓名、住址和健康情况。",
        ),
        Transition(
            "return",
            "退回",
            [I.PENDING],
            I.RETURNED,
            perm="services.review",
            reason=True,
            apply=_send_back,
            tell=drafter,
            tone="danger",
        ),
        Transition(
            "withdraw",
            "撤下",
            [I.PUBLISHED],
            I.RETURNED,
            perm="services.review",
            reason=True,
            guard=_unclaimed,
            apply=_send_back,
            tell=drafter,
            tone="danger",
            hint="撤下后不再公开，提出人可修改后重新提交。",
        ),
        # The rest follow the claims (actions/follow.py); no person takes them.
        Transition("fill", "名额认满", [I.PUBLISHED], I.CLAIMED),
        Transition("contact", "开始对接", [I.CLAIMED], I.CONTACTING),
        Transition("start", "开始实施", [I.CONTACTING], I.WORKING),
        Transition("deliver", "提请验收", [I.WORKING], I.SUBMITTED),
        Transition("rework", "验收退回", [I.SUBMITTED], I.WORKING),
        Transition("accept", "验收通过", [I.SUBMITTED], I.ACCEPTED),
        Transition("rate", "评价", [I.ACCEPTED], I.RATED),
        Transition("close", "销号", [I.RATED], I.CLOSED, apply=_close_item),
        Transition(
            "reopen",
            "重新开放名额",
            [I.CLAIMED, I.CONTACTING, I.WORKING, I.SUBMITTED, I.ACCEPTED, I.RATED],
            I.PUBLISHED,
        ),
    ],
)

# Claims ------------------------------------------------------------------------------------


def _contact(claim: Claim, by) -> None:
    claim.contacted_at = timezone.now()
    follow(claim.item, claim)


def _start(claim: Claim, by) -> None:
    claim.started_at = timezone.now()
    follow(claim.item, claim)


def _deliver(claim: Claim, by, result: str = "", delivered: Decimal | None = None) -> None:
    claim.result = result.strip()
    if claim.clause_id:
        claim.delivered = delivered or claim.quantity
    claim.submitted_at, claim.return_reason = timezone.now(), ""
    follow(claim.item, claim)


def _accept(claim: Claim, by) -> None:
    claim.accepted_by, claim.accepted_at = by, timezone.now()
    count_fulfilment(claim)
    follow(claim.item, claim)


def _rework(claim: Claim, by, reason: str) -> None:
    claim.submitted_at, claim.return_reason = None, reason
    claim.returns += 1
    follow(claim.item, claim)


def _rate(claim: Claim, by, grade: str, comment: str = "") -> None:
    ratings.give_rating(claim, grade=grade, comment=comment)
    follow(claim.item, claim)


def _follow_up(claim: Claim, by) -> None:
    ratings.open_rectification(claim)


def _close(claim: Claim, by) -> None:
    claim.closed_at = timezone.now()
    follow(claim.item, claim)


def _release(claim: Claim, by, reason: str) -> None:
    claim.withdrawn_at, claim.return_reason = timezone.now(), reason
    item = Item.objects.select_for_update(of=("self",)).get(pk=claim.item_id)
    item.claimed -= claim.quantity
    item.save(update_fields=["claimed", "updated_at"])
    follow(item, claim)


def _staff_may_rate(claim: Claim, by) -> str | None:
    return None if by is None else ratings.resident_has_the_word(claim)


def _put_right(claim: Claim, by) -> str | None:
    return ratings.rectification_open(claim)


_BEFORE_ACCEPTANCE = [C.CLAIMED, C.CONTACTING, C.WORKING]

CLAIM = Machine(
    "services.Claim",
    states=C,
    deeds={"create": "认领"},
    transitions=[
        Transition(
            "contact",
            "登记对接",
            [C.CLAIMED],
            C.CONTACTING,
            perm="services.handle",
            within=PARTIES,
            apply=_contact,
            tell=both_sides,
            hint="双方已联系上、约定了做法时登记。认领后 7 日内应完成对接。",
        ),
        Transition(
            "start",
            "开始实施",
            [C.CONTACTING],
            C.WORKING,
            perm="services.handle",
            within=PROVIDER,
            apply=_start,
        ),
        Transition(
            "deliver",
            "提请验收",
            [C.WORKING],
            C.SUBMITTED,
            perm="services.handle",
            within=PROVIDER,
            apply=_deliver,
            tell=receiver_people,
            form="services.forms.DeliverForm",
        ),
        Transition(
            "accept",
            "验收通过",
            [C.SUBMITTED],
            C.ACCEPTED,
            perm="services.accept",
            within=RECEIVER,
            apply=_accept,
            tell=provider_people,
        ),
        Transition(
            "rework",
            "退回整改",
            [C.SUBMITTED],
            C.WORKING,
            perm="services.accept",
            within=RECEIVER,
            reason=True,
            apply=_rework,
            tell=provider_people,
            tone="danger",
        ),
        Transition(
            "rate",
            "评价",
            [C.ACCEPTED],
            C.RATED,
            perm="services.accept",
            within=RECEIVER,
            system=True,
            confidential=True,
            guard=_staff_may_rate,
            apply=_rate,
            then=_follow_up,
            tell=told_of_rating,
            say=notices.of_rating,
            form="services.forms.RatingForm",
            hint="评价人身份保密，只显示等级和意见。差评将发起整改并回访。",
        ),
        Transition(
            "close",
            "销号",
            [C.RATED],
            C.CLOSED,
            perm="services.accept",
            within=OFFICE,
            guard=_put_right,
            apply=_close,
        ),
        Transition(
            "withdraw",
            "退出认领",
            _BEFORE_ACCEPTANCE,
            C.WITHDRAWN,
            perm="services.claim",
            within=CLAIMANT,
            reason=True,
            apply=_release,
            tell=publisher_people,
            tone="danger",
            hint="退出后名额重新开放给其他单位。",
        ),
        Transition(
            "release",
            "收回认领",
            _BEFORE_ACCEPTANCE,
            C.WITHDRAWN,
            perm="services.review",
            within=OFFICE,
            reason=True,
            apply=_release,
            tell=claimant_people,
            tone="danger",
            hint="认领方长期未对接或无法完成时使用，名额重新开放。",
        ),
    ],
)

# Rectifications of bad ratings ---------------------------------------------------------------


def _report(matter: Rectification, by, measure: str) -> None:
    matter.measure, matter.reported_at = measure.strip(), timezone.now()


def _call_back(matter: Rectification, by, callback: str) -> None:
    matter.callback, matter.closed_at = callback.strip(), timezone.now()


RECTIFICATION = Machine(
    "services.Rectification",
    states=R,
    deeds={"open": "发起整改"},
    transitions=[
        Transition(
            "report",
            "报告整改",
            [R.OPEN],
            R.REPORTED,
            perm="services.handle",
            within=RECTIFIER,
            apply=_report,
            tell=callers,
            say=notices.of_report,
            form="services.forms.MeasureForm",
        ),
        Transition(
            "redo",
            "退回重改",
            [R.REPORTED],
            R.OPEN,
            perm="services.accept",
            within=CALLER,
            reason=True,
            tell=rectifiers,
            say=notices.of_redo,
            tone="danger",
        ),
        Transition(
            "call_back",
            "登记回访",
            [R.REPORTED],
            R.CLOSED,
            perm="services.accept",
            within=CALLER,
            apply=_call_back,
            tell=sides_of_matter,
            say=notices.of_call_back,
            form="services.forms.CallBackForm",
        ),
    ],
)

# Residents' tickets --------------------------------------------------------------------------


def _decide_ticket(ticket: Ticket, by) -> None:
    ticket.decided_by, ticket.decided_at = by, timezone.now()


def _adopt(ticket: Ticket, by, **values) -> None:
    _decide_ticket(ticket, by)
    ticket.item = write_need(ticket, by=by, **values)


def _return_ticket(ticket: Ticket, by, reason: str) -> None:
    _decide_ticket(ticket, by)
    ticket.closed_at, ticket.return_reason = ticket.decided_at, reason


def _close_ticket(ticket: Ticket, by) -> None:
    ticket.closed_at = timezone.now()


TICKET = Machine(
    "services.Ticket",
    states=T,
    deeds={"submit": "居民提交", "reveal_phone": "查看电话", "erase_phone": "清除电话"},
    transitions=[
        Transition(
            "adopt",
            "受理",
            [T.RECEIVED],
            T.ADOPTED,
            perm="services.tickets",
            apply=_adopt,
            form="services.forms.AdoptForm",
        ),
        Transition(
            "return",
            "不予采纳",
            [T.RECEIVED],
            T.RETURNED,
            perm="services.tickets",
            reason=True,
            apply=_return_ticket,
            tone="danger",
            hint="理由会显示给居民，请写明原因和可以找谁办理。",
        ),
        Transition("close", "办结", [T.ADOPTED], T.CLOSED, apply=_close_ticket),
    ],
)
