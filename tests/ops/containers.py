"""The compose file and the Dockerfile, read as a container engine would, and run without one."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from scripts.throwaway import Services

ROOT = Path(__file__).resolve().parents[2]


def compose() -> dict:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def interpolate(text: str, values: dict[str, str]) -> str:
    """`${NAME}` and `${NAME:?why}` as docker compose fills them in."""
    return re.sub(r"\$\{([A-Z_]+)(?::\?[^}]*)?\}", lambda m: values[m[1]], text)


@dataclass
class Stage:
    """One `FROM` of a Dockerfile with the instructions that follow it."""

    image: str
    name: str | None
    steps: list[tuple[str, str]] = field(default_factory=list)

    def all(self, instruction: str) -> list[str]:
        return [text for word, text in self.steps if word == instruction]


def dockerfile() -> list[Stage]:
    """The stages; comments and line continuations resolved."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    stages: list[Stage] = []
    for line in filter(None, map(str.strip, text.replace("\\\n", " ").splitlines())):
        word, rest = line.split(None, 1)
        if word == "FROM":
            image, _, name = rest.partition(" AS ")
            stages.append(Stage(image, name or None))
        else:
            stages[-1].steps.append((word, rest))
    return stages


def command_of_image() -> list[str]:
    return json.loads(dockerfile()[-1].all("CMD")[0])


def static_step() -> list[str]:
    """The Dockerfile's own command that collects static files: [NAME=value …] program argument …"""
    (step,) = [s for s in dockerfile()[-1].all("RUN") if "collectstatic" in s]
    return shlex.split(step)


@dataclass
class Host:
    """Names and folders inside the containers, and what stands for them on this machine."""

    folder: Path
    database_url: str
    redis_url: str
    web_port: int
    values: dict[str, str]  # what .env holds
    services: Services

    def environment(self, service: str) -> dict[str, str]:
        inside = {
            k: interpolate(str(v), self.values)
            for k, v in compose()["services"][service]["environment"].items()
        }
        at_database = self.database_url.rpartition("@")[2].rpartition("/")[0]
        at_redis = self.redis_url.removeprefix("redis://")
        outside = {
            k: v.replace("postgres:5432", at_database)
            .replace("redis:6379/0", at_redis)
            .replace("/var/lib/alliance", str(self.folder / "state"))
            .replace("/srv/static", str(self.folder / "static"))
            for k, v in inside.items()
        }
        return {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            **self.values,
            **outside,
            "HOST": "127.0.0.1",
            "PORT": str(self.web_port),
        }

    def run(self, service: str, command: list[str]) -> subprocess.CompletedProcess[str]:
        """A command that ends, in the environment of a service."""
        return subprocess.run(
            command,
            cwd=ROOT,
            env=self.environment(service),
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )

    def healthy(self, service: str) -> subprocess.CompletedProcess[str]:
        """The service's own health check, run once."""
        kind, *command = compose()["services"][service]["healthcheck"]["test"]
        assert kind == "CMD"
        return self.run(service, command)


class Running:
    """A service's real command as a process here; its output in a file."""

    def __init__(self, host: Host, service: str) -> None:
        self.host, self.service = host, service
        self.log = host.folder / f"{service}.log"
        command = [str(word) for word in compose()["services"][service]["command"]]
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=host.environment(service),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def wait_healthy(self, seconds: float = 90) -> None:
        deadline = time.monotonic() + seconds
        while (done := self.host.healthy(self.service)).returncode:
            said = self.log.read_text()[-3000:]
            assert self.process.poll() is None, f"{self.service} ended:\n{said}"
            assert time.monotonic() < deadline, f"{self.service}: {done.stderr}\n{said}"
            time.sleep(0.2)

    def stop(self) -> int:
        """As `docker stop`: SIGTERM, and patience."""
        self.process.terminate()
        try:
            return self.process.wait(40)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
