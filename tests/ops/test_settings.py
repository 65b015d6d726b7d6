"""Production refuses what is missing or unsafe; the trial makes what it needs."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.fernet import Fernet

from config.settings.secret_files import kept
from tests.ops.settings_process import GOOD, manage, production, refusal


@pytest.fixture
def good(tmp_path) -> dict[str, str]:
    return {**GOOD, "ALLIANCE_VAR": str(tmp_path)}


def test_deploy_check_is_clean_with_warnings_as_errors(good):
    done = manage("check", "--deploy", "--fail-level", "WARNING", **good)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY is not set"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY is too short"),
        ({"SECRET_KEY": "a" * 60}, "SECRET_KEY is too short or too plain"),
        ({"SECRET_KEY": "change-me"}, "SECRET_KEY still holds the placeholder"),
        ({"FIELD_KEYS": ""}, "FIELD_KEYS is not set"),
        ({"FIELD_KEYS": "not-a-key"}, "FIELD_KEYS holds something that is not a Fernet key"),
        ({"FIELD_INDEX_KEY": ""}, "FIELD_INDEX_KEY is not set"),
        ({"FIELD_INDEX_KEY": "not-a-key"}, "FIELD_INDEX_KEY is not a Fernet key"),
        ({"FIELD_INDEX_KEY": GOOD["FIELD_KEYS"]}, "FIELD_INDEX_KEY must differ from FIELD_KEYS"),
        ({"AUDIT_KEYS": ""}, "AUDIT_KEYS is not set"),
        ({"AUDIT_KEYS": "a-short-one"}, "AUDIT_KEYS holds a key that is too short"),
        ({"DATABASE_URL": ""}, "DATABASE_URL is not set"),
        ({"DATABASE_URL": "sqlite:////tmp/x.sqlite3"}, "DATABASE_URL must name PostgreSQL"),
        (
            {"DATABASE_URL": "postgres://alliance:change-me@db.invalid/alliance"},
            "DATABASE_URL still holds the placeholder",
        ),
        ({"REDIS_URL": ""}, "REDIS_URL is not set"),
        ({"ALLOWED_HOSTS": ""}, "ALLOWED_HOSTS is not set"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS must name the hosts"),
        ({"SITE_URL": "http://alliance.example.gov.cn"}, "SITE_URL must begin with https://"),
        ({"DEBUG": "1"}, "DEBUG is on"),
        ({"SECOND_FACTOR_REQUIRED": "0"}, "SECOND_FACTOR_REQUIRED is off"),
        ({"DEMO_PASSWORD": "let-me-in"}, "DEMO_PASSWORD is set"),
        ({"REPLICA_URL": "sqlite:////tmp/x.sqlite3"}, "REPLICA_URL must name PostgreSQL"),
        ({"REPLICA_MAX_LAG": "0"}, "REPLICA_MAX_LAG must be above 0"),
    ],
)
def test_production_refuses_to_start(good, changes, fault):
    said = refusal(**{**good, **changes})
    assert said
    assert said.startswith("Refusing to start:")
    assert f"  - {fault}" in said
    assert len(said.splitlines()) == 2, "one fault, one line"


def test_production_accepts_what_is_whole(good):
    assert refusal(**good) is None


def test_production_refuses_the_state_folder_of_the_demo(good, tmp_path):
    (tmp_path / "demo-sign-ins.json").write_text("[]")
    assert "was made by `make demo`" in refusal(**good)


def test_every_fault_is_named_at_once(tmp_path):
    done = manage(
        "check", DJANGO_SETTINGS_MODULE="config.settings.prod", ALLIANCE_VAR=str(tmp_path)
    )
    assert done.returncode == 1
    for name in GOOD.keys() - {"DJANGO_SETTINGS_MODULE"}:
        assert f"  - {name} is not set" in done.stderr
    assert "Traceback" not in done.stderr


def test_trial_works_with_nothing_set_and_keeps_its_secrets(tmp_path):
    say = "from django.conf import settings as s; print(s.SECRET_KEY, *s.FIELD_KEYS, s.FIELD_INDEX_KEY)"
    first = manage("shell", "--no-imports", "-c", say, ALLIANCE_VAR=str(tmp_path))
    assert first.returncode == 0, first.stderr
    second = manage("shell", "--no-imports", "-c", say, ALLIANCE_VAR=str(tmp_path))
    assert first.stdout == second.stdout
    secret, field_key, index_key = first.stdout.split()
    assert len(secret) >= 50
    assert field_key != index_key
    Fernet(field_key), Fernet(index_key)
    for name in ("secret-key", "field-keys", "field-index-key"):
        assert stat.S_IMODE((tmp_path / "secrets" / name).stat().st_mode) == 0o600


def test_racing_starters_agree_on_one_secret(tmp_path):
    made = []

    def make() -> str:
        made.append(1)
        return f"secret-{len(made)}"

    with ThreadPoolExecutor(16) as pool:
        seen = set(pool.map(lambda _: kept(tmp_path / "secrets", "key", make), range(64)))
    assert seen == {"secret-1"}
    assert len(made) == 1


def test_a_standby_is_known_only_where_one_is_named(good):
    alone = production(**good)
    assert set(alone.DATABASES) == {"default"}
    assert not hasattr(alone, "DATABASE_ROUTERS")
    two = production(**good, REPLICA_URL="postgres://alliance:secret@db2.invalid:5432/alliance")
    assert two.DATABASES["standby"]["HOST"] == "db2.invalid"
    assert two.DATABASE_ROUTERS == ["core.replica.Router"]
    assert two.MIDDLEWARE[-1] == "core.replica.StandbyReads", "it runs a view again unseen"
