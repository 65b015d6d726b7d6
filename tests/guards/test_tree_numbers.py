"""Only the tree's own files know lft, rght and tree_id (docs/tree.md)."""

from __future__ import annotations

import re

from django.conf import settings

KNOWING = ("orgs/querysets.py", "orgs/models/area.py", "orgs/actions/tree/", "orgs/migrations/")
ROOMS = (
    *("core", "orgs", "accounts", "grids", "alliance", "members", "services", "reports", "portal"),
    *("templates", "config", "scripts"),
)
NUMBERS = re.compile(r"\b(lft|rght|tree_id|get_descendant_count|_mptt_\w+)\b")


def test_nobody_else_knows_the_tree_numbers():
    root = settings.BASE_DIR
    files = [
        path
        for room in ROOMS
        for path in (root / room).rglob("*")
        if path.suffix in {".py", ".html", ".jinja", ".sql"}
    ]
    assert len(files) > 50
    knowing = {
        name
        for path in files
        if NUMBERS.search(path.read_text())
        for name in [path.relative_to(root).as_posix()]
    }
    assert [name for name in knowing if not name.startswith(KNOWING)] == []
    assert all(any(name.startswith(known) for name in knowing) for known in KNOWING)
