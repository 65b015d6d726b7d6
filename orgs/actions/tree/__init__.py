"""The one write path of the division tree (docs/tree.md)."""

from orgs.actions.tree.load import load_areas
from orgs.actions.tree.nodes import create_area, may_change, move_area, rename_area, retire_area

__all__ = [
    "create_area",
    "load_areas",
    "may_change",
    "move_area",
    "rename_area",
    "retire_area",
]
