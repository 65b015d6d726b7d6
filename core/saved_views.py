"""Saved views: keeping a list as one looks at it, alone or with one's office.

Private ones are a person's own convenience; what is shared belongs to the office, whose people
rename and delete it, and stands on the audit log.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Model, QuerySet

from core import audit
from core.errors import Refused
from core.models import DefaultView, SavedView
from core.models.saved_view import SHARE
from core.prepared import Prepared
from core.scope import Reach, reach_of, require

MOST = 50  # views of one list that one person, or one office, may keep


def offices_of(user: Any) -> list[Model]:
    """The areas and units that this person may share a view with: those they hold a role on."""
    reach = reach_of(user, SHARE)
    found: list[Model] = []
    for field, ids in (("area", [pk for _, pk in reach.areas]), ("unit", reach.units)):
        model = SavedView._meta.get_field(field).related_model
        found += model._default_manager.filter(pk__in=ids).order_by("pk") if ids else []
    return found


def menu_of(user: Any, page: str, chosen: str = "") -> Sequence[SavedView]:
    """The views of a list that its menu offers to this person, their own first; and the one that
    the address names (`chosen`), if they reach it. One query."""
    if chosen.isascii() and chosen.isdigit() and len(chosen) < _ID_DIGITS:
        # Within sight by itself is what is near: one's own, and what offices share that one holds.
        views = SavedView.objects.near(user).filter(page=page)
        views |= SavedView.objects.visible_to(user).filter(page=page, pk=chosen)
        near = list(views.with_default(user).select_related("area", "unit").only(*_IN_MENU))
    else:
        near = _near(user, page)
    return sorted(near, key=lambda view: (view.is_shared, view.name))


def _near(user: Any, page: str) -> list[SavedView]:
    """What `SavedViewQuerySet.near` gives, in a shape that follows from the number of offices."""
    reach = reach_of(user, SHARE)
    areas, units = [pk for _, pk in reach.areas], reach.units
    values = {f"a{n}": pk for n, pk in enumerate(areas)} | {
        f"u{n}": pk for n, pk in enumerate(units)
    }
    return _menu(page=page, user=user.pk, **values)


def _of_menu(page: str, user: int, **offices: int) -> QuerySet:
    of = {kind: [pk for name, pk in offices.items() if name[0] == kind] for kind in "au"}
    reach = Reach(areas=tuple(("", pk) for pk in of["a"]), units=tuple(of["u"]))
    views = SavedView.objects.near_to(user, reach).filter(page=page).with_default_of(user)
    return views.select_related("area", "unit").only(*_IN_MENU)


_menu = Prepared(_of_menu)
_ID_DIGITS = 19
_IN_MENU = ("page", "name", "query", "owner", "area__name", "unit__name")


@transaction.atomic
def save_view(
    *,
    page: str,
    name: str,
    query: str,
    by: Any,
    office: Model | None = None,
    default: bool = False,
) -> SavedView:
    """Keep `query` of the list `page` under a name, for `by` alone or with one of their offices."""
    if office is not None and office not in offices_of(by):
        raise Refused("只能共享给您任职的区域或单位。", field="office")
    where = _where(office)
    kept = SavedView.objects.filter(page=page, **where)
    if office is None:
        kept = kept.filter(owner=by)
    if kept.count() >= MOST:
        raise Refused(f"这个列表已保存 {MOST} 个视图，请先删除不用的。")
    view = SavedView(page=page, name=name, query=query, owner=by, **where)
    _save(view)
    if view.is_shared:
        audit.record("core.savedview.create", view, by=by, after=audit.snapshot(view))
    if default:
        set_default(view=view, by=by)
    return view


@transaction.atomic
def change_view(
    *, view: SavedView, by: Any, name: str | None = None, query: str | None = None
) -> SavedView:
    """Give a view another name, or have it stand for another address of its list."""
    require(by, SHARE, view)
    before = audit.snapshot(view)
    view.name = view.name if name is None else name
    view.query = view.query if query is None else query
    _save(view)
    if view.is_shared:
        after = audit.snapshot(view)
        audit.record("core.savedview.update", view, by=by, before=before, after=after)
    return view


@transaction.atomic
def delete_view(*, view: SavedView, by: Any) -> None:
    """Gone for all who share it; where it was the default, the list opens whole again."""
    require(by, SHARE, view)
    if view.is_shared:
        audit.record("core.savedview.delete", view, by=by, before=audit.snapshot(view))
    view.delete()


@transaction.atomic
def set_default(*, view: SavedView, by: Any) -> SavedView:
    """Have its list open with `view` for this person from now on."""
    require(by, SHARE, view)
    DefaultView.objects.update_or_create(user=by, page=view.page, defaults={"view": view})
    return view


@transaction.atomic
def clear_default(*, page: str, by: Any) -> None:
    DefaultView.objects.visible_to(by).filter(page=page).delete()


def _where(office: Model | None) -> dict[str, Model | None]:
    """The columns that say with whom a view is shared."""
    area = SavedView._meta.get_field("area").related_model
    is_area = isinstance(office, area)
    return {"area": office if is_area else None, "unit": None if is_area else office}


def _save(view: SavedView) -> None:
    try:
        with transaction.atomic():
            view.save()
    except IntegrityError:
        raise Refused(f"已有名为“{view.name}”的视图，请换一个名称。", field="name") from None
