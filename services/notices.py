"""What a message says beneath its title: what came of it, where it lies, whose turn it is.

Called from the tables of transitions. Nobody who rated is named: a message knows the matter alone.
"""

from __future__ import annotations

from core.formats import short_place
from services.models import Claim, Rectification


def of_rating(claim: Claim, by) -> str:
    """The grade alone: the rater's own words stay on the page, which asks who reads them."""
    said = f"{claim.rating.get_grade_display()}。{_where(claim)}"
    matter = getattr(claim.rating, "rectification", None)
    return said + (_next_close(claim) if matter is None else _next_report(matter))


def of_report(matter: Rectification, by) -> str:
    claim = matter.rating.claim
    return f"{_where(claim)}下一步：{_office(claim)}在 {matter.due_on} 前回访，登记回访或退回重改。"


def of_redo(matter: Rectification, by) -> str:
    return _where(matter.rating.claim) + _next_report(matter)


def of_call_back(matter: Rectification, by) -> str:
    return _where(matter.rating.claim) + _next_close(matter.rating.claim)


def _next_report(matter: Rectification) -> str:
    claim = matter.rating.claim
    return (
        f"下一步：{claim.provider}在 {matter.due_on} 前报告整改，{_office(claim)}回访后才能销号。"
    )


def _next_close(claim: Claim) -> str:
    return f"下一步：{_office(claim)}销号。"


def _where(claim: Claim) -> str:
    return f"{claim.item.publisher}的{claim.item.get_kind_display()}，编号 {claim.item.number}。"


def _office(claim: Claim) -> str:
    """Of a grid's item its community: whose staff call back and close it."""
    return short_place((claim.item.community or claim.item.area).name)
