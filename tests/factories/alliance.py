"""Agreements in every state, built through the platform's own actions."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace

from django.utils import timezone

from accounts.enums import Role
from alliance.actions.agreement import confirm_agreement, draft_agreement
from alliance.actions.clause import add_clause
from alliance.enums import ClauseCategory, Side
from alliance.models import Agreement, Clause
from core.transitions import transit
from orgs.models import Area, Unit
from tests.factories.accounts import person
from tests.factories.orgs import unit


def pair(community: Area, count: int = 1) -> SimpleNamespace:
    """A community with its worker and `count` units with a liaison each (`.unit`, `.liaison`
    the first)."""
    units = [unit(community) for _ in range(count)]
    liaisons = [person(Role.UNIT_LIAISON, u) for u in units]
    return SimpleNamespace(
        community=community,
        worker=person(Role.COMMUNITY_WORKER, community),
        units=units,
        liaisons=liaisons,
        unit=units[0],
        liaison=liaisons[0],
    )


def draft(
    sides: SimpleNamespace,
    *,
    starts_on: date | None = None,
    ends_on: date | None = None,
    clauses: int = 1,
    **fields,
) -> Agreement:
    """A draft by the community's worker, with `clauses` that the first unit is to deliver."""
    starts_on = starts_on or timezone.localdate()
    ends_on = ends_on or starts_on + timedelta(days=364)
    fields = {"title": "共建协议", "goal": "共同服务辖区居民", "liaison": "李社区", **fields}
    agreement = draft_agreement(
        community=sides.community,
        units=sides.units,
        starts_on=starts_on,
        ends_on=ends_on,
        by=sides.worker,
        **fields,
    )
    for _ in range(clauses):
        clause(agreement, by=sides.worker)
    return Agreement.objects.get(pk=agreement.pk)


def clause(agreement: Agreement, *, by, unit: Unit | None = None, **fields) -> Clause:
    """A clause of the first unit, or of `unit`."""
    fresh = Agreement.objects.get(pk=agreement.pk)
    sides = fresh.parties.filter(side=Side.UNIT)
    fields = {
        "category": ClauseCategory.EVENTS,
        "content": "为居民义诊",
        "quantity": Decimal(4),
        "measure": "次",
        "due_on": fresh.ends_on,
        **fields,
    }
    party = sides.get(unit=unit) if unit else sides.first()
    return add_clause(agreement=fresh, version=fresh.version, party=party, by=by, **fields)


def pending(sides: SimpleNamespace, **fields) -> Agreement:
    """Sent out to be signed, nobody has signed yet."""
    return transit(draft(sides, **fields), "submit", by=sides.worker)


def signed(sides: SimpleNamespace, **fields) -> Agreement:
    """Signed by every side on its own sign-in: in force, or waiting for its first day."""
    agreement = pending(sides, **fields)
    for who in (sides.worker, *sides.liaisons):
        agreement = confirm_agreement(agreement=agreement, version=agreement.version, by=who)
    return agreement
