"""What an object's timeline tells, it tells in words: every audited deed has its Chinese."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from core.transitions import MACHINES
from core.views import DetailView
from core.views.details import _DEEDS
from tests.guards.project import models, name_of, routes, sources


def deeds() -> Iterator[tuple[str, str, str]]:
    """(object, verb, where) of each literal action that the code records: ``app.model.verb``."""
    for path in sources(".py"):
        for node in ast.walk(ast.parse(path.read_text())):
            called = isinstance(node, ast.Call) and getattr(node.func, "attr", "")
            if called in ("record", "record_many") and isinstance(node.args[0], ast.Constant):
                label, _, verb = str(node.args[0].value).rpartition(".")
                yield label, verb, f"{name_of(path)}:{node.lineno}"


def test_every_deed_on_a_page_has_its_words():
    shown = {
        route.model._meta.label_lower: route.model
        for route in routes()
        if isinstance(route.view, type) and issubclass(route.view, DetailView)
    }
    assert {model._meta.label_lower for model in models()} >= set(shown)
    wordless = []
    for label, verb, where in deeds():
        if label not in shown:
            continue
        machine = MACHINES.get(label)
        known = {**_DEEDS, **getattr(shown[label], "deeds", {})}
        if machine:
            known |= {**machine.transitions, **machine.deeds}
        if verb not in known:
            wordless.append(f"{where}: {label}.{verb}")
    assert not wordless, "name them in `deeds` of the model or its table:\n" + "\n".join(wordless)
