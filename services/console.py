"""What the lists put on the workbench and into the menu."""

from __future__ import annotations

from datetime import timedelta
from operator import attrgetter
from typing import Any

from django.db.models import DateTimeField, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet
from django.utils import timezone

from core.console import (
    COMMUNITY,
    DEPARTMENT,
    STREET,
    UNIT,
    awaited,
    figure,
    menu,
    searchable,
    start,
    waiting,
)
from core.scope import AreaRule, Scope
from core.search import exact_first
from services.enums import (
    BAD_GRADES,
    CONTACT_DAYS,
    ClaimState,
    ItemKind,
    ItemState,
    RectificationState,
    TicketState,
)
from services.models import Claim, Item, Rectification, Ticket
from services.scopes import (
    AUTHOR,
    CALLER,
    OFFICE,
    OWN,
    PARTIES,
    PROVIDER,
    RECEIVER,
    RECTIFIER,
)

start(
    "发布需求、资源或服务", "services:item-add", perm="services.draft", icon="plus", tone="primary"
)
start("认领事项", "services:offers", perm="services.claim", icon="handshake")
menu(
    "清单事项",
    "services:items",
    perm="services.view",
    order=30,
    icon="list",
    group="四张清单",
    key="l",
)
menu(
    "可认领事项",
    "services:offers",
    perm="services.claim",
    order=31,
    icon="search",
    group="四张清单",
    key="o",
)
menu(
    "认领办理",
    "services:claims",
    perm="services.view",
    order=32,
    icon="handshake",
    group="四张清单",
    key="c",
)
menu(
    "居民诉求",
    "services:tickets",
    perm="services.tickets",
    order=33,
    icon="inbox",
    group="四张清单",
    key="t",
)


def _items(state: str, perm: str, scope: Scope | None = None):
    def rows(user: Any) -> QuerySet:
        return Item.objects.filter((scope or Item.scope).q(user, perm), state=state)

    return rows


def _claims(states: tuple[str, ...], perm: str, scope: Scope):
    def rows(user: Any) -> QuerySet:
        rows = Claim.objects.filter(state__in=states).select_related("item")
        return scope.admitted(rows, user, perm)

    return rows


def _to_close(user: Any) -> QuerySet:
    rows = Claim.objects.to_close().select_related("item")
    return OFFICE.admitted(rows, user, "services.accept")


_CONTACT_DUE = ExpressionWrapper(
    F("claimed_at") + timedelta(days=CONTACT_DAYS), output_field=DateTimeField()
)


def _to_contact(user: Any) -> QuerySet:
    rows = _claims((ClaimState.CLAIMED,), "services.handle", PARTIES)(user)
    return rows.annotate(contact_due=_CONTACT_DUE)


def _rectifications(state: str, perm: str, scope: Scope):
    def rows(user: Any) -> QuerySet:
        rows = Rectification.objects.filter(state=state).select_related("rating__claim__item")
        return scope.admitted(rows, user, perm)

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
    rows=_to_close,
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

# What those above wait for while it lies with others: sent back, or bound by a rule's deadline.
_BELOW = Scope(AreaRule(), view="services.view")


def _returned_to_others(user: Any) -> QuerySet:
    below = Item.objects.filter(_BELOW.q(user), state=ItemState.RETURNED)
    return below.exclude(AUTHOR.q(user, "services.draft"))


def _office_claims(user: Any) -> QuerySet:
    return Claim.objects.filter(OFFICE.q(user, "services.view")).select_related("item")


def _not_in_contact(user: Any) -> QuerySet:
    late = timezone.now() - timedelta(days=CONTACT_DAYS)
    rows = _office_claims(user).uncontacted_since(late).annotate(contact_due=_CONTACT_DUE)
    return rows.exclude(PARTIES.q(user, "services.handle"))


def _overdue(user: Any) -> QuerySet:
    working = (ClaimState.CONTACTING, ClaimState.WORKING)  # before contact it is the kind above
    rows = _office_claims(user).overdue(timezone.localdate()).filter(state__in=working)
    return rows.exclude(PROVIDER.q(user, "services.handle"))


