"""The item's state after publication follows from its claims.

While places are free the item is 已发布; once full it stands where its slowest claim stands.
With one place that is simply the state of its one claim (docs/adr/0002-services-item-and-claim.md).
"""

from __future__ import annotations

from core.transitions import transit
from services.enums import PATH, ClaimState, ItemState
from services.models import Claim, Item

_WAY = [ItemState.PUBLISHED, *(ItemState(s) for s in PATH)]
# The name of the step that leads forward to each state (services/transitions.py).
_STEP_TO = {
    ItemState.CLAIMED: "fill",
    ItemState.CONTACTING: "contact",
    ItemState.WORKING: "start",
    ItemState.SUBMITTED: "deliver",
    ItemState.ACCEPTED: "accept",
    ItemState.RATED: "rate",
    ItemState.CLOSED: "close",
}


def follow(item: Item, moved: Claim | None = None) -> Item:
    """Bring the item's state in line with its claims; returns it fresh.

    `moved` is a claim whose new state is not written yet (from within its transition). Takes
    the item's row lock first, so that two claims that move at once are seen one after the other.
    """
    item = Item.objects.select_for_update(of=("self",)).get(pk=item.pk)
    target = _summary(item, moved)
    while item.state != target:
        item = transit(item, _next_step(ItemState(item.state), target), by=None)
    return item


def _summary(item: Item, moved: Claim | None) -> ItemState:
    states = dict(item.claims.live().values_list("pk", "state"))
    if moved is not None:
        states[moved.pk] = moved.state
        if moved.state == ClaimState.WITHDRAWN:
            del states[moved.pk]
    if item.claimed < item.capacity or not states:
        return ItemState.PUBLISHED
    return ItemState(min(states.values(), key=PATH.index))


def _next_step(state: ItemState, target: ItemState) -> str:
    if _WAY.index(target) > _WAY.index(state):
        return _STEP_TO[_WAY[_WAY.index(state) + 1]]
    return "reopen" if target == ItemState.PUBLISHED else "rework"
