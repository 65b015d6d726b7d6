"""Tables of the lists."""

from __future__ import annotations

from core.tables import Column, Table
from services.enums import DELIVERED
from services.models import Claim, Item

STATE_TONES = {
    "draft": "neutral",
    "pending": "warn",
    "returned": "bad",
    "published": "info",
    "claimed": "info",
    "contacting": "info",
    "working": "info",
    "submitted": "warn",
    "accepted": "ok",
    "rated": "ok",
    "closed": "neutral",
    "withdrawn": "neutral",
}
TICKET_TONES = {"received": "warn", "adopted": "info", "returned": "bad", "closed": "neutral"}


def places(item: Item) -> str:
    """How many of how many places are claimed."""
    return f"{item.claimed}/{item.capacity}"


def delivered(row: Item | Claim) -> bool:
    """Whether its date has stopped to run."""
    return row.state in DELIVERED


class ItemTable(Table):
    known_by = ("publisher", "number")
    reads = ("claimed", "capacity", "state", "kind", "title")
    columns = (
        Column("title", "名称", link="services:item"),
        Column("kind", "类别"),
        Column("publisher", "提出单位"),
        Column("topic", "事项", spare=True),
        Column("beneficiary", "受益对象", spare=True),
        Column("claimed", "名额", render=places, minor=True),
        Column("state", "状态", tag=STATE_TONES),
        Column("due_on", "时限", due=True, ended=delivered, sort=True),
        Column("number", "编号", minor=True, sort="pk"),
    )


class OfferTable(Table):
    """What may be claimed: left over from earlier rounds first, then the newest."""

    reads = ("claimed", "capacity", "carried", "published_at", "title")
    columns = (
        Column("title", "名称", link="services:item"),
        Column("kind", "类别", tag=True),
        Column("publisher", "提出单位"),
        Column("beneficiary", "受益对象"),
        Column("claimed", "名额", render=places, minor=True),
        Column("due_on", "时限", due=True, sort=True),
        Column("published_at", "发布日期", date=True, sort=True, minor=True),
        Column("pk", "办理", link="services:item-claim", render=lambda item: "认领", step=True),
    )

    @classmethod
    def order_by(cls, wanted: str) -> list[str]:
        order = super().order_by(wanted)
        return ["-carried", "-pk"] if order == [cls.order] else order


class ClaimTable(Table):
    known_by = ("item__publisher", "item__number")
    columns = (
        Column("item__title", "事项", link="services:claim"),
        Column("claimant", "认领方"),
        Column("direction", "认领方向", minor=True),
        Column("responsible", "责任人"),
        Column("state", "进度", tag=STATE_TONES),
        Column("due_on", "时限", due=True, ended=delivered, sort=True),
        Column("claimed_at", "认领日期", date=True, sort="pk", minor=True),
        Column("item__publisher", "提出单位", spare=True),
        Column("item__number", "编号", spare=True),
    )


class TicketTable(Table):
    columns = (
        Column("number", "单号", link="services:ticket"),
        Column("content", "诉求", render=lambda t: t.content[:40]),
        Column("topic", "事项"),
        Column("area__name", "社区", minor=True),
        Column("state", "状态", tag=TICKET_TONES),
        Column("created_at", "提交时间", time=True, sort="pk"),
    )
