"""Personal data at rest: a text column that is cipher in the database and plain in Python.

::

    phone = EncryptedTextField("电话", max_length=20, blank=True)
    phone_index = models.CharField(max_length=64, editable=False, db_index=True, blank=True)

    member.phone_index = blind_index(member.phone)                # in the action that saves
    Member.objects.filter(phone_index=blind_index("13812341234")) # the one way to look it up
    mask_phone(member.phone)                                      # 138****1234, on screen

`FIELD_KEYS` is a list of Fernet keys: the first encrypts, all decrypt. To change keys put the
new one behind, then in front, run `manage.py rotate_field_keys`, then take the old one away
(docs/fields.md).
"""

from __future__ import annotations

import base64
import binascii
import hmac
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django import forms
from django.apps import apps
from django.conf import settings
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models.functions import Cast

_KEPT_LOOKUPS = frozenset({"isnull"})


class Unreadable(Exception):
    """A stored value that none of `FIELD_KEYS` opens: a key was taken away too early."""


def encrypt(text: str) -> str:
    """The cipher of `text` as it stands in the database. The field does it; what is handed to a
    field must be plain, or it is encrypted twice."""
    return _box(tuple(settings.FIELD_KEYS)).encrypt(text.encode()).decode() if text else ""


def decrypt(cipher: str) -> str:
    """The plain text of a stored value. Raises `Unreadable` when no key fits."""
    if not cipher:
        return ""
    try:
        return _box(tuple(settings.FIELD_KEYS)).decrypt(cipher.encode()).decode()
    except InvalidToken as error:
        raise Unreadable("no key in FIELD_KEYS opens this value") from error


def rotate(cipher: str) -> str:
    """A stored value encrypted anew under the first key."""
    if not cipher:
        return ""
    try:
        return _box(tuple(settings.FIELD_KEYS)).rotate(cipher.encode()).decode()
    except InvalidToken as error:
        raise Unreadable("no key in FIELD_KEYS opens this value") from error


def blind_index(value: str) -> str:
    """A keyed digest that equals for equal values, width, spaces and hyphens aside: for lookups of
    encrypted columns and their uniqueness. Its key is its own (`FIELD_INDEX_KEY`) and stays
    when the encryption keys change. Empty for an empty value."""
    value = value if value.isascii() else unicodedata.normalize("NFKC", value)
    normal = value.replace(" ", "").replace("-", "")
    if not normal:
        return ""
    digest = _index_digest(settings.FIELD_INDEX_KEY).copy()
    digest.update(normal.encode())
    return digest.hexdigest()


def mask_phone(phone: str) -> str:
    """A phone number as it is shown: ``138****1234``. Short numbers keep two digits at the end."""
    if len(phone) >= 11:
        return f"{phone[:3]}{'*' * (len(phone) - 7)}{phone[-4:]}"
    return "*" * (len(phone) - 2) + phone[-2:] if len(phone) > 4 else "*" * len(phone)


class EncryptedTextField(models.TextField):
    """Text encrypted at rest. It cannot be searched or sorted in the database: keep a
    `blind_index` beside it for equality. Audit snapshots show only whether it is filled.

    `max_length` bounds the plain text.
    """

    encrypted = True
    description = "encrypted text"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if kwargs.get("db_index") or kwargs.get("unique") or kwargs.get("primary_key"):
            raise FieldError("an encrypted column cannot be indexed: keep a blind_index beside it")
        super().__init__(*args, **kwargs)
        if self.max_length is not None:
            self.validators.append(MaxLengthValidator(self.max_length))

    def get_prep_value(self, value: Any) -> str | None:
        value = super().get_prep_value(value)
        return value if value is None else encrypt(value)

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str | None:
        return value if value is None else decrypt(value)

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name not in _KEPT_LOOKUPS:
            raise FieldError(f"{self.name} is encrypted: look it up through its blind_index")
        return super().get_lookup(lookup_name)

    def get_transform(self, lookup_name: str) -> Any:
        raise FieldError(f"{self.name} is encrypted: look it up through its blind_index")

    def formfield(self, **kwargs: Any) -> forms.Field:
        return super().formfield(**{"widget": forms.TextInput, **kwargs})


def encrypted_columns() -> Iterator[tuple[type[models.Model], EncryptedTextField]]:
    """Every encrypted column of the database, with the model whose table holds it."""
    for model in apps.get_models():
        if model._meta.proxy or not model._meta.managed:
            continue
        for field in model._meta.local_concrete_fields:
            if isinstance(field, EncryptedTextField):
                yield model, field


def filled(model: type[models.Model], field: EncryptedTextField) -> models.QuerySet:
    """The rows with something in this column; `_cipher` is what stands in the database, read and
    written as plain text, past the field's own opening."""
    cipher = Cast(models.F(field.attname), models.TextField())
    return model._base_manager.annotate(_cipher=cipher).exclude(_cipher="")


def try_keys() -> None:
    """Open the oldest and the newest value of each column, and make their `blind_index` again:
    with keys that are not those of this database pages would fail one by one, and look-ups would
    find nothing. Raises `Unreadable`, which names the row."""
    for model, field in encrypted_columns():
        rows = filled(model, field)
        digest = f"{field.name}_index"
        has_digest = any(f.name == digest for f in model._meta.local_concrete_fields)
        for order in ("pk", "-pk"):
            names = ["pk", "_cipher", *([digest] if has_digest else ())]
            for pk, cipher, *kept in rows.order_by(order).values_list(*names)[:1]:
                try:
                    value = decrypt(cipher)
                except Unreadable as error:
                    raise Unreadable(f"{model._meta.label} {pk}, {field.name}: {error}") from error
                if kept and kept != [blind_index(value)]:
                    raise Unreadable(
                        f"{model._meta.label} {pk}, {digest}: not made with FIELD_INDEX_KEY"
                    )


@lru_cache(maxsize=8)
def _box(keys: tuple[str, ...]) -> MultiFernet:
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except (ValueError, binascii.Error) as error:
        raise ImproperlyConfigured("FIELD_KEYS must be url-safe base64 of 32 bytes each") from error


@lru_cache(maxsize=8)
def _index_digest(key: str) -> hmac.HMAC:
    """To be copied: the key is worked in once, not for each of thousands of values."""
    raw = base64.urlsafe_b64decode(key)
    if len(raw) < 32:
        raise ImproperlyConfigured("FIELD_INDEX_KEY must be url-safe base64 of 32 bytes")
    return hmac.new(raw, digestmod="sha256")
