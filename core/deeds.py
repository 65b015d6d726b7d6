"""The words for what was done: one lookup for every timeline and for the auditor's log.

An audited action is `room.noun.verb`. Its word stands with the model of the object: the label of
the transition, the `deeds` of its machine, or the `deeds` of the model itself; the verbs that mean
the same everywhere stand here. `tests/guards/test_deeds.py` holds that each has a word.
"""

from __future__ import annotations

from django.apps import apps

from core.transitions import MACHINES

COMMON = {
    "create": "新建",
    "update": "修改",
    "delete": "删除",
    "import": "导入",
    "attach": "添加附件",
    "detach": "删除附件",
}


def said(action: str, object_type: str) -> str:
    """What `action` on an object of `object_type` (``services.item``) is called; the action itself
    where it has no word, as of a room that is no longer there."""
    return words_of(object_type).get(action.rpartition(".")[2], action)


def words_of(object_type: str) -> dict[str, str]:
    """The word of each verb that objects of this type know."""
    found = dict(COMMON)
    try:
        found |= getattr(apps.get_model(object_type), "deeds", {})
    except (LookupError, ValueError):
        return found
    if machine := MACHINES.get(object_type):
        found |= machine.deeds
        found |= {name: step.label for name, step in machine.transitions.items()}
    return found
