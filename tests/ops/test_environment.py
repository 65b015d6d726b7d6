"""Every name that the code reads from the environment is documented, and no other."""

from __future__ import annotations

import re

import pytest

from tests.ops.settings_process import ROOT

# Where names are read. The test settings pass names of their own from process to process.
READERS = [
    *(p for p in (ROOT / "config").rglob("*.py") if p.name != "test.py"),
    *(ROOT / "deploy").glob("*.py"),
    *(ROOT / "scripts").glob("*.py"),
    ROOT / "manage.py",
    ROOT / "docker-compose.yml",
]
READS = [
    re.compile(r"""\benv(?:\.\w+)?\(\s*"([A-Z][A-Z_]+)\""""),
    re.compile(r"""\b_required\(\s*"([A-Z][A-Z_]+)\""""),
    re.compile(r"""\benviron(?:\.\w+\(|\[)\s*["']([A-Z][A-Z_]+)["']"""),
    re.compile(r"""\$\{([A-Z][A-Z_]+)[}:]"""),
]
# Names of the system or of other programs, not of this platform.
FOREIGN = {"PATH", "HOME", "PROMETHEUS_MULTIPROC_DIR"}


def names_read() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in filter(lambda p: p.exists(), READERS):
        for pattern in READS:
            for name in pattern.findall(path.read_text()):
                found.setdefault(name, []).append(str(path.relative_to(ROOT)))
    return {name: places for name, places in found.items() if name not in FOREIGN}


def names_documented() -> set[str]:
    text = (ROOT / ".env.example").read_text()
    return set(re.findall(r"^#?([A-Z][A-Z_]+)=", text, re.MULTILINE))


def test_the_search_finds_each_way_of_reading():
    assert {"ALLIANCE_VAR", "SECRET_KEY", "REDIS_URL", "DJANGO_SETTINGS_MODULE"} <= set(
        names_read()
    )


def test_what_is_read_is_documented():
    missing = {n: p for n, p in names_read().items() if n not in names_documented()}
    assert not missing, f"read but not in .env.example: {missing}"


def test_what_is_documented_is_read():
    assert names_documented() - set(names_read()) == set()


@pytest.mark.parametrize("name", ["SECRET_KEY", "FIELD_KEYS", "FIELD_INDEX_KEY", "AUDIT_KEYS"])
def test_the_example_holds_no_secret(name):
    assert f"\n{name}=change-me\n" in (ROOT / ".env.example").read_text()
