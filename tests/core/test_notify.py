"""Messages: written with the deed, mailed after it, seen by their reader alone."""

from __future__ import annotations

import smtplib
from datetime import timedelta

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import transaction
from django.utils import timezone

from accounts.enums import Role
from core import broker, notify
from core.models import Notification
from core.tasks import deliver_mail
from tests.factories.accounts import person

pytestmark = pytest.mark.django_db


class FlakyServer(EmailBackend):
    """A mail server that is down, or that refuses one address."""

    down = False
    refused = ""

    def send_messages(self, messages):
        if self.down:
            raise ConnectionRefusedError("mail server down")
        if self.refused and self.refused in messages[0].to:
            raise smtplib.SMTPRecipientsRefused({self.refused: (550, b"unknown")})
        return super().send_messages(messages)


@pytest.fixture(autouse=True)
def _mail_server(settings, monkeypatch):
    settings.SITE_URL = "https://alliance.example"
    settings.EMAIL_BACKEND = f"{__name__}.FlakyServer"
    monkeypatch.setattr(FlakyServer, "down", False)
    monkeypatch.setattr(FlakyServer, "refused", "")
    broker.try_again()


def _admin(**fields):
    return person(Role.SYSTEM_ADMIN, **fields)


def _make_due():
    Notification.objects.filter(mail_due_at__isnull=False).update(
        mail_due_at=timezone.now() - timedelta(seconds=1)
    )


def test_each_open_account_gets_one_row_and_those_with_an_address_a_letter():
    with_mail, without, closed = (
        _admin(email="a@example.com"),
        _admin(),
        _admin(email="c@example.com", is_active=False),
    )
    notify.notify(
        [with_mail.pk, without.pk, with_mail.pk, closed.pk], title="有新\n需求", body="甲"
    )
    assert {n.user_id for n in Notification.objects.all()} == {with_mail.pk, without.pk}
    assert deliver_mail.run() is None
    assert [m.to for m in mail.outbox] == [["a@example.com"]]
    assert mail.outbox[0].subject == "【区域化党建】有新 需求"
    assert "甲" not in mail.outbox[0].body
    assert "https://alliance.example/console/" in mail.outbox[0].body
    assert Notification.objects.get(user=with_mail).mailed_at
    assert notify.deliver_due_mail() == 0


def test_a_message_without_mail_stays_in_the_inbox():
    notify.notify([_admin(email="a@example.com").pk], title="已完成", mail=False)
    assert notify.deliver_due_mail() == 0
    assert Notification.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_message_needs_the_transaction_of_its_deed():
    with pytest.raises(transaction.TransactionManagementError):
        notify.notify([1], title="无事务")


def test_a_deed_undone_leaves_no_message_and_starts_no_mail(django_capture_on_commit_callbacks):
    user = _admin(email="a@example.com")

    def undone():
        with transaction.atomic():
            notify.notify([user.pk], title="不会发生")
            raise ZeroDivisionError

    with django_capture_on_commit_callbacks() as started:
        with pytest.raises(ZeroDivisionError):
            undone()
        assert Notification.objects.count() == 0
    assert started == []
    with django_capture_on_commit_callbacks() as started:
        notify.notify([user.pk], title="发生了")
    assert len(started) == 1


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_down_does_not_undo_the_deed_and_the_mail_goes_later(broker_down):
    user = _admin(email="a@example.com")
    with broker_down():
        with transaction.atomic():
            notify.notify([user.pk], title="发生了")
        assert broker.is_away()
    assert Notification.objects.get().mailed_at is None
    assert notify.deliver_due_mail() == 1


def test_a_dead_mail_server_delays_and_loses_nothing(monkeypatch):
    for n in range(3):
        notify.notify([_admin(email=f"{n}@example.com").pk], title="消息")
    monkeypatch.setattr(FlakyServer, "down", True)
    assert notify.deliver_due_mail() == 0
    assert Notification.objects.filter(mail_tries=1).count() == 1, "the run ends at the first"
    monkeypatch.setattr(FlakyServer, "down", False)
    assert notify.deliver_due_mail() == 2
    assert Notification.objects.get(mailed_at=None).mail_due_at > timezone.now()
    _make_due()
    assert notify.deliver_due_mail() == 1
    assert len(mail.outbox) == 3


def test_a_refused_address_does_not_hold_up_the_others(monkeypatch):
    monkeypatch.setattr(FlakyServer, "refused", "gone@example.com")
    notify.notify([_admin(email="gone@example.com").pk], title="消息")
    notify.notify([_admin(email="here@example.com").pk], title="消息")
    assert notify.deliver_due_mail() == 1
    assert Notification.objects.mail_due().count() == 0


def test_tries_end(monkeypatch):
    notify.notify([_admin(email="a@example.com").pk], title="消息")
    monkeypatch.setattr(FlakyServer, "down", True)
    for _ in range(notify.MAIL_TRIES + 2):
        _make_due()
        notify.deliver_due_mail()
    row = Notification.objects.get()
    assert (row.mail_tries, row.mail_due_at, row.mailed_at) == (notify.MAIL_TRIES, None, None)


def test_an_inbox_is_its_owners_alone_even_before_an_administrator():
    mine, other = _admin(), _admin()
    notify.notify([mine.pk, other.pk], title="消息")
    row = Notification.objects.get(user=mine)
    assert list(Notification.objects.visible_to(mine)) == [row]
    assert not Notification.scope.holds(row, other)
    assert notify.unread_count(mine) == 1
    assert notify.mark_read(other, [row.pk]) == 0
    assert notify.mark_read(mine, [row.pk]) == 1
    assert notify.mark_read(mine) == 0
    assert notify.unread_count(mine) == 0
    assert notify.unread_count(other) == 1


def test_the_link_leads_to_what_the_message_is_about():
    class Page:
        def get_absolute_url(self):
            return "/console/services/7/"

    user = _admin(email="a@example.com")
    notify.notify([user.pk], title="消息", about=Page())
    assert Notification.objects.get().url == "/console/services/7/"
    notify.deliver_due_mail()
    assert "https://alliance.example/console/services/7/" in mail.outbox[0].body
