"""The lists at /api/v1/: items, claims and tickets."""

from __future__ import annotations

from typing import Any

from django import forms

from core.api import ScopedViewSet, Write, register
from services.actions.claims import claim_item
from services.actions.items import create_item, edit_item
from services.filters import ClaimFilter, ItemFilter, TicketFilter
from services.forms import ClaimForm, ItemForm, ItemRevision
from services.models import Claim, Item, Rectification, Ticket

_ITEM = (
    "id",
    "number",
    "kind",
    "title",
    "publisher",
    "area_id",
    "unit_id",
    "topic",
    "beneficiary",
    "capacity",
    "claimed",
    "due_on",
    "state",
    "published_at",
)
_MORE = (
    "content",
    "contact",
    "venue",
    "weekdays",
    "opens_at",
    "closes_at",
    "unions",
    "round",
    "return_reason",
    "closed_at",
)


@register("items")
class ItemApi(ScopedViewSet):
    """Items of my side, and all that is published."""

    model = Item
    perm = "services.view"
    filters = ItemFilter
    fields = _ITEM
    detail_fields = _MORE
    creates = Write(ItemForm, create_item, perm="services.draft")
    updates = Write(ItemRevision, edit_item, perm="services.draft")


class ClaimInput(ClaimForm):
    """The page's form, with the item named in it."""

    item = forms.ModelChoiceField(Item.objects.none(), label="事项")

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        seen = Item.objects.visible_to(user, "services.claim")
        named = (args[0] if args else {}).get("item")
        item = seen.filter(pk=named).first() if str(named).isdecimal() else None
        super().__init__(*args, user=user, item=item or Item(), **kwargs)
        self.fields["item"].queryset = seen


@register("claims")
class ClaimApi(ScopedViewSet):
    """Claims of either side."""

    model = Claim
    perm = "services.view"
    filters = ClaimFilter
    fields = (
        "id",
        "item_id",
        "item__number",
        "item__title",
        "claimant",
        "area_id",
        "unit_id",
        "direction",
        "quantity",
        "responsible",
        "due_on",
        "state",
        "claimed_at",
    )
    detail_fields = (
        "clause_id",
        "contacted_at",
        "started_at",
        "submitted_at",
        "result",
        "returns",
        "return_reason",
        "accepted_at",
        "closed_at",
        "withdrawn_at",
    )
    creates = Write(ClaimInput, claim_item, perm="services.claim")


@register("rectifications")
class RectificationApi(ScopedViewSet):
    """What bad ratings ask for. Who gave them is known to nobody."""

    model = Rectification
    perm = "services.view"
    fields = (
        "id",
        "rating__claim_id",
        "rating__grade",
        "rating__comment",
        "state",
        "due_on",
        "measure",
        "reported_at",
        "callback",
        "closed_at",
    )


@register("tickets")
class TicketApi(ScopedViewSet):
    """Residents' tickets, for the staff of the place."""

    model = Ticket
    perm = "services.tickets"
    filters = TicketFilter
    fields = ("id", "number", "area_id", "topic", "beneficiary", "state", "created_at", "item_id")
    detail_fields = ("content", "phone", "return_reason", "decided_at", "closed_at")
