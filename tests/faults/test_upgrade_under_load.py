"""Migrations of the next version while this one serves people who write, and one who reads long."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection, transaction

from services.models import Item
from tests.faults.load import Load
from tests.faults.site import Site, until
from tests.fixtures_services import ROOT

pytestmark = [pytest.mark.postgres, pytest.mark.services, pytest.mark.django_db]


@pytest.fixture
def migrate(site: Site, tmp_path: Path) -> Iterator[tuple[subprocess.Popen, Path]]:
    """`manage.py migrate` of the next version, and its log."""
    log = tmp_path / "migrate.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "migrate", "--noinput"],
            cwd=ROOT,
            env={
                **site.environment,
                "DJANGO_SETTINGS_MODULE": "tests.faults.next_version.settings",
            },
            stdout=out,
            stderr=out,
        )
    yield process, log
    process.kill()
    process.wait()


def test_nobody_is_refused_while_the_tables_of_the_next_version_are_made(site: Site, request):
    with Load(site, "升级") as load:
        with transaction.atomic():  # a long export has the table open
            assert Item.objects.exists()
            process, log = request.getfixturevalue("migrate")
            until(lambda: "migration waits for a lock" in log.read_text(), "a first try given up")
            assert process.poll() is None
            load.more_acknowledged()
        until(lambda: process.poll() is not None, "the end of the upgrade")
        assert process.returncode == 0, log.read_text()
        load.more_acknowledged()
        assert site.health("ready") == (200, {"status": "ok"})
    assert load.refused == []
    load.assert_kept_once()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid"
            " WHERE relname = 'item_origin' AND indisvalid"
        )
        assert cursor.fetchone() == (1,)
        cursor.execute("SELECT convalidated FROM pg_constraint WHERE conname = 'item_weight'")
        assert cursor.fetchone() == (True,)
        cursor.execute("SELECT count(*) FROM services_item WHERE weight <> 0 OR origin = 'former'")
        assert cursor.fetchone()[0] > 0
