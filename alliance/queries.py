"""Reads across agreements, their parties and clauses."""

from __future__ import annotations

from typing import Any

from accounts.queries import people_with
from alliance.enums import AgreementState
from alliance.models import Agreement, Clause, Party
from core.scope import AreaRule

_PLACE = AreaRule("agreement__")


def people_of(agreement: Agreement, by: Any = None) -> set[int]:
    """Ids of the users who act for any party of the agreement."""
    people = set(people_with("alliance.confirm", area=agreement.area))
    for party in agreement.parties.select_related("unit").exclude(unit=None):
        people |= set(people_with("alliance.confirm", unit=party.unit))
    return people


def own_parties(agreement: Agreement, user: Any) -> list[Party]:
    """The parties for which `user` may sign, the community's first."""
    reach = user.reach("alliance.confirm")
    parties = agreement.parties.select_related("unit", "agreement__area", "confirmed_by")
    return [
        party
        for party in parties
        if (party.unit_id in reach.units if party.unit_id else _PLACE.test(party, reach, ""))
    ]


def party_to_sign(agreement: Agreement, user: Any) -> Party | None:
    """The party whose confirmation by `user` is awaited, if one is."""
    if agreement.state != AgreementState.PENDING:
        return None
    return next((p for p in own_parties(agreement, user) if not p.confirmed_at), None)


def clauses_to_deliver(*, unit_id: int | None = None, community_id: int | None = None):
    """Clauses of agreements in force that a unit, or a community, has promised to deliver.

    What the upper rooms offer when somebody records a deed under an agreement.
    """
    clauses = Clause.objects.filter(agreement__state=AgreementState.ACTIVE)
    if unit_id is not None:
        return clauses.filter(party__unit=unit_id)
    return clauses.filter(party__unit=None, agreement__community=community_id)
