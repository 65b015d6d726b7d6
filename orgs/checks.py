"""What a code typed into a form is good for, said before the form is sent."""

from __future__ import annotations

from typing import Any

from core.checks import Answer, check
from orgs.actions.tree import rules
from orgs.credit_code import fault
from orgs.enums import AreaKind
from orgs.models import Area, Unit


def credit_code(text: str, user: Any, about: str) -> Answer:
    """`about`: the unit whose code it is. One that is registered out of sight is named as such,
    whatever it is about: the action would say so too, and nobody can look further."""
    code = text.upper()
    if why := fault(code):
        return Answer(False, f"统一社会信用代码{why}。")
    taken = Unit.objects.filter(credit_code=code).first()
    if taken is not None and not Unit.scope.holds(taken, user):
        return Answer(False, "代码有效，但已登记过单位，请由登记处修改所在地。")
    if taken is None or str(taken.pk) == about:
        return Answer(True, "代码有效，可以使用。")
    return Answer(False, f"已登记为“{taken}”。", taken.get_absolute_url())


def area_code(text: str, user: Any, about: str) -> Answer:
    """`about`: the node below which a new one is to hang."""
    above = Area.objects.visible_to(user).filter(pk=about).first() if about.isdecimal() else None
    kind = _kind_below(above)
    if kind is None:
        return Answer(False, "上级已不可用，请返回后重新选择。")
    why = rules.code_fault(kind, text) or rules.prefix_fault(kind, text, above.code)
    if why:
        return Answer(False, f"区划代码 {text} {why}。")
    if Area.objects.filter(code=text).exists():
        return Answer(False, "区划代码已被使用，请核对。")
    return Answer(True, "代码有效，可以使用。")


def _kind_below(above: Area | None) -> str | None:
    kinds = list(AreaKind.values)
    if above is None or above.kind == kinds[-1]:
        return None
    return kinds[kinds.index(above.kind) + 1]


check("credit-code", perm="units.edit", answer=credit_code)
check("area-code", perm="orgs.divide", answer=area_code)
