"""How a post of a grid is filled and vacated."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils import timezone

from core.errors import Refused
from core.transitions import Machine, Transition
from grids.enums import PostState
from grids.models import GridPost


def _grid_is_gone(post: GridPost, by: Any) -> str | None:
    if post.area.is_active:
        return None
    return f"“{post.area.name}”已于 {post.area.valid_to} 撤销，不能再登记任职。"


def _appoint(
    post: GridPost, by: Any, holder: str, since: date | None = None, organisation: str = ""
) -> None:
    post.holder, post.organisation = holder.strip(), organisation.strip()
    post.since = since or timezone.localdate()
    if not post.holder:
        raise Refused("请填写任职人姓名。", field="holder")
    if post.since > timezone.localdate():
        raise Refused("任职日期不能晚于今天。", field="since")


def _vacate(post: GridPost, by: Any) -> None:
    post.holder, post.organisation, post.since = "", "", None


POST = Machine(
    "grids.GridPost",
    states=PostState,
    transitions=[
        Transition(
            "appoint",
            "登记任职",
            [PostState.VACANT],
            PostState.HELD,
            perm="grids.edit",
            guard=_grid_is_gone,
            apply=_appoint,
            form="grids.forms.AppointForm",
        ),
        Transition(
            "vacate",
            "空出岗位",
            [PostState.HELD],
            PostState.VACANT,
            perm="grids.edit",
            system=True,  # with the grid
            reason=True,
            apply=_vacate,
            tone="danger",
            hint="换人时先空出岗位，再登记新的任职人；谁在何时任职，办理过程中都查得到。",
        ),
    ],
)
