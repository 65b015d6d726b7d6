"""Every audited action has a word: timelines and the log speak to people, not in verbs of code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from django.apps import apps

from core.deeds import COMMON, said, words_of
from tests.guards.project import name_of, sources

ROOMS = {config.label for config in apps.get_app_configs() if "." not in config.name}


def actions(path: Path) -> Iterator[tuple[str, int]]:
    """The actions that a file writes into the audit log in so many words, with their lines."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            parts = node.value.split(".")
            if len(parts) == 3 and parts[0] in ROOMS and all(p.isidentifier() for p in parts):
                yield node.value, node.lineno


def words_of_room(room: str) -> set[str]:
    """All verbs that the models of a room have words for."""
    models = [m for m in apps.get_models() if m._meta.app_label == room]
    return set(COMMON).union(*(words_of(m._meta.label_lower) for m in models))


def written() -> list[tuple[str, str]]:
    """(action, where) of every action named in the code that records."""
    return [
        (action, f"{name_of(path)}:{line}")
        for path in sources(".py")
        if "audit" in path.read_text()
        for action, line in actions(path)
        if not _is_a_setting(action)
    ]


def _is_a_setting(action: str) -> bool:
    """Dotted paths of modules and tasks look like actions."""
    return action.split(".")[1] in {
        "tasks",
        "views",
        "forms",
        "models",
        "actions",
        "middleware",
        "api",
        "core",
    }


def test_every_audited_action_has_a_word():
    found = written()
    assert len(found) > 40, "the walk no longer finds the actions"
    wordless = [
        f"{where} {action}"
        for action, where in found
        if action.rpartition(".")[2] not in words_of_room(action.partition(".")[0])
    ]
    assert not wordless, "give it a word in `deeds` (core/deeds.py):\n" + "\n".join(wordless)


def test_a_word_is_the_objects_own():
    assert said("services.item.publish", "services.item") == "发布"
    assert said("services.item.create", "services.item") == "新建"
    assert said("services.claim.create", "services.claim") == "认领"
    assert said("grids.grid.count", "grids.gridprofile") == "更新数量"
    assert said("accounts.user.sign_in_failed", "accounts.user") == "登录失败"


def test_what_has_no_word_keeps_its_name():
    assert said("gone.thing.vanish", "gone.thing") == "gone.thing.vanish"
    assert said("core.import", "") == "导入"
