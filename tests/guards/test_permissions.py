"""The table of permissions and the code say the same: each named is known, each known is used."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from accounts.enums import Role
from accounts.roles import PERMISSIONS
from tests.guards.project import ROOMS, name_of, sources

KNOWN = set().union(*PERMISSIONS.values())
# Where a permission stands among the arguments of what asks for one.
PLACE = {
    "require": 1,
    "may": 1,
    "reach_of": 1,
    "visible_to": 1,
    "reach": 0,
    "people_with": 0,
    "people_over": 0,
    "get_visible": 2,
    "still_visible": 2,
}
KEYWORDS = {"perm", "view", "perms"}


def named(path: Path) -> Iterator[tuple[str, int]]:
    """Permissions that a file asks for, with their lines."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            wanted = [k.value for k in node.keywords if k.arg in KEYWORDS]
            place = PLACE.get(_called(node))
            if place is not None:
                wanted += node.args[place : place + 1]
        elif isinstance(node, ast.Assign) and any(
            isinstance(t, ast.Name) and t.id in ("perm", "PERM") for t in node.targets
        ):
            wanted = [node.value]
        else:
            continue
        for value in wanted:
            for found in ast.walk(value):
                if isinstance(found, ast.Constant) and _is_permission(found.value):
                    yield found.value, found.lineno


def _called(node: ast.Call) -> str:
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def _is_permission(value: object) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"[a-z]+\.[a-z_]+", value))


def test_every_role_stands_in_the_table():
    assert set(PERMISSIONS) == set(Role)


def test_every_permission_that_is_asked_for_is_somebodys():
    unknown = [
        f"{name_of(path)}:{line} {perm}"
        for path in sources(".py")
        for perm, line in named(path)
        if perm not in KNOWN
    ]
    assert not unknown, "add them to accounts/roles.py:\n" + "\n".join(unknown)


def test_every_permission_that_is_somebodys_is_asked_for():
    texts = [
        path.read_text()
        for path in sources(".py", ".html", roots=(*ROOMS, "templates"))
        if name_of(path) != "accounts/roles.py"
    ]
    unused = [perm for perm in KNOWN if not any(f'"{perm}"' in text for text in texts)]
    assert not unused, f"nothing asks for {sorted(unused)}"
