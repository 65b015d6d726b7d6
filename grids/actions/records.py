"""The record of a grid from its first day to its last: opened when it is drawn or loaded, its
posts ended when it is struck off."""

from __future__ import annotations

from django.db import connection
from django.db.models import QuerySet

from core.transitions import transit
from grids.enums import PostState
from grids.models import GridPost, GridProfile, PostKind
from orgs.enums import STAMPS, AreaKind
from orgs.models import Area

_PLACE = ("area_id", *(f"{level}_id" for level in STAMPS))


def open_records(areas: QuerySet[Area]) -> None:
    """Give every grid among the new `areas` its record: counts unknown, its posts vacant.

    Two statements, however many grids there are. Nobody does this by hand and it says nothing
    that the new node does not, so the audit of that stands for it. To be called in the transaction
    that adds the nodes, which holds them. Raises `IntegrityError` for a grid that has its record.
    """
    grids = areas.filter(kind=AreaKind.GRID).order_by()
    found, params = grids.values_list("pk", *_PLACE[1:]).query.sql_with_params()
    place = ", ".join(_PLACE)
    profile, post, kind = (m._meta.db_table for m in (GridProfile, GridPost, PostKind))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {profile} ({place}, version) SELECT grids.*, 1 FROM ({found}) AS grids",
            params,
        )
        cursor.execute(
            f"INSERT INTO {post} ({place}, kind_id, state, holder, organisation) "
            f"SELECT grids.*, kind.id, %s, '', '' FROM ({found}) AS grids "
            f"CROSS JOIN {kind} AS kind WHERE kind.is_active",
            [PostState.VACANT, *params],
        )


def end_posts(area: Area, *, reason: str) -> None:
    """Vacate the posts of a grid that has just been struck off.

    All of its posts are locked, the vacant ones too: whoever is about to fill one waits, and then
    finds the grid gone.
    """
    posts = GridPost.objects.filter(area=area).select_for_update(of=("self",)).order_by("pk")
    for post in list(posts):
        if post.state == PostState.HELD:
            transit(post, "vacate", by=None, reason=reason)
