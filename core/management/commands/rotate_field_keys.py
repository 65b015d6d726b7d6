"""Encrypt every stored value anew under the first of FIELD_KEYS."""

from __future__ import annotations

from django.core.management.base import BaseCommand, CommandError
from django.db import models, transaction
from django.db.models import Value

from core.fields import EncryptedTextField, Unreadable, encrypted_columns, filled, rotate

BATCH = 1000


class Command(BaseCommand):
    help = "Encrypt every stored value anew under the first of FIELD_KEYS, in batches."

    def handle(self, *args, **options) -> None:
        for model, field in encrypted_columns():
            count = _rotate(model, field)
            self.stdout.write(f"{model._meta.label}.{field.name}: {count} rows")


def _rotate(model: type[models.Model], field: EncryptedTextField) -> int:
    """Cipher in, cipher out."""
    of_column = filled(model, field).order_by("pk")
    last, count = None, 0
    while True:
        rows = of_column if last is None else of_column.filter(pk__gt=last)
        with transaction.atomic():
            batch = list(rows.values_list("pk", "_cipher")[:BATCH])
            for pk, cipher in batch:
                try:
                    fresh = rotate(cipher)
                except Unreadable as error:
                    raise CommandError(
                        f"{model._meta.label} {pk}, {field.name}: {error}. "
                        "Put the missing key back at the end of FIELD_KEYS and run this again."
                    ) from error
                # Only what was read is replaced: a value saved meanwhile is newer than this.
                of_column.filter(pk=pk, _cipher=cipher).update(
                    **{field.name: Value(fresh, output_field=models.TextField())}
                )
        if not batch:
            return count
        last, count = batch[-1][0], count + len(batch)
