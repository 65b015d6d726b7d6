"""The inbox: a row each, written in the deed's own transaction; e-mail follows on commit.

::

    notify(people_with("services.review", area=item.area), title="有新的需求待审", about=item)

Whoever has an e-mail address is also written to, by a task on queue `mail` that starts on commit.
The rows are its outbox: what could not be sent, for want of broker or mail server, is due again.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from datetime import timedelta
from smtplib import SMTPException, SMTPRecipientsRefused
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.db.models import Count, F, QuerySet
from django.urls import NoReverseMatch
from django.utils import timezone

from core.again import again
from core.among import Among
from core.broker import send
from core.models import Notification

log = logging.getLogger(__name__)

BATCH = 500
MAIL_AT_ONCE = 1000  # what is left is sent at the next run
MAIL_TRIES = 6
MAIL_FIRST_WAIT = timedelta(minutes=2)  # doubled by each try; also how long one try may take


def notify(
    user_ids: Iterable[int],
    *,
    title: str,
    body: str = "",
    about: Any = None,
    kind: str = "",
    mail: bool = True,
) -> list[Notification]:
    """Put one message in each user's inbox, with a link to `about` (its get_absolute_url).

    Closed accounts are passed over. `kind` groups messages (`"jobs.done"`); `mail=False` leaves
    it at the inbox. Call it inside the deed's transaction: a deed undone tells nobody.
    """
    return notify_each([(user_ids, title)], body=body, about=about, kind=kind, mail=mail)


def notify_each(
    messages: Iterable[tuple[Iterable[int], str]],
    *,
    body: str = "",
    about: Any = None,
    kind: str = "",
    mail: bool = True,
) -> list[Notification]:
    """Several messages at once, each a title and whom it goes to; otherwise as `notify`."""
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("a message must share the deed's transaction")
    wanted = [
        (sorted(set(user_ids)), " ".join(title.split())[:200]) for user_ids, title in messages
    ]
    address_by_id = _addresses({pk for user_ids, _ in wanted for pk in user_ids})
    now, url = timezone.now(), address_of(about)
    rows = [
        Notification(
            user_id=pk,
            kind=kind,
            title=title,
            body=body,
            url=url,
            created_at=now,
            mail_due_at=now if mail and address_by_id[pk] else None,
        )
        for user_ids, title in wanted
        for pk in user_ids
        if pk in address_by_id
    ]
    Notification.objects.bulk_create(rows, batch_size=BATCH)
    if any(row.mail_due_at for row in rows):
        transaction.on_commit(_start_mail, robust=True)
    return rows


def _addresses(user_ids: Collection[int]) -> dict[int, str]:
    """The e-mail addresses of those whose accounts are open, empty where there is none."""
    people = get_user_model().objects.filter(Among("pk", user_ids), is_active=True)
    return dict(people.values_list("pk", "email"))


def unread_count(user: Any) -> int:
    """How many messages this person has not read."""
    return sum(n for (n,) in _unread(user.pk)) if user.pk else 0


@again
def _unread(user: int) -> QuerySet:
    """Every page asks this for the number at its top."""
    unread = Notification.objects.filter(user=user).unread().order_by()
    return unread.values("user").annotate(n=Count("pk")).values_list("n")


def mark_read(user: Any, ids: Iterable[int] | None = None) -> int:
    """Mark the person's own messages read, all of them when `ids` is None; how many were not."""
    unread = Notification.objects.visible_to(user).unread()
    if ids is not None:
        unread = unread.filter(pk__in=list(ids))
    return unread.update(read_at=timezone.now())


def deliver_due_mail() -> int:
    """Send the e-mails that are due; how many were sent.

    Each row is claimed by moving its due time on, so two runs do not send it twice, and a run
    that dies leaves it due again. What a letter says is the title and the link: the body stays
    in the inbox, since mail travels in the open. A dead mail server ends the run.
    """
    sent = 0
    server = get_connection()
    try:
        due = Notification.objects.mail_due().select_related("user").order_by("mail_due_at")
        for row in due[:MAIL_AT_ONCE]:
            if not _claim(row):
                continue
            try:
                _letter(row, server).send()
            except SMTPRecipientsRefused as error:
                log.warning("notification %s: address refused: %s", row.pk, error)
                _settle(row, mail_due_at=None)
            except (OSError, SMTPException) as error:
                log.warning("notification %s: mail server: %s", row.pk, error)
                break
            else:
                _settle(row, mail_due_at=None, mailed_at=timezone.now())
                sent += 1
    finally:
        server.close()
    return sent


def _claim(row: Notification) -> bool:
    """Take this try of `row`; False when another run did. The last try leaves it due no more."""
    tries = row.mail_tries + 1
    again = timezone.now() + MAIL_FIRST_WAIT * 2**row.mail_tries
    if tries >= MAIL_TRIES:
        log.error("notification %s: last try to mail it", row.pk)
    return bool(
        Notification.objects.filter(pk=row.pk, mail_due_at=row.mail_due_at).update(
            mail_due_at=again if tries < MAIL_TRIES else None, mail_tries=F("mail_tries") + 1
        )
    )


def _settle(row: Notification, **values: Any) -> None:
    Notification.objects.filter(pk=row.pk).update(**values)


def _letter(row: Notification, server: Any) -> EmailMessage:
    address = getattr(row.user, row.user.EMAIL_FIELD)
    link = f"{settings.SITE_URL}{row.url}" if row.url else f"{settings.SITE_URL}/console/"
    body = f"{row.user}：\n\n{row.title}\n\n请登录平台查看和处理：{link}\n\n（系统自动发送，请勿回复。）\n"
    return EmailMessage(f"【区域化党建】{row.title}", body, to=[address], connection=server)


def address_of(about: Any) -> str:
    """The page of an object; empty where it has none."""
    if not hasattr(about, "get_absolute_url"):
        return ""
    try:
        return about.get_absolute_url()
    except NoReverseMatch:
        # A message without its link is better than a deed undone for it.
        log.exception("no page for %r", about)
        return ""


def _start_mail() -> None:
    from core.tasks import deliver_mail  # here: tasks import this module

    send(deliver_mail)
