"""How far a resident's matter is, in words that need no explanation."""

from __future__ import annotations

from dataclasses import dataclass

from services.enums import (
    OPEN_RECTIFICATION,
    ClaimState,
    ItemState,
    RectificationState,
    TicketState,
)
from services.models import Claim, Rectification, Ticket

STEPS = ("已提交", "社区受理", "单位认领", "正在办理", "办理完成")
_REACHED = {
    ItemState.DRAFT: 1,
    ItemState.PENDING: 1,
    ItemState.RETURNED: 1,
    ItemState.PUBLISHED: 1,
    ItemState.CLAIMED: 2,
    ItemState.CONTACTING: 2,
    ItemState.WORKING: 3,
    ItemState.SUBMITTED: 3,
    ItemState.ACCEPTED: 4,
    ItemState.RATED: 4,
    ItemState.CLOSED: 4,
}
_NOW = {
    ItemState.DRAFT: "社区已受理，正在整理发布。",
    ItemState.PENDING: "社区已受理，正在审核发布。",
    ItemState.RETURNED: "社区已受理，正在修改后发布。",
    ItemState.PUBLISHED: "已发布，等待单位认领。",
    ItemState.CLAIMED: "已有单位认领，7日内会与社区对接。",
    ItemState.CONTACTING: "单位正在与社区商定办理办法。",
    ItemState.WORKING: "单位正在办理。",
    ItemState.SUBMITTED: "单位已办完，社区正在验收。",
    ItemState.ACCEPTED: "已办完，请您评价。",
    ItemState.RATED: "已办完，感谢您的评价。",
    ItemState.CLOSED: "已办结。",
}
# After a bad rating, until it is put right: whoever gave it learns that it had consequences.
_PUT_RIGHT = {
    RectificationState.OPEN: "您的评价已收到，单位正在整改，{day.month}月{day.day}日前有结果。",
    RectificationState.REPORTED: "您的评价已收到，单位已经整改，社区正在回访。",
}
# The same for anybody, in a word: beside a published need, where 待验收 would be the staff's.
IN_A_WORD = {
    ItemState.PUBLISHED: "待认领",
    ItemState.CLAIMED: "已有人认领",
    ItemState.CONTACTING: "已有人认领",
    ItemState.WORKING: "正在办理",
    ItemState.SUBMITTED: "正在办理",
    ItemState.ACCEPTED: "已办结",
    ItemState.RATED: "已办结",
    ItemState.CLOSED: "已办结",
}


@dataclass(frozen=True)
class Progress:
    """`reached` is the index in STEPS of the last step done; -1 of none (not adopted)."""

    reached: int
    now: str
    reason: str
    can_rate: bool
    item_number: str


def progress_of(ticket: Ticket) -> Progress:
    """What the holder of the secret is told. Names nobody."""
    if ticket.state == TicketState.RETURNED:
        return Progress(0, "社区没有采纳。", ticket.return_reason, can_rate=False, item_number="")
    if ticket.item is None:
        return Progress(0, "已收到，社区工作人员会尽快查看。", "", can_rate=False, item_number="")
    state = ticket.item.state
    can_rate = Claim.objects.filter(item=ticket.item, state=ClaimState.ACCEPTED).exists()
    return Progress(
        _REACHED[state],
        (state == ItemState.RATED and _put_right(ticket)) or _NOW[state],
        "",
        can_rate=can_rate,
        item_number=ticket.item.number if ticket.item.published_at else "",
    )


def _put_right(ticket: Ticket) -> str:
    """Of several that are put right at once, the one that takes longest."""
    asked = Rectification.objects.filter(rating__claim__item=ticket.item)
    matter = asked.filter(state__in=OPEN_RECTIFICATION).order_by("due_on").last()
    return _PUT_RIGHT[RectificationState(matter.state)].format(day=matter.due_on) if matter else ""
