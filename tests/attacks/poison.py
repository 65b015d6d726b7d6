"""Every text of every row that people or the platform wrote, turned into something dangerous."""

from __future__ import annotations

from collections.abc import Iterator

from django.apps import apps
from django.db import DatabaseError, connection, models, transaction

from tests.factories.rows import ROWS, World


def full_world() -> World:
    """A city with a row of everything that has a page."""
    world = World()
    for label in ROWS:
        world.make(label)
    return world


def poison(text: str) -> int:
    """Put `text` into each free text of each model of ours, behind everybody's back; how many
    columns took it. What a rule of the database refuses, or what stands in one row alone, stays."""
    return sum(_put(model, field, text) for model, field in _texts())


def _texts() -> Iterator[tuple[type[models.Model], models.Field]]:
    for model in apps.get_models():
        if model._meta.app_label not in _OURS or not model._meta.managed:
            continue
        for field in model._meta.concrete_fields:
            is_text = isinstance(field, models.CharField | models.TextField)
            if is_text and not (field.choices or field.primary_key or field.name in _MACHINE):
                yield model, field


def _put(model: type[models.Model], field: models.Field, text: str) -> bool:
    rows = models.QuerySet(model)  # past managers that refuse
    try:
        with transaction.atomic():
            return bool(rows.update(**{field.name: text[: field.max_length]}))
    except DatabaseError:
        assert not connection.needs_rollback
        return False


_OURS = {"accounts", "alliance", "core", "grids", "members", "orgs", "reports", "services"}
# What programs read: of another form by nature, and shown to nobody as it stands.
_MACHINE = {
    "password",
    "period",
    "page",
    "query",
    "kind_name",
    "content_type",
    "resource",
    "path",
    "digest",
}
