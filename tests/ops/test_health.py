"""The probes and the figures. Services that are really down: tests/ops/test_containers.py."""

from __future__ import annotations

import re
import shutil
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from core import cache, health
from core.models import Job
from tests.factories import members
from tests.factories.orgs import small_city


@pytest.fixture(autouse=True)
def _looked_at_anew():
    kept = (health._migrations, health._keys)
    for check in kept:
        check.cache_clear()
    yield
    for check in kept:
        check.cache_clear()


def test_live_touches_no_database(client):  # without the db fixture a query would fail
    response = client.get("/healthz/live")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert "no-store" in response["Cache-Control"]


@pytest.mark.django_db
def test_ready(client):
    response = client.get("/healthz/ready")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.postgres
@pytest.mark.django_db
def test_a_process_that_waits_before_it_asks_redis_again_tells_the_truth(client, monkeypatch):
    """Of two processes after an outage the one would else say ready, and the other not yet."""
    monkeypatch.setattr(cache._Pause, "until", float("inf"))
    assert client.get("/healthz/ready").json() == {"status": "ok"}


@pytest.mark.django_db(transaction=True)
def test_missing_migration_is_named_and_heals(client):
    row = MigrationRecorder.Migration.objects.filter(app="core").latest("id")
    name = row.name
    row.delete()
    response = client.get("/healthz/ready")
    assert response.status_code == 503
    assert response.json() == {"status": "failing", "failing": ["migrations"]}
    MigrationRecorder.Migration.objects.create(app="core", name=name)
    assert client.get("/healthz/ready").status_code == 200


@pytest.fixture
def community(db):
    return members.side(small_city().community)


@pytest.mark.parametrize("lost", ["FIELD_KEYS", "FIELD_INDEX_KEY"])
def test_keys_of_another_database_are_named_and_heal(client, settings, community, lost):
    """Pages with phones would fail, or find nobody by a phone, behind a balancer that was told yes."""
    members.member(community)
    right, other = getattr(settings, lost), Fernet.generate_key().decode()
    setattr(settings, lost, [other] if lost == "FIELD_KEYS" else other)
    response = client.get("/healthz/ready")
    assert response.status_code == 503
    assert response.json() == {"status": "failing", "failing": ["keys"]}
    setattr(settings, lost, right)
    assert client.get("/healthz/ready").status_code == 200


@pytest.mark.parametrize("lost_first", [True, False])
def test_a_key_that_is_lacking_for_some_values_is_named(client, settings, community, lost_first):
    """An old one taken away before the rotation, or a new one that this process has not yet."""
    (old,), new = settings.FIELD_KEYS, Fernet.generate_key().decode()
    members.member(community)
    settings.FIELD_KEYS = [new, old]
    members.member(community)
    settings.FIELD_KEYS = [new if lost_first else old]
    assert client.get("/healthz/ready").json()["failing"] == ["keys"]


@pytest.mark.django_db
def test_missing_state_folder_is_named_without_its_path(client, settings, tmp_path):
    settings.VAR_DIR = tmp_path / "gone"
    settings.VAR_DIR.mkdir()
    assert client.get("/healthz/ready").status_code == 200
    shutil.rmtree(settings.VAR_DIR)
    response = client.get("/healthz/ready")
    assert response.status_code == 503
    assert response.json() == {"status": "failing", "failing": ["state_folder"]}
    assert str(tmp_path) not in response.content.decode()


def test_only_safe_methods(client):
    assert client.post("/healthz/live").status_code == 405
    assert client.post("/metrics").status_code == 405


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "headers", "code"),
    [
        ("127.0.0.1", {}, 200),
        ("10.1.2.3", {}, 200),
        ("203.0.113.9", {}, 403),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 403),
        ("", {}, 403),
        ("203.0.113.9", {"Authorization": "Bearer right"}, 200),
        ("203.0.113.9", {"Authorization": "Bearer wrong"}, 403),
        ("203.0.113.9", {"Authorization": "Bearer "}, 403),
    ],
)
def test_who_reads_the_figures(client, settings, address, headers, code):
    settings.METRICS_ALLOW = ["127.0.0.1", "10.0.0.0/8"]
    settings.METRICS_TOKEN = "right"
    response = client.get("/metrics", REMOTE_ADDR=address, headers=headers)
    assert response.status_code == code
    assert (b"django_http_requests" in response.content) is (code == 200)


@pytest.mark.django_db
def test_the_figures_tell_of_jobs_and_mail(client):
    asked = timezone.now() - timedelta(minutes=5)
    for state, queue in (("pending", "sheets"), ("pending", "sheets"), ("dispatched", "reports")):
        Job.objects.create(
            kind="x", title="x", queue=queue, state=state, created_at=asked, send_after=asked
        )
    Job.objects.create(kind="x", title="x", queue="mail", state="failed", finished_at=asked)
    said = client.get("/metrics").content.decode()
    assert 'alliance_jobs{queue="sheets",state="pending"} 2.0' in said
    assert 'alliance_jobs{queue="reports",state="dispatched"} 1.0' in said
    assert 'state="failed"' not in said
    (waited,) = re.findall(r'alliance_jobs_oldest_wait_seconds{queue="sheets"} ([\d.]+)', said)
    assert 300 <= float(waited) < 330
    assert "alliance_mail_due 0.0" in said


def test_no_token_set_means_no_token_works(client, settings):
    settings.METRICS_TOKEN = ""
    response = client.get(
        "/metrics", REMOTE_ADDR="203.0.113.9", headers={"Authorization": "Bearer "}
    )
    assert response.status_code == 403
