"""Migrations that change rows, run over rows that need it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time
from importlib import import_module

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from core.audit import timeline
from services.models import Item
from tests.factories import services as make
from tests.factories.orgs import small_city


def migrate(name: str) -> None:
    MigrationExecutor(connection).migrate([("services", name)])


@pytest.fixture
def before_the_hours_were_whole(transactional_db) -> Iterator[None]:
    newest = max(
        n for app, n in MigrationExecutor(connection).loader.graph.nodes if app == "services"
    )
    migrate("0006_item_place")
    yield
    Item.objects.filter(closes_at=None).update(opens_at=None)  # whatever became of the test
    migrate(newest)


def test_hours_without_an_end_are_mended_and_from_then_on_refused(
    before_the_hours_were_whole, monkeypatch
):
    community = small_city().community
    half = [make.item(community, kind="service") for _ in range(3)]
    Item.objects.update(opens_at=time(8, 30))  # which the former check let pass
    whole = make.item(community, kind="service", opens_at=time(9), closes_at=time(17))
    monkeypatch.setattr(import_module("services.migrations.0007_hours_mended"), "BATCH", 2)

    migrate("0009_hours_together_gone")

    hours = dict(Item.objects.values_list("pk", "opens_at"))
    assert hours == {whole.pk: time(9), **dict.fromkeys((item.pk for item in half), None)}
    for item in half:
        event = timeline(item).last()
        assert (event.action, event.actor_name) == ("services.item.update", "系统")
        assert (event.object_label, event.before) == (item.title, '{"opens_at":"08:30:00"}')
    with pytest.raises(IntegrityError), transaction.atomic():
        Item.objects.filter(pk=half[0].pk).update(opens_at=time(8, 30))
