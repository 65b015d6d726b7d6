"""Reads across agreements, their parties and clauses."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from accounts.queries import people_with
from alliance.enums import ENDING_SOON_DAYS, AgreementState
from alliance.models import Agreement, Clause, Party
from alliance.scopes import OWN_SIDE


def people_of(agreement: Agreement, by: Any = None) -> set[int]:
    """Ids of the users who act for any party of the agreement."""
    people = set(people_with("alliance.confirm", area=agreement.area))
    for party in agreement.parties.select_related("unit").exclude(unit=None):
        people |= set(people_with("alliance.confirm", unit=party.unit))
    return people


def own_parties(agreement: Agreement, user: Any) -> list[Party]:
    """The parties for which `user` may sign, the community's first."""
    parties = agreement.parties.select_related("unit", "agreement__area", "confirmed_by")
    return [party for party in parties if OWN_SIDE.holds(party, user, "alliance.confirm")]


def party_to_sign(agreement: Agreement, user: Any) -> Party | None:
    """The party whose confirmation by `user` is awaited, if one is."""
    if agreement.state != AgreementState.PENDING:
        return None
    if agreement.parties.filter(confirmed_by=user.pk).exists():
        return None  # one person signs for one side
    return next((p for p in own_parties(agreement, user) if not p.confirmed_at), None)


def to_sign(user: Any) -> QuerySet[Agreement]:
    """Agreements that wait for the signature of this user's side."""
    unsigned = Party.objects.filter(
        OWN_SIDE.q(user, "alliance.confirm"), agreement=OuterRef("pk"), confirmed_at=None
    )
    signed = Party.objects.filter(agreement=OuterRef("pk"), confirmed_by=user.pk)
    pending = Agreement.objects.filter(state=AgreementState.PENDING, signed_on=None)
    return pending.filter(Exists(unsigned), ~Exists(signed))


def ending_soon(user: Any) -> QuerySet[Agreement]:
    """Agreements of this user's sides that end within the notice and nobody has renewed yet."""
    today = timezone.localdate()
    return Agreement.objects.visible_to(user, "alliance.draft").filter(
        state=AgreementState.ACTIVE,
        ends_on__range=(today, today + timedelta(days=ENDING_SOON_DAYS)),
        renewal__isnull=True,
    )


def clauses_to_deliver(*, unit_id: int | None = None, community_id: int | None = None):
    """Clauses of agreements in force that a unit, or a community, has promised to deliver.

    What the upper rooms offer when somebody records a deed under an agreement.
    """
    clauses = Clause.objects.filter(agreement__state=AgreementState.ACTIVE)
    if unit_id is not None:
        return clauses.filter(party__unit=unit_id)
    return clauses.filter(party__unit=None, agreement__community=community_id)
