"""Make a fresh clone able to run: virtual environment, packages, assets, system programs.

Every step leaves a stamp with a hash of what it was made from, and is passed over while that
holds. Standard library alone, because it runs before anything is installed.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable
from contextlib import contextmanager
from pathlib import Path

from scripts.throwaway import find_program

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
OLDEST_PYTHON = (3, 11)
OLDEST_NODE = 20

# What the suite needs of the machine: how to see that it is there, and its Debian package.
PROGRAMS = {
    "postgresql": [
        *("initdb", "postgres", "pg_isready", "createdb"),
        *("psql", "pg_dump", "pg_restore"),
    ],
    "redis-server": ["redis-server"],
    "nginx": ["nginx"],
    "openssl": ["openssl"],
    "curl": ["curl"],
    "fontconfig": ["fc-list"],
    "util-linux": ["unshare", "setpriv"],
    "mount": ["mount"],
    "build-essential": ["gcc"],  # a clock that can be set: tests/faults/clock.c
}
BROWSERS = ["chromium", "chromium-browser", "google-chrome"]


def fail(message: str) -> None:
    """Say what is wrong and what to type, and end."""
    sys.exit(f"\n{message}")


def stop_when_asked() -> None:
    """Ctrl-C and a polite kill both end the program in order (KeyboardInterrupt). Said outright,
    because a shell starts what it puts in the background with Ctrl-C ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def run(command: list[str], **options: object) -> None:
    """Run a step in the project folder; its failure ends the whole with its own exit code."""
    print("$", shlex.join(command), flush=True)
    done = subprocess.run(command, cwd=ROOT, check=False, **options)
    if done.returncode:
        fail(f"failed with exit code {done.returncode}: {shlex.join(command)}")


def digest(paths: Iterable[Path]) -> str:
    """A hash of names and contents; folders are walked."""
    total = hashlib.sha256()
    for path in paths:
        files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        for file in files:
            total.update(str(file.relative_to(ROOT)).encode() + b"\0")
            total.update(file.read_bytes() + b"\0")
    return total.hexdigest()


@contextmanager
def stamped(stamp: Path, state: str):
    """Yields whether the work is to do; writes `state` into the stamp when it was done."""
    todo = not stamp.exists() or stamp.read_text() != state
    yield todo
    if todo:
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.write_text(state)


def packages(*locks: str) -> None:
    """The virtual environment with exactly what the named locks pin, by hash."""
    if sys.version_info < OLDEST_PYTHON:
        fail(
            f"Python 3.11 or later is needed; this is {sys.version.split()[0]}: make PYTHON=python3.11 …"
        )
    if not PYTHON.exists():
        try:
            import ensurepip  # noqa: F401  (Debian ships it apart)
        except ImportError:
            install_system(["python3-venv"])
        run([sys.executable, "-m", "venv", str(VENV)])
    for name in locks:
        lock = ROOT / "requirements" / f"{name}.lock"
        with stamped(VENV / f".{name}.installed", digest([lock])) as todo:
            if todo:
                options = [
                    "--quiet",
                    "--disable-pip-version-check",
                    "--require-hashes",
                    "--no-deps",
                ]
                run([str(PYTHON), "-m", "pip", "install", *options, "-r", str(lock)])


def assets() -> None:
    """Style sheets and scripts of both faces, built into static/dist."""
    npm, node = shutil.which("npm"), shutil.which("node")
    version = _output([node, "--version"]) if node else "none"
    if not npm or version == "none" or int(version[1:].split(".")[0]) < OLDEST_NODE:
        fail(f"Node {OLDEST_NODE} or later with npm builds the assets (found: {version}).")
    manifest, lock = ROOT / "package.json", ROOT / "package-lock.json"
    with stamped(ROOT / "node_modules" / ".installed", digest([manifest, lock])) as todo:
        if todo:
            run([npm, "ci", "--no-audit", "--no-fund", "--loglevel", "error"])
    built = ROOT / "node_modules" / ".built"
    if not (ROOT / "static" / "dist").exists():
        built.unlink(missing_ok=True)
    with stamped(built, digest([manifest, lock, ROOT / "assets"])) as todo:
        if todo:
            run([npm, "run", "--silent", "build"])


def browser() -> str | None:
    """The path of a Chromium, if the machine has one."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def system(more: dict[str, list[str]] | None = None) -> None:
    """Whatever the suite needs of the machine, and `more`, by Debian's package as in `PROGRAMS`;
    installed with apt by root, else named and fatal."""
    wanted = PROGRAMS | (more or {})
    missing = [p for p, names in wanted.items() if not all(map(find_program, names))]
    if browser() is None:
        missing.append("chromium")
    if not _output([find_program("fc-list") or "true", ":lang=zh-cn"]):
        missing.append("fonts-noto-cjk")
    if missing:
        install_system(missing)


def install_system(names: list[str]) -> None:
    """Install Debian packages, without starting the services that they bring."""
    update, install = ["apt-get", "update", "-q"], ["apt-get", "install", "-yq", *names]
    install.insert(2, "--no-install-recommends")
    if shutil.which("apt-get") is None:
        fail(f"This machine lacks {', '.join(names)} (Debian's names). Install them and try again.")
    if os.geteuid() != 0:
        fail(
            f"This machine lacks {', '.join(names)}. Type:\n"
            f"    sudo {shlex.join(update)} && sudo {shlex.join(install)}"
        )
    with _services_not_started():
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        run(update, env=environment)
        run(install, env=environment)


@contextmanager
def _services_not_started():
    """Debian asks this file before a fresh package starts its daemon; one that exists is kept."""
    policy = Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    if ours:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    try:
        yield
    finally:
        if ours:
            policy.unlink(missing_ok=True)


def _output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
