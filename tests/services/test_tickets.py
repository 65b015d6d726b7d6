from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.utils import timezone

from core.audit import timeline
from core.errors import Conflict, Refused
from core.models import AuditEvent
from services.actions.tickets import (
    TRIES,
    NoSuchTicket,
    adopt_ticket,
    erase_phones,
    find_ticket,
    rate_by_ticket,
    return_ticket,
    reveal_phone,
    submit_ticket,
)
from services.enums import ClaimState, ItemState, TicketState
from services.models import Item, Rating, Ticket
from services.querysets import PUBLIC_FIELDS
from tests.factories import services as make
from tests.factories.accounts import person

WORDS = "家中老人行动不便，想请人上门理发。"
PUBLIC = {"title": "上门理发志愿者", "content": "为行动不便的老人上门理发。"}


def test_number_and_secret_open_the_ticket_and_nothing_else_does(place):
    ticket, secret = make.ticket(place.community)
    other, _ = make.ticket(place.community)
    assert find_ticket(ticket.number, secret) == ticket
    assert find_ticket(f" {ticket.number} ", f"{secret[:4]}-{secret[4:]}".lower()) == ticket
    dash, long, wide = ticket.number.replace("-", ""), "\u2014", "\uff0d"
    for typed in (dash, ticket.number.replace("-", long), ticket.number.replace("-", wide)):
        assert find_ticket(typed, secret) == ticket
    answers = set()
    for number, word in [(ticket.number, "WRONG234"), (other.number, secret), ("nothing", secret)]:
        with pytest.raises(NoSuchTicket) as refused:
            find_ticket(number, word)
        answers.add(str(refused.value))
    assert len(answers) == 1


def test_the_secret_is_stored_as_a_digest_and_the_phone_as_a_cipher(place):
    ticket, secret = make.ticket(place.community, phone="138 1234 1234")
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret_hash, phone FROM services_ticket")
        stored = cursor.fetchone()
    assert secret not in stored[0]
    assert "13812341234" not in stored[1]
    assert Ticket.objects.get().phone == "13812341234"
    logged = "".join(e.after + e.object_label for e in AuditEvent.objects.all())
    for private in (secret, "13812341234", ticket.content, ticket.secret_hash):
        assert private not in logged


def test_guessing_at_a_number_is_stopped_known_or_not(place):
    ticket, secret = make.ticket(place.community)
    for number in (ticket.number, "2601-000000"):
        for _ in range(TRIES):
            with pytest.raises(NoSuchTicket):
                find_ticket(number, "WRONG234")
        with pytest.raises(Refused, match="次数过多"):
            find_ticket(number, secret)


def test_one_who_knows_the_secret_is_never_stopped(place):
    ticket, secret = make.ticket(place.community)
    for _ in range(TRIES * 2):
        find_ticket(ticket.number, secret)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"content": "帮忙"}, "content"),
        ({"content": "长" * 1001}, "content"),
        ({"content": "身份证 370202199001010011 求助"}, "content"),
        ({"topic": "none"}, "topic"),
        ({"phone": "12345"}, "phone"),
    ],
)
def test_a_wrong_ticket_is_refused_with_the_field(place, values, field):
    with pytest.raises(Refused) as refused:
        make.ticket(place.community, **values)
    assert refused.value.field == field
    with pytest.raises(Refused):
        submit_ticket(community=place.street, content=WORDS)
    assert not Ticket.objects.exists()


def test_a_ticket_becomes_a_need_in_the_community_s_own_words(place, unit):
    ticket, _secret = make.ticket(place.community, content=WORDS, phone="13812341234", topic="care")
    worker = make.worker(place.community)
    ticket = adopt_ticket(ticket=ticket, by=worker, **PUBLIC)
    item = ticket.item
    assert (ticket.state, item.state, item.capacity) == (TicketState.ADOPTED, ItemState.PENDING, 1)
    assert (item.kind, item.topic, item.area) == ("need", "care", place.community)
    assert WORDS not in item.search
    with pytest.raises(Conflict):
        return_ticket(ticket=ticket, by=worker, reason="重复")


def test_adopting_with_words_unfit_for_publication_changes_nothing(place):
    ticket, _ = make.ticket(place.community)
    with pytest.raises(Refused):
        adopt_ticket(
            ticket=ticket,
            by=make.worker(place.community),
            title="理发",
            content="致电 13812341234",
        )
    ticket.refresh_from_db()
    assert ticket.state == TicketState.RECEIVED
    assert not Item.objects.exists()