def _to_rectify(user: Any) -> QuerySet:
    rows = _rectifications(RectificationState.OPEN, "services.view", CALLER)(user)
    return rows.exclude(RECTIFIER.q(user, "services.handle"))


awaited(
    "差评待整改",
    perm="services.view",
    rows=_to_rectify,
    due="due_on",
    holder=attrgetter("rating.claim.provider"),
    order=30,
)
awaited(
    "超期未完成",
    perm="services.view",
    rows=_overdue,
    due="due_on",
    holder=attrgetter("provider"),
    order=31,
)
awaited(
    "超期未对接",
    perm="services.view",
    rows=_not_in_contact,
    due="contact_due",
    holder=attrgetter("provider"),
    order=32,
)
awaited(
    "退回待修改",
    perm="services.view",
    rows=_returned_to_others,
    due="due_on",
    holder=lambda item: item.publisher,
    order=33,
)


# The figures of each level, this quarter beside the last.
def _own_items(**which: Any):
    # By state too, though every dated item has it: that is what the indexes are kept for.
    return lambda user: Item.objects.published().filter(OWN.q(user, "services.view"), **which)


def _seen_claims(**which: Any):
    return lambda user: Claim.scope.admitted(Claim.objects.filter(**which), user, "services.view")


def _claimed_by(until) -> Q:
    return Q(Exists(Claim.objects.filter(item=OuterRef("pk"), claimed_at__lt=until)))


figure(
    "发布事项",
    levels=COMMUNITY + STREET,
    perm="services.view",
    rows=_own_items(),
    on="published_at",
    page="services:items",
    span="published_at",
    unit="件",
    order=10,
)
figure(
    "需求认领率",
    levels=COMMUNITY + STREET + DEPARTMENT,
    perm="services.view",
    rows=_own_items(kind=ItemKind.NEED),
    on="published_at",
    share=_claimed_by,
    page="services:items",
    span="published_at",
    query={"kind": ItemKind.NEED.value},
    order=11,
)
figure(
    "认领事项",
    levels=UNIT + DEPARTMENT,
    perm="services.view",
    rows=_seen_claims(),
    on="claimed_at",
    page="services:claims",
    span="claimed_at",
    unit="件",
    order=12,
)
figure(
    "验收通过",
    levels=UNIT + COMMUNITY + STREET,
    perm="services.view",
    rows=_seen_claims(),
    on="accepted_at",
    page="services:claims",
    span="accepted_at",
    unit="件",
    order=13,
)
figure(
    "满意率",
    levels=UNIT + STREET + DEPARTMENT,
    perm="services.view",
    rows=_seen_claims(),
    on="rating__rated_on",
    share=lambda until: ~Q(rating__grade__in=BAD_GRADES),
    page="services:claims",
    span="rated_on",
    order=14,
)


# What the search finds.
def _items_like(text: str, user: Any) -> QuerySet:
    """By number, name or its initials, each found by an index of its own. The whole text of all
    that is published in a city is for the list's own search."""
    like = Q(title__named=text)
    if text.isascii():
        like |= Q(number__startswith=text) | Q(initials__typed=text)
    return exact_first(Item.objects.visible_to(user).filter(like), "number", text, "-pk")


def _tickets_like(text: str, user: Any) -> QuerySet:
    like = Q(number__contains=text.upper()) | Q(content__contains=text)
    found = Ticket.objects.visible_to(user).filter(like).select_related("area")
    return exact_first(found, "number", text.upper(), "-pk")


searchable(
    "清单事项",
    perm="services.view",
    find=_items_like,
    note=lambda item: f"{item.publisher} · {item.get_state_display()} · {item.number}",
    order=30,
)
searchable(
    "居民诉求",
    perm="services.tickets",
    find=_tickets_like,
    note=lambda ticket: f"{ticket.area.name} · {ticket.get_topic_display()}",
    order=33,
)
