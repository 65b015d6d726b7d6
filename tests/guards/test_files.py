"""What a reader can hold: sizes of files; and that no view goes round the gate."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.guards.project import ROOMS, name_of, sources

LINES = {".py": 600, ".ts": 600, ".scss": 600, ".html": 200}
ROOTS = (*ROOMS, "config", "scripts", "tests", "templates", "assets")

# (file, function): a view that reads without `visible_to`, and why that is right.
_PART = "a part of the object that the page has already let through the gate"
UNGATED: dict[tuple[str, str], str] = {
    ("accounts/views/audit.py", "page"): "checks of the whole log, whoever asked for them",
    ("alliance/views/agreements.py", "extra"): _PART,
    ("alliance/views/agreements.py", "renewal"): "whether there is one: its page asks again",
    ("alliance/views/agreements.py", "text_of"): _PART,
    ("members/views/reportings.py", "extra"): _PART,
    ("services/views/claims.py", "rating"): _PART,
}
# These narrow by the gate, or read what is open to everybody.
GATED = {"visible_to", "none", "published", "public", "claimable"}
OPEN_ROOMS = {"portal/": "reads what is published, without a person to scope by"}


def test_no_file_is_longer_than_a_reader_can_hold():
    long = [
        f"{name_of(path)}: {count} lines, at most {LINES[path.suffix]}"
        for path in sources(*LINES, roots=ROOTS)
        if (count := len(path.read_text().splitlines())) > LINES[path.suffix]
    ]
    assert not long, "\n".join(long)


def views() -> list[Path]:
    return [
        path
        for path in sources(".py")
        if {"views", "pages"} & set(path.parts) or path.name in ("views.py", "api.py")
        if not name_of(path).startswith((*OPEN_ROOMS, "core/api/"))
    ]


def ungated(path: Path) -> list[tuple[str, int]]:
    """(function, line) of each read that starts at `Model.objects` and passes no gate."""
    tree = ast.parse(path.read_text())
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    return [
        (_function(node, parents), node.lineno)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr == "objects"
        and _function(node, parents) != "get_queryset"  # the base views scope what it gives
        and not _passes(node, parents)
    ]


def _passes(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    """Whether the chain of calls on `node` has a gate in it, or is handed to `get_visible`."""
    here = node
    while (up := parents.get(here)) is not None and not isinstance(up, ast.stmt):
        if isinstance(up, ast.Attribute) and up.attr in GATED:
            return True
        if isinstance(up, ast.Call) and getattr(up.func, "id", "") == "get_visible":
            return True
        here = up
    return False


def _function(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> str:
    while node in parents:
        node = parents[node]
        if isinstance(node, ast.FunctionDef):
            return node.name
    return ""


def test_no_view_goes_round_the_gate():
    found = {(name_of(path), name): line for path in views() for name, line in ungated(path)}
    told = [
        f"{file}:{found[file, name]} in {name}"
        for file, name in found
        if (file, name) not in UNGATED
    ]
    assert not told, "read through visible_to or get_visible, or give the reason:\n" + "\n".join(
        told
    )
    assert set(UNGATED) <= set(found), "no longer goes round the gate: take the reason away"
