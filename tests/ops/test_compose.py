"""What docker-compose.yml and the Dockerfile say. What they do: test_containers.py."""

from __future__ import annotations

import shlex

import pytest

from scripts.throwaway import PLANNER
from tests.ops.containers import ROOT, command_of_image, compose, dockerfile

OURS = ("migrate", "web", "worker", "beat")
SECRET_WORDS = ("PASSWORD", "SECRET", "KEY", "TOKEN", "URL")


@pytest.mark.parametrize("name", ["nginx", "web", "worker", "beat", "postgres", "redis", "migrate"])
def test_service_is_there_and_looks_after_itself(name):
    service = compose()["services"][name]
    if name == "migrate":
        assert service["restart"] == "no"
    else:
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"][0] == "CMD"
        assert {"interval", "timeout", "retries"} <= service["healthcheck"].keys()
    for other, how in service.get("depends_on", {}).items():
        wanted = "service_completed_successfully" if other == "migrate" else "service_healthy"
        assert how["condition"] == wanted
        assert other in compose()["services"]


def test_volumes_are_declared_and_what_must_last_is_on_one():
    declared = set(compose()["volumes"])
    mounts = {
        (name, volume.split(":")[1])
        for name, service in compose()["services"].items()
        for volume in service.get("volumes", [])
        if not volume.startswith("./")
    }
    used = {
        volume.split(":")[0]
        for service in compose()["services"].values()
        for volume in service.get("volumes", [])
        if not volume.startswith("./")
    }
    assert used == declared
    assert ("postgres", "/var/lib/postgresql/data") in mounts
    assert ("redis", "/data") in mounts
    for name in OURS:
        assert (name, "/var/lib/alliance") in mounts


def test_no_secret_stands_in_the_file():
    for name, service in compose()["services"].items():
        for key, value in service.get("environment", {}).items():
            if any(word in key for word in SECRET_WORDS) and "://redis:" not in value:
                assert "${" in value, f"{name}: {key} is written out"


def test_only_nginx_opens_ports_and_ours_run_without_privileges():
    for name, service in compose()["services"].items():
        assert ("ports" in service) is (name == "nginx")
    for name in OURS:
        service = compose()["services"][name]
        assert service["cap_drop"] == ["ALL"]
        assert service["read_only"] is True
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["environment"]["DJANGO_SETTINGS_MODULE"] == "config.settings.prod"


def test_every_queue_has_a_worker():
    command = compose()["services"]["worker"]["command"]
    assert "-Q" not in command
    assert "--queues" not in command, "no choice means all queues"


def test_dockerfile_is_staged_pinned_and_ends_unprivileged():
    stages = dockerfile()
    assert len(stages) == 3
    names = {stage.name for stage in stages}
    for stage in stages:
        assert ":" in stage.image
        assert not stage.image.endswith(":latest")
        for copy in stage.all("COPY"):
            words = shlex.split(copy)
            if words[0].startswith("--from="):
                assert words[0].removeprefix("--from=") in names
            else:
                for source in words[:-1]:
                    assert (ROOT / source).exists(), f"COPY {source}: no such file"
        assert not stage.all("ADD")
    user = stages[-1].all("USER")[-1]
    assert user == "10001:10001"
    last_words = [word for word, _ in stages[-1].steps]
    assert "RUN" not in last_words[last_words.index("USER") :]
    assert "--require-hashes" in stages[1].all("RUN")[0]
    assert "npm ci" in stages[0].all("RUN")[0]


def test_what_is_measured_is_planned_as_what_is_shipped():
    command = compose()["services"]["postgres"]["command"]
    settings = dict(
        command[at + 1].split("=", 1) for at, word in enumerate(command) if word == "-c"
    )
    assert PLANNER.items() <= settings.items()


def test_the_image_serves_by_default_what_compose_starts_as_web():
    assert command_of_image() == compose()["services"]["web"]["command"]


def test_nothing_private_goes_into_the_image():
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".git", ".env", "var", "deploy/tls", ".venv", "node_modules"} <= set(ignored)
