"""What the tree tells the grids' room."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.dispatch import receiver

from grids.actions.records import end_posts, open_records
from orgs.enums import AreaKind
from orgs.models import Area
from orgs.signals import area_retired, areas_added


@receiver(areas_added)
def open_with_the_grid(areas: QuerySet[Area], **kwargs: Any) -> None:
    open_records(areas)


@receiver(area_retired)
def end_with_the_grid(area: Area, successor: Area | None, reason: str, **kwargs: Any) -> None:
    """A successor keeps the posts and the counts that it has: those of the two are not added up."""
    if area.kind != AreaKind.GRID:
        return
    what = f"网格并入“{successor.name}”" if successor else "网格撤销"
    end_posts(area, reason=f"{what}：{reason}" if reason else f"{what}。")