def test_a_declined_ticket_says_why(place):
    ticket, secret = make.ticket(place.community)
    worker = make.worker(place.community)
    with pytest.raises(Refused, match="理由"):
        return_ticket(ticket=ticket, by=worker, reason="")
    return_ticket(ticket=ticket, by=worker, reason="请拨打物业电话")
    found = find_ticket(ticket.number, secret)
    assert (found.state, found.return_reason) == (TicketState.RETURNED, "请拨打物业电话")
    assert found.closed_at is not None


def test_only_the_place_s_own_staff_see_tickets(place, unit):
    ticket, _ = make.ticket(place.community)
    for user in (make.worker(place.community), person("street_officer", place.street)):
        assert list(Ticket.objects.visible_to(user)) == [ticket]
    for user in (
        make.worker(place.sibling_community),
        make.liaison(unit),
        person("grid_worker", place.grid),
        person("org_department", place.city),
    ):
        assert not Ticket.objects.visible_to(user).exists()
        with pytest.raises(PermissionDenied):
            adopt_ticket(ticket=ticket, by=user, **PUBLIC)
        with pytest.raises(PermissionDenied):
            reveal_phone(ticket=ticket, by=user, reason="回电")


def test_the_resident_rates_what_came_of_it_once_and_unnamed(place, unit):
    ticket, secret = make.ticket(place.community)
    worker = make.worker(place.community)
    ticket = adopt_ticket(ticket=ticket, by=worker, then="publish", **PUBLIC)
    word = {"number": ticket.number, "secret": secret}
    with pytest.raises(Refused, match="还没有验收"):
        rate_by_ticket(**word, grade="5")
    claim = make.claim(ticket.item, unit, state=ClaimState.ACCEPTED)
    with pytest.raises(NoSuchTicket):
        rate_by_ticket(number=ticket.number, secret="WRONG234", grade="5")
    rating = rate_by_ticket(**word, grade="2", comment="来晚了")
    assert (rating.claim, rating.grade) == (claim, "2")
    assert rating.rectification is not None
    with pytest.raises(Refused, match="已经评价过"):
        rate_by_ticket(**word, grade="5")
    assert Rating.objects.count() == 1
    assert timeline(claim).last().actor_id is None


def test_the_ticket_ends_with_its_item(place, unit):
    ticket, secret = make.ticket(place.community)
    worker = make.worker(place.community)
    ticket = adopt_ticket(ticket=ticket, by=worker, then="publish", **PUBLIC)
    claim = make.claim(ticket.item, unit, state=ClaimState.ACCEPTED)
    rate_by_ticket(number=ticket.number, secret=secret, grade="5")
    claim.refresh_from_db()
    make.advance(claim, ClaimState.CLOSED, {"office": worker})
    ticket.refresh_from_db()
    assert (ticket.state, ticket.item.state) == (TicketState.CLOSED, ItemState.CLOSED)


def test_seeing_the_phone_takes_a_reason_and_is_logged(place):
    ticket, _ = make.ticket(place.community, phone="0532-88881234")
    worker = make.worker(place.community)
    with pytest.raises(Refused):
        reveal_phone(ticket=ticket, by=worker, reason=" ")
    assert reveal_phone(ticket=ticket, by=worker, reason="约上门时间") == "0532-88881234"
    event = timeline(ticket).last()
    assert (event.actor_id, event.reason) == (worker.pk, "约上门时间")


def test_phones_are_erased_a_month_after_the_end(place):
    worker = make.worker(place.community)
    old, fresh, waiting = (make.ticket(place.community, phone="13812341234")[0] for _ in range(3))
    for ticket in (old, fresh):
        return_ticket(ticket=ticket, by=worker, reason="物业办理")
    Ticket.objects.filter(pk=old.pk).update(closed_at=timezone.now() - timedelta(days=31))
    assert erase_phones() == 1
    assert erase_phones() == 0
    assert {t.pk: bool(t.phone) for t in Ticket.objects.all()} == {
        old.pk: False,
        fresh.pk: True,
        waiting.pk: True,
    }


def test_the_public_sees_published_rows_and_no_more_than_their_safe_columns(place, unit):
    for state in ("draft", "pending", "returned"):
        make.item(place.community, state=state)
    item = make.item(place.community, title="晚间自习室")
    make.claim(item, unit, responsible="李责任人")
    (row,) = Item.objects.public()
    assert set(row) == set(PUBLIC_FIELDS)
    assert row["title"] == "晚间自习室"
    private = {
        "id", "drafted_by", "drafted_by_id", "decided_by", "decided_by_id", "return_reason",
        "search", "version", "claims", "ticket", "unit_id",
    }  # fmt: skip
    assert not private & set(PUBLIC_FIELDS)
    assert "李责任人" not in str(row)
