"""A claim made under a clause of an agreement counts to its fulfilment."""

from __future__ import annotations

from decimal import Decimal

from django.utils import timezone

from alliance.actions.clause import record_fulfilment
from alliance.enums import SIGNED, AgreementState
from alliance.models import Agreement, Clause, Party
from alliance.queries import clauses_to_deliver
from core.errors import Refused
from orgs.models import Area, Unit
from services.enums import ItemKind
from services.models import Claim, Item


def check_clause(claim: Claim) -> None:
    """Refuse a clause that the provider has not promised to the receiver, in force today."""
    if claim.clause is None:
        return
    provider, receiver = _sides(claim)
    parties = claim.clause.agreement.parties.select_related("agreement")
    if not _is(claim.clause.party, *provider) or not any(_is(p, *receiver) for p in parties):
        raise Refused(
            "所选协议条款不是双方之间约定的，请改选，或不选条款直接认领。", field="clause"
        )
    if claim.clause.agreement.state != AgreementState.ACTIVE:
        raise Refused(
            f"协议 {claim.clause.agreement.number} 当前未生效，不能计入履约。请改选条款，或不选条款直接认领。",
            field="clause",
        )


def clauses_for(item: Item, *, unit: Unit | None = None, area: Area | None = None):
    """Clauses under which this side may claim `item`: those the provider promised the receiver."""
    provider, receiver = _split(item, (unit, area), (item.unit, item.area))
    theirs = clauses_to_deliver(
        unit_id=provider[0].pk if provider[0] else None,
        community_id=None if provider[0] else provider[1].community_id,
    )
    agreements = Party.objects.filter(unit=receiver[0]) if receiver[0] else None
    if agreements is not None:
        return theirs.filter(agreement__in=agreements.values("agreement"))
    return theirs.filter(agreement__community=receiver[1].community_id)


def count_fulfilment(claim: Claim) -> None:
    """Count an accepted claim to its clause, on the day it was handed over.

    An agreement that ended before that day takes nothing more; the acceptance stands all the same.
    """
    if claim.clause is None or not _in_force(claim.clause, claim):
        return
    record_fulfilment(
        clause=claim.clause,
        quantity=Decimal(claim.delivered),
        on=timezone.localdate(claim.submitted_at),
        source=claim,
        by=None,
    )


def _in_force(clause: Clause, claim: Claim) -> bool:
    agreement: Agreement = clause.agreement
    day = timezone.localdate(claim.submitted_at)
    last = agreement.ended_on or agreement.ends_on
    return agreement.state in SIGNED and agreement.starts_on <= day <= last


def _sides(claim: Claim):
    return _split(claim.item, (claim.unit, claim.area), (claim.item.unit, claim.item.area))


def _split(item: Item, claimant, publisher):
    """(provider, receiver), each as (unit, area)."""
    return (claimant, publisher) if item.kind == ItemKind.NEED else (publisher, claimant)


def _is(party: Party, unit: Unit | None, area: Area) -> bool:
    """Whether a party of an agreement is this side. A grid stands under its community."""
    if unit is not None or party.unit_id is not None:
        return unit is not None and party.unit_id == unit.pk
    return party.agreement.area_id in (area.pk, area.community_id)
