"""What is typed into a form of the console outlives a lost session and a crashed browser.

A form carries a token: who was shown it and at which address, signed. Whatever arrives with a
sound token is kept for that person alone, whether or not they are still signed in; it is given
back when the same person opens the same form again. The token is also what permits the keeping,
so no forged request can put words into somebody's form.

::

    token(user, address)               # in the form, as FIELD
    keep(request.POST)                 # the draft's owner and address; None without a sound token
    find(user, address)                # what is to be given back
    fill(form, draft)
    drop(user, address)                # on success, or when the person lets it go
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any, NamedTuple

import orjson
from django import forms
from django.contrib.auth import get_user_model
from django.core import signing
from django.http import QueryDict
from django.utils import timezone

from core.fields import Unreadable
from core.models import Draft

log = logging.getLogger(__name__)

FIELD = "_draft"
KEPT = timedelta(days=7)
LARGEST = 64 * 1024  # bytes of one draft
MOST = 50  # of one person; the oldest give way
_SALT = "core.drafts"
_NOT_KEPT = frozenset({FIELD, "csrfmiddlewaretoken"})


class Kept(NamedTuple):
    """Whose words were kept, and the address of their form."""

    user_id: int
    address: str


def token(user: Any, address: str) -> str:
    return signing.dumps([user.pk, address], salt=_SALT)


def read(text: str) -> Kept | None:
    """The owner and address in a token that is sound and not older than a draft may be."""
    try:
        return Kept(*signing.loads(text, salt=_SALT, max_age=KEPT))
    except signing.BadSignature:
        return None


def keep(data: QueryDict, *, address: str | None = None) -> Kept | None:
    """Keep what was submitted for the person whom its token names. With `address`, only when the
    token is for that form. None when nothing is kept: no sound token, nothing typed, too much,
    or an account that is closed."""
    owner = read(data.get(FIELD, ""))
    if owner is None or (address is not None and owner.address != address):
        return None
    typed = {name: data.getlist(name) for name in data if name not in _NOT_KEPT}
    content = orjson.dumps(typed).decode()
    if len(content.encode()) > LARGEST:
        log.warning("draft of user %s for %s is too large to keep", *owner)
        return None
    if not any(v.strip() for name, values in typed.items() for v in values if name[0] != "_"):
        return None
    if not get_user_model().objects.filter(pk=owner.user_id, is_active=True).exists():
        return None
    Draft.objects.update_or_create(
        user_id=owner.user_id,
        address=owner.address,
        defaults={"content": content, "saved_at": timezone.now()},
    )
    _let_old_ones_go(owner.user_id)
    return owner


def find(user: Any, address: str) -> Draft | None:
    """What this person typed there and did not submit, if it is still kept."""
    rows = Draft.objects.visible_to(user).filter(address=address, saved_at__gt=_oldest())
    try:
        return rows.first()
    except Unreadable:
        log.exception("draft of user %s for %s cannot be read", user.pk, address)
        return None


def typed_in(draft: Draft) -> QueryDict:
    """The draft as it was submitted."""
    data = QueryDict(mutable=True)
    for name, values in orjson.loads(draft.content).items():
        data.setlist(name, values)
    return data


def fill(form: forms.Form, draft: Draft) -> None:
    """Put what was typed into a form that is not bound: it shows, and nothing is complained of
    before it is submitted."""
    data = typed_in(draft)
    for name, field in form.fields.items():
        if field.disabled or isinstance(field, forms.FileField):
            continue
        form.initial[name] = field.widget.value_from_datadict(data, {}, form.add_prefix(name))


def drop(user: Any, address: str) -> None:
    Draft.objects.visible_to(user).filter(address=address).delete()


def drop_old() -> int:
    """For the night: those past their keeping."""
    return Draft.objects.filter(saved_at__lte=_oldest()).delete()[0]


def _let_old_ones_go(user_id: int) -> None:
    mine = Draft.objects.filter(user=user_id).order_by("-saved_at", "-pk")
    extra = list(mine.values_list("pk", flat=True)[MOST : MOST + 20])
    if extra:
        Draft.objects.filter(pk__in=extra).delete()


def _oldest() -> Any:
    return timezone.now() - KEPT
