"""Residents' tickets: submitted without an account, followed by number and secret."""

from __future__ import annotations

import hmac
import secrets
from datetime import timedelta

from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.utils import timezone

from core import audit
from core.errors import Refused
from core.fields import blind_index
from core.scope import require
from core.transitions import transit
from orgs.models import Area
from services import privacy, typed
from services.enums import (
    KEEP_CONTACT_DAYS,
    Beneficiary,
    ClaimState,
    TicketState,
    Topic,
)
from services.models import Claim, Rating, Ticket

# Letters and digits that are not taken for one another when read out or copied by hand.
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_SECRET_LENGTH = 8  # 31^8 ≈ 8·10^11 against TRIES a WINDOW
TRIES = 10
WINDOW = timedelta(minutes=15)


class NoSuchTicket(Refused):
    """Number and secret do not fit; says nothing on which of the two is wrong."""


def submit_ticket(
    *,
    community: Area,
    content: str,
    topic: str = Topic.OTHER,
    beneficiary: str = Beneficiary.RESIDENTS,
    phone: str = "",
) -> tuple[Ticket, str]:
    """Take a resident's need. Returns the ticket and its secret, which is told this once."""
    content, phone = content.strip(), typed.phone(phone)
    if community.kind != "community" or community.state != "active":
        raise Refused("请选择所在的社区。", field="community")
    if len(content) < 5:
        raise Refused("请用一两句话写明需要什么帮助。", field="content")
    longest = Ticket._meta.get_field("content").max_length
    if len(content) > longest:
        raise Refused(f"内容最多 {longest} 字，现为 {len(content)} 字。", field="content")
    privacy.check_no_id_number(content, field="content", where="内容")
    if topic not in Topic.values or beneficiary not in Beneficiary.values:
        raise Refused("事项或受益对象不在可选范围内，请重新选择。", field="topic")
    if phone and not typed.PHONE.fullmatch(phone):
        raise Refused("电话号码不对，请填 11 位手机号或带区号的座机；也可以不填。", field="phone")
    secret = "".join(secrets.choice(_ALPHABET) for _ in range(_SECRET_LENGTH))
    ticket = Ticket(
        area=community, content=content, topic=topic, beneficiary=beneficiary, phone=phone
    )
    with transaction.atomic():
        _save_under_a_free_number(ticket, secret)
        audit.record("services.ticket.submit", ticket, by=None, after=audit.snapshot(ticket))
    return ticket, secret


def find_ticket(number: str, secret: str) -> Ticket:
    """The ticket that this number and secret open. Raises `NoSuchTicket` alike for an unknown
    number and a wrong secret, and `Refused` after too many tries at one number."""
    number, secret = typed.ticket_number(number), typed.secret(secret)
    key = f"ticket-tries:{blind_index(number)}"
    if _one_more_try(key) > TRIES:
        minutes = int(WINDOW.total_seconds() // 60)
        raise Refused(f"此单号查询次数过多，请 {minutes} 分钟后再试，或到社区窗口查询。")
    ticket = Ticket.objects.filter(number=number).select_related("item", "community").first()
    # An unknown number costs the same comparison as a wrong secret.
    stored = ticket.secret_hash if ticket else "0" * 64
    if not hmac.compare_digest(stored, _digest(number, secret)) or ticket is None:
        raise NoSuchTicket(
            "单号或查询码不对，请核对后重新输入。查询码区分数字和字母，不区分大小写。"
        )
    cache.delete(key)
    return ticket


def adopt_ticket(*, ticket: Ticket, by, **values) -> Ticket:
    """Write a need of the community's own from a ticket (see `write_need` for the values)."""
    return transit(ticket, "adopt", by=by, **values)


def return_ticket(*, ticket: Ticket, by, reason: str) -> Ticket:
    """Decline a ticket; the resident reads the reason."""
    return transit(ticket, "return", by=by, reason=reason)


def rate_by_ticket(*, number: str, secret: str, grade: str, comment: str = "") -> Rating:
    """The resident's own 好差评 of what came of the ticket, once."""
    ticket = find_ticket(number, secret)
    claim = (
        Claim.objects.live()
        .filter(item=ticket.item, item__isnull=False)
        .exclude(accepted_at=None)
        .first()
    )
    if claim is None:
        raise Refused("此事还没有验收，完成验收后即可评价。")
    if claim.state != ClaimState.ACCEPTED:
        raise Refused("此事已经评价过，一件事只评价一次。如有新情况请重新提交诉求。")
    return transit(claim, "rate", by=None, grade=grade, comment=comment).rating


def reveal_phone(*, ticket: Ticket, by, reason: str) -> str:
    """The resident's phone in full, for the call; who saw it and why is logged."""
    require(by, "services.tickets", ticket)
    if not reason.strip():
        raise Refused("请填写查看电话的理由，查看记录会留存。", field="reason")
    with transaction.atomic():
        audit.record("services.ticket.reveal_phone", ticket, by=by, reason=reason.strip())
    return ticket.phone


def erase_phones() -> int:
    """Erase the phones of tickets that ended `KEEP_CONTACT_DAYS` ago; returns how many."""
    before = timezone.now() - timedelta(days=KEEP_CONTACT_DAYS)
    ended = Ticket.objects.filter(
        state__in=(TicketState.RETURNED, TicketState.CLOSED),
        closed_at__lt=before,
        phone_erased_at=None,
    )
    with transaction.atomic():
        due = list(ended.select_for_update(of=("self",)).order_by("pk"))
        now = timezone.now()
        Ticket.objects.filter(pk__in=[t.pk for t in due]).update(phone="", phone_erased_at=now)
        audit.record_many("services.ticket.erase_phone", [audit.Entry(t) for t in due], by=None)
    return len(due)


def _save_under_a_free_number(ticket: Ticket, secret: str) -> None:
    """Numbers are random, so that nobody counts a community's tickets or guesses the next."""
    month = timezone.localdate().strftime("%y%m")
    for _ in range(20):
        ticket.number = f"{month}-{secrets.randbelow(10**6):06d}"
        ticket.secret_hash = _digest(ticket.number, secret)
        try:
            with transaction.atomic():
                ticket.save(force_insert=True)
        except IntegrityError:
            if not Ticket.objects.filter(number=ticket.number).exists():
                raise
        else:
            return
    raise Refused("系统繁忙，请稍后再提交一次。")


def _one_more_try(key: str) -> int:
    """Count one try at a number within the window; shared by all processes through the cache."""
    cache.add(key, 0, WINDOW.total_seconds())
    try:
        return cache.incr(key)
    except ValueError:  # the window ended between the two calls
        return 1


def _digest(number: str, secret: str) -> str:
    """Keyed, so that the table alone does not allow guessing."""
    return blind_index(f"{number}:{secret}")
