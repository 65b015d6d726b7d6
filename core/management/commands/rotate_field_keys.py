"""Encrypt every stored value anew under the first of FIELD_KEYS."""

from __future__ import annotations

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db import models, transaction
from django.db.models import F, Value
from django.db.models.functions import Cast

from core.fields import EncryptedTextField, Unreadable, rotate

BATCH = 1000


class Command(BaseCommand):
    help = "Encrypt every stored value anew under the first of FIELD_KEYS, in batches."

    def handle(self, *args, **options) -> None:
        for model in apps.get_models():
            if model._meta.proxy or not model._meta.managed:
                continue
            for field in model._meta.local_concrete_fields:
                if isinstance(field, EncryptedTextField):
                    count = _rotate(model, field)
                    self.stdout.write(f"{model._meta.label}.{field.name}: {count} rows")


def _rotate(model: type[models.Model], field: EncryptedTextField) -> int:
    """Cipher in, cipher out: read and written as plain text columns, past the field's own opening."""
    filled = (
        model._base_manager.annotate(_cipher=Cast(F(field.attname), models.TextField()))
        .exclude(_cipher="")
        .order_by("pk")
    )
    last, count = None, 0
    while True:
        rows = filled if last is None else filled.filter(pk__gt=last)
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
                filled.filter(pk=pk, _cipher=cipher).update(
                    **{field.name: Value(fresh, output_field=models.TextField())}
                )
        if not batch:
            return count
        last, count = batch[-1][0], count + len(batch)
