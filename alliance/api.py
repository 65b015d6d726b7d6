"""Agreements over the API. Signing is left to the page that shows the text."""

from alliance.actions.agreement import draft_agreement
from alliance.filters import AgreementFilter, ClauseFilter, FulfilmentFilter, PartyFilter
from alliance.forms import AgreementForm
from alliance.models import Agreement, Clause, Fulfilment, Party
from core.api import ScopedViewSet, Write, register


@register("agreements")
class AgreementApi(ScopedViewSet):
    model = Agreement
    perm = "alliance.view"
    filters = AgreementFilter
    fields = (
        "id",
        "number",
        "title",
        "state",
        "area_id",
        "area__name",
        "starts_on",
        "ends_on",
        "signed_on",
    )
    detail_fields = ("goal", "ended_on", "ended_reason", "renewed_from_id", "version")
    creates = Write(AgreementForm, draft_agreement, perm="alliance.draft")


@register("agreement-parties")
class PartyApi(ScopedViewSet):
    model = Party
    perm = "alliance.view"
    filters = PartyFilter
    fields = ("id", "agreement_id", "side", "unit_id", "unit__name", "liaison", "confirmed_at")


@register("agreement-clauses")
class ClauseApi(ScopedViewSet):
    model = Clause
    perm = "alliance.view"
    filters = ClauseFilter
    fields = (
        "id",
        "agreement_id",
        "number",
        "party_id",
        "category",
        "content",
        "quantity",
        "measure",
        "due_on",
    )


@register("agreement-fulfilments")
class FulfilmentApi(ScopedViewSet):
    model = Fulfilment
    perm = "alliance.view"
    filters = FulfilmentFilter
    fields = ("id", "clause_id", "quantity", "on", "source_label")
