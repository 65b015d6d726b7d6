"""What the lists put on the workbench and into the menu."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import DateTimeField, ExpressionWrapper, F, QuerySet

from core.console import menu, waiting
from core.scope import Scope
from services.enums import CONTACT_DAYS, ClaimState, ItemState, RectificationState, TicketState
from services.models import Claim, Item, Rectification, Ticket
from services.scopes import AUTHOR, CALLER, OFFICE, PARTIES, PROVIDER, RECEIVER, RECTIFIER

menu("清单事项", "services:items", perm="services.view", order=30, icon="list", group="四张清单")
menu(
    "可认领事项",
    "services:offers",
    perm="services.claim",
    order=31,
    icon="search",
    group="四张清单",
)
menu(
    "认领办理",
    "services:claims",
    perm="services.view",
    order=32,
    icon="handshake",
    group="四张清单",
)
menu(
    "居民诉求",
    "services:tickets",
    perm="services.tickets",
    order=33,
    icon="inbox",
    group="四张清单",
)


def _items(state: str, perm: str, scope: Scope | None = None):
    def rows(user: Any) -> QuerySet:
        return Item.objects.filter((scope or Item.scope).q(user, perm), state=state)

    return rows


def _claims(states: tuple[str, ...], perm: str, scope: Scope):
    def rows(user: Any) -> QuerySet:
        return Claim.objects.filter(scope.q(user, perm), state__in=states).select_related("item")

    return rows


def _to_contact(user: Any) -> QuerySet:
    due = ExpressionWrapper(
        F("claimed_at") + timedelta(days=CONTACT_DAYS), output_field=DateTimeField()
    )
    return _claims((ClaimState.CLAIMED,), "services.handle", PARTIES)(user).annotate(
        contact_due=due
    )


def _rectifications(state: str, perm: str, scope: Scope):
    def rows(user: Any) -> QuerySet:
        found = Rectification.objects.filter(scope.q(user, perm), state=state)
        return found.select_related("rating__claim__item")

    return rows


def _new_tickets(user: Any) -> QuerySet:
    return Ticket.objects.visible_to(user, "services.tickets").filter(state=TicketState.RECEIVED)


waiting("居民诉求待受理", perm="services.tickets", rows=_new_tickets, order=30)
waiting(
    "待审核",
    perm="services.review",
    rows=_items(ItemState.PENDING, "services.review"),
    due="due_on",
    order=31,
)
waiting(
    "退回待修改",
    perm="services.draft",
    rows=_items(ItemState.RETURNED, "services.draft", AUTHOR),
    due="due_on",
    order=32,
)
waiting("待对接", perm="services.handle", rows=_to_contact, due="contact_due", order=33)
waiting(
    "待完成",
    perm="services.handle",
    rows=_claims((ClaimState.CONTACTING, ClaimState.WORKING), "services.handle", PROVIDER),
    due="due_on",
    order=34,
)
waiting(
    "待验收",
    perm="services.accept",
    rows=_claims((ClaimState.SUBMITTED,), "services.accept", RECEIVER),
    due="due_on",
    order=35,
)
waiting(
    "待评价",
    perm="services.accept",
    rows=_claims((ClaimState.ACCEPTED,), "services.accept", RECEIVER),
    order=36,
)
waiting(
    "待销号",
    perm="services.accept",
    rows=_claims((ClaimState.RATED,), "services.accept", OFFICE),
    order=37,
)
waiting(
    "差评待整改",
    perm="services.handle",
    rows=_rectifications(RectificationState.OPEN, "services.handle", RECTIFIER),
    due="due_on",
    order=38,
)
waiting(
    "整改待回访",
    perm="services.accept",
    rows=_rectifications(RectificationState.REPORTED, "services.accept", CALLER),
    due="due_on",
    order=39,
)
