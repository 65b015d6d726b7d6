"""Claiming an item. A claim then moves by `transit` (services/transitions.py)."""

from __future__ import annotations

from datetime import date, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from alliance.models import Clause
from core import audit
from core.errors import Conflict, Refused
from core.scope import require, still_visible
from orgs.enums import UnitState
from orgs.models import Area, Unit
from services.actions.clauses import check_clause
from services.actions.follow import follow
from services.actions.items import is_past
from services.enums import DEFAULT_DUE_DAYS, Direction, ItemState
from services.models import Claim, Item
from services.scopes import CLAIMANT


def claim_item(
    *,
    item: Item,
    by,
    unit: Unit | None = None,
    area: Area | None = None,
    quantity: int = 1,
    responsible: str = "",
    due_on: date | None = None,
    clause: Clause | None = None,
) -> Claim:
    """Claim places of a published item for a unit or for a community.

    The places are taken by one conditional update, so that parallel claims never exceed the
    capacity; who comes too late gets a `Conflict` that says so. `responsible` defaults to the
    person's own name, `due_on` to the item's date or a month from today. Under a `clause` of an
    agreement between the two sides the result counts to its fulfilment.
    """
    if (unit is None) == (area is None):
        raise Refused("请选择认领方：本单位或本社区。", field="claimant")
    if area and area.kind not in ("street", "community"):
        raise Refused("由街道、社区或驻区单位认领，请改选。", field="claimant")
    if unit and unit.state != UnitState.ACTIVE:
        raise Refused(f"“{unit.name}”已迁出，不能再认领。", field="claimant")
    today = timezone.localdate()
    side = unit or area
    claim = Claim(
        item=item,
        area=unit.area if unit else area,
        unit=unit,
        claimant=side.name,
        direction=Direction(f"{'unit' if unit else 'area'}_{item.kind}"),
        quantity=quantity,
        responsible=responsible.strip() or by.name,
        due_on=due_on or max(item.due_on or today + timedelta(days=DEFAULT_DUE_DAYS), today),
        clause=clause,
        claimed_by=by,
        claimed_at=timezone.now(),
    )
    with transaction.atomic():
        claim.stamp()
        require(by, "services.claim", claim, CLAIMANT)
        require(by, "services.view", item)
        _check(claim)
        check_clause(claim)
        _take_places(claim)
        claim.save()
        still_visible(claim, by)
        audit.record("services.claim.create", claim, by=by, after=audit.snapshot(claim))
        claim.item = follow(item)
    return claim


def _take_places(claim: Claim) -> None:
    """Move the item's counter if there is room; holds the item's row until the end."""
    item, same = claim.item, Claim.objects.filter(item=claim.item).open()
    same = same.filter(unit=claim.unit) if claim.unit else same.filter(unit=None, area=claim.area)
    took = Item.objects.filter(
        pk=item.pk, state=ItemState.PUBLISHED, claimed__lte=F("capacity") - claim.quantity
    ).update(claimed=F("claimed") + claim.quantity, updated_at=timezone.now())
    # Under the item's lock now: no second claim of this side can slip in between.
    if same.exists():
        raise Conflict(
            f"“{claim.claimant}”已认领此事项且尚未销号，不能重复认领。请在“认领”中查看进度。"
        )
    if took:
        return
    item.refresh_from_db(fields=["state", "claimed", "capacity"])
    if item.state == ItemState.PUBLISHED and item.places_left:
        raise Refused(f"只剩 {item.places_left} 个名额，请减少认领名额。", field="quantity")
    if item.claimed >= item.capacity:
        raise Conflict("名额已满，已被其他单位认领。请返回清单选择其他事项。")
    raise Conflict(f"此事项当前是“{item.get_state_display()}”，不能认领。请返回清单刷新查看。")


def _check(claim: Claim) -> None:
    item = claim.item
    if claim.unit_id == item.unit_id and (claim.unit_id or claim.area_id == item.area_id):
        raise Refused("不能认领自己提出的事项。", field="claimant")
    if claim.quantity < 1:
        raise Refused("认领名额至少为 1。", field="quantity")
    if is_past(claim.due_on):
        raise Refused("时限不能早于今天，请改选日期。", field="due_on")
