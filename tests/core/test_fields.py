"""Personal data at rest: cipher in the table, plain in Python, findable only by its index."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from django.apps import apps
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection, models
from django.test.utils import isolate_apps

from core import audit
from core.fields import (
    EncryptedTextField,
    Unreadable,
    blind_index,
    decrypt,
    encrypt,
    mask_phone,
    rotate,
)

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.fixture
def contact(transactional_db, monkeypatch):
    """A table with an encrypted column, for the length of one test."""
    with isolate_apps("core"):

        class Contact(models.Model):
            phone = EncryptedTextField(max_length=20, blank=True)

            class Meta:
                app_label = "core"

            def __str__(self):
                return f"contact {self.pk}"

    with connection.schema_editor() as editor:
        editor.create_model(Contact)
    monkeypatch.setattr(type(apps), "get_models", lambda *a, **k: [Contact])
    yield Contact
    with connection.schema_editor() as editor:
        editor.delete_model(Contact)


def _stored(model) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT phone FROM {model._meta.db_table} ORDER BY id")
        return [row[0] for row in cursor.fetchall()]


def test_the_table_holds_cipher_and_python_reads_plain_text(contact):
    row = contact.objects.create(phone="13812341234")
    contact.objects.bulk_create([contact(phone="13812341234"), contact(phone="")])
    contact.objects.filter(pk=row.pk).update(phone="13900001111")
    stored = _stored(contact)
    assert all("1381234" not in cipher and "139" not in cipher[:3] for cipher in stored)
    assert stored[2] == ""
    assert list(contact.objects.order_by("id").values_list("phone", flat=True)) == [
        "13900001111",
        "13812341234",
        "",
    ]


def test_equal_values_do_not_look_equal_at_rest():
    assert encrypt("13812341234") != encrypt("13812341234")
    assert blind_index("138 1234-1234") == blind_index("13812341234") != blind_index("13812341235")
    assert blind_index("１３８ １２３４－１２３４") == blind_index("13812341234")
    assert blind_index("") == ""


def test_an_encrypted_column_cannot_be_searched_sorted_by_lookup_or_indexed(contact):
    with pytest.raises(FieldError, match="blind_index"):
        list(contact.objects.filter(phone="13812341234"))
    with pytest.raises(FieldError, match="blind_index"):
        list(contact.objects.filter(phone__contains="138"))
    assert contact.objects.filter(phone__isnull=True).count() == 0
    with pytest.raises(FieldError, match="indexed"):
        EncryptedTextField(unique=True)


def test_the_plain_text_is_bounded_and_audit_sees_only_that_it_is_filled(contact):
    with pytest.raises(Exception, match="20"):
        contact(phone="1" * 21).full_clean()
    row = contact.objects.create(phone="13812341234")
    assert audit.snapshot(row)["phone"] == "已填"
    assert audit.snapshot(contact(phone=""))["phone"] == ""


def test_keys_rotate_without_a_moment_in_which_rows_cannot_be_read(contact, settings):
    settings.FIELD_KEYS = [OLD]
    contact.objects.bulk_create(contact(phone=f"1380000{n:04}") for n in range(1203))
    settings.FIELD_KEYS = [NEW, OLD]
    assert contact.objects.first().phone == "13800000000"
    call_command("rotate_field_keys", verbosity=0)
    settings.FIELD_KEYS = [NEW]
    phones = contact.objects.order_by("id").values_list("phone", flat=True)
    assert list(phones) == [f"1380000{n:04}" for n in range(1203)]


def test_a_key_taken_away_too_early_is_named_and_nothing_is_lost(contact, settings):
    settings.FIELD_KEYS = [OLD]
    row = contact.objects.create(phone="13812341234")
    settings.FIELD_KEYS = [NEW]
    with pytest.raises(Unreadable):
        contact.objects.get(pk=row.pk)
    with pytest.raises(CommandError, match=f"Contact {row.pk}, phone"):
        call_command("rotate_field_keys", verbosity=0)
    settings.FIELD_KEYS = [NEW, OLD]
    assert contact.objects.get(pk=row.pk).phone == "13812341234"
    with pytest.raises(Unreadable):
        decrypt("not a cipher")
    assert rotate("") == decrypt("") == ""


def test_a_wrong_key_is_said_to_be_wrong(settings):
    settings.FIELD_KEYS = ["short"]
    with pytest.raises(ImproperlyConfigured, match="FIELD_KEYS"):
        encrypt("x")


@pytest.mark.parametrize(
    ("phone", "shown"),
    [
        ("13812341234", "138****1234"),
        ("053285911234", "053*****1234"),
        ("85911234", "******34"),
        ("1234", "****"),
        ("", ""),
    ],
)
def test_masks(phone, shown):
    assert mask_phone(phone) == shown
