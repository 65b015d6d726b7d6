"""How a member unit leaves the register and comes back."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils import timezone

from core.errors import Refused
from core.transitions import Machine, Transition
from orgs.enums import UnitState as U
from orgs.models import Unit


def _leave(unit: Unit, by: Any, left_on: date | None = None) -> None:
    unit.left_on = left_on or timezone.localdate()
    if unit.left_on > timezone.localdate():
        raise Refused("迁出日期不能晚于今天。", field="left_on")
    if unit.left_on < timezone.localdate(unit.created_at):
        raise Refused("迁出日期不能早于登记日期。", field="left_on")


def _return(unit: Unit, by: Any) -> None:
    unit.left_on = None


def _place_is_struck_off(unit: Unit, by: Any) -> str | None:
    if unit.area.is_active:
        return None
    return f"所在地“{unit.area.name}”已撤销，请先修改所在地。"


UNIT = Machine(
    "orgs.Unit",
    states=U,
    deeds={"register": "登记"},
    transitions=[
        Transition(
            "leave",
            "迁出",
            [U.ACTIVE],
            U.LEFT,
            perm="units.edit",
            reason=True,
            apply=_leave,
            form="orgs.forms.LeaveForm",
            tone="danger",
            hint="迁出后不能再发布、认领和签约，历史记录保留。",
        ),
        Transition(
            "return",
            "恢复在册",
            [U.LEFT],
            U.ACTIVE,
            perm="units.edit",
            reason=True,
            guard=_place_is_struck_off,
            apply=_return,
            tone="default",
        ),
    ],
)
