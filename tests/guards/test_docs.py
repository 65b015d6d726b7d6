"""What is cited is there: documents by their path, decisions by their number."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from tests.guards.project import ROOMS, name_of, sources

SUFFIXES = (".py", ".md", ".html", ".txt", ".ts", ".mjs", ".scss", ".yml", ".toml", ".sh", ".conf")
ROOTS = (*ROOMS, "config", "demo", "scripts", "tests", "templates", "assets", "deploy", "data")
# A path from the project's root; not the end of a longer one, nor of another site's address.
CITED = re.compile(r"(?<![\w/.-])docs/[\w./-]*\w")
LINKED = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)")
DECISIONS = settings.BASE_DIR / "docs" / "adr"


def files() -> list[Path]:
    at_root = [path for path in settings.BASE_DIR.iterdir() if path.is_file()]
    named = [p for p in at_root if p.suffix in SUFFIXES or p.name in ("Makefile", "Dockerfile")]
    return [*named, *sources(*SUFFIXES, roots=(*ROOTS, "docs"))]


def citations() -> Iterator[tuple[Path, str, Path]]:
    """(file, what it cites, where that is)."""
    for path in files():
        text = path.read_text()
        for cited in CITED.findall(text):
            yield path, cited, settings.BASE_DIR / cited
        if path.suffix == ".md":
            for linked in LINKED.findall(text):
                yield path, linked, path.parent / linked


def test_every_document_that_is_cited_is_there():
    cited = list(citations())
    assert len(cited) > 50
    lost = {f"{name_of(path)} cites {what}" for path, what, where in cited if not where.exists()}
    assert not lost, "\n".join(sorted(lost))


def test_decisions_are_numbered_one_after_the_other():
    names = sorted(path.name for path in DECISIONS.iterdir())
    ill_named = [n for n in names if not re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", n)]
    assert not ill_named
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
