"""Items, claims and tickets in any state, brought there by the platform's own actions."""

from __future__ import annotations

import itertools
from typing import Any

from core.transitions import transit
from orgs.models import Area, Unit
from services.actions.claims import claim_item
from services.actions.items import create_item, submit_item
from services.actions.tickets import adopt_ticket, return_ticket, submit_ticket
from services.enums import PATH, ClaimState, Grade, ItemKind, ItemState
from services.models import Claim, Item, Ticket
from tests.factories.accounts import person

_serial = itertools.count(1)


def worker(area: Area):
    """A community worker of the place."""
    return person("community_worker", area)


def liaison(unit: Unit):
    return person("unit_liaison", unit)


def item(place: Area | Unit, *, state: str = ItemState.PUBLISHED, by=None, **values: Any) -> Item:
    """An item of a community or a unit: draft, pending, returned or published."""
    unit = place if isinstance(place, Unit) else None
    area = place.area if unit else place
    serial = next(_serial)
    office = worker(area)
    by = by or (liaison(unit) if unit else office)
    values = {
        "kind": ItemKind.NEED,
        "title": f"暑期托管志愿者{serial}",
        "content": "每周两个下午，陪小学生写作业。",
        **values,
    }
    made = create_item(by=by, unit=unit, area=None if unit else area, **values)
    if state == ItemState.DRAFT:
        return made
    made = submit_item(item=made, by=by)
    if state == ItemState.PENDING:
        return made
    if state == ItemState.RETURNED:
        return transit(made, "return", by=office, reason="请补充时段")
    if state != ItemState.PUBLISHED:
        raise ValueError("past 已发布 an item follows its claims: use claim(..., state=…)")
    return transit(made, "publish", by=office)


def claim(
    of: Item, claimant: Area | Unit, *, state: str = ClaimState.CLAIMED, grade=Grade.GOOD, **values
) -> Claim:
    """A claim on a published item, carried forward to `state`."""
    people = sides(of, claimant)
    unit = claimant if isinstance(claimant, Unit) else None
    made = claim_item(
        item=of, by=people["claimant"], unit=unit, area=None if unit else claimant, **values
    )
    if state == ClaimState.WITHDRAWN:
        return transit(made, "withdraw", by=people["claimant"], reason="人手不足")
    for reached in PATH[1 : PATH.index(ClaimState(state)) + 1]:
        made = advance(made, reached, people, grade=grade)
    return made


_STEPS = {
    ClaimState.CONTACTING: ("contact", "claimant"),
    ClaimState.WORKING: ("start", "provider"),
    ClaimState.SUBMITTED: ("deliver", "provider"),
    ClaimState.ACCEPTED: ("accept", "receiver"),
    ClaimState.RATED: ("rate", "receiver"),
    ClaimState.CLOSED: ("close", "office"),
}


def advance(made: Claim, reached: str, people: dict, *, grade=Grade.GOOD) -> Claim:
    """One step forward, to the state `reached`, by the side whose step it is."""
    name, side = _STEPS[ClaimState(reached)]
    data = {"grade": grade} if name == "rate" else {}
    return transit(made, name, by=people[side], **data)


def sides(of: Item, claimant: Area | Unit) -> dict[str, Any]:
    """People of each side: publisher, claimant, provider, receiver, office."""
    office = worker(of.area)
    publisher = liaison(of.unit) if of.unit else office
    other = liaison(claimant) if isinstance(claimant, Unit) else worker(claimant)
    need = of.kind == ItemKind.NEED
    return {
        "office": office,
        "publisher": publisher,
        "claimant": other,
        "provider": other if need else publisher,
        "receiver": publisher if need else other,
    }


def ticket(community: Area, **values: Any) -> tuple[Ticket, str]:
    """A resident's ticket and its secret."""
    values = {"content": "楼道灯坏了一个星期，老人晚上看不清。", **values}
    return submit_ticket(community=community, **values)


def adopted(ticket: Ticket) -> Item:
    """The published need that the community wrote from a resident's ticket."""
    office = worker(ticket.area)
    ticket = adopt_ticket(
        ticket=ticket,
        by=office,
        title="楼道照明维修",
        content="楼道灯不亮，需要检修。",
        then="publish",
    )
    return Item.objects.get(pk=ticket.item_id)


def returned(ticket: Ticket, reason: str) -> Ticket:
    """Declined by the community, with the reason that the resident reads."""
    return return_ticket(ticket=ticket, by=worker(ticket.area), reason=reason)
