"""Following an object: who does is told of each transition, for as long as they see it.

What moves through states can be followed, by anybody who sees it; `transit` tells::

    follow(item, user)         # once, however often
    unfollow(item, user)
    followed(user)             # what this person follows and still sees

What stands on another object's page names it as its `hangs_on`: its steps are told to those who follow
that one, and it cannot be followed by itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Model
from django.http import Http404

from core.errors import Refused
from core.models import Watch
from core.notify import notify
from core.scope import get_visible
from core.transitions import MACHINES

MOST = 200  # of one person: more is a list and no longer a watch


def can_be_followed(obj: Model) -> bool:
    """Whether there are transitions to tell of, and a page that a message leads to."""
    model = obj if isinstance(obj, type) else type(obj)
    moves = obj._meta.label_lower in MACHINES and hasattr(model, "get_absolute_url")
    return moves and not hasattr(model, "hangs_on")


def find_object(user: Any, label: str, pk: str) -> Model:
    """The object to follow: 404 out of sight, and for what cannot be followed."""
    try:
        model = apps.get_model(label)
    except (LookupError, ValueError):
        raise Http404(f"no model {label}") from None
    if not can_be_followed(model):
        raise Http404(f"{label} has no transitions")
    return get_visible(model._default_manager, user, pk=pk)


def follows(obj: Model, user: Any) -> bool:
    return Watch.objects.on(obj).filter(user=user.pk).exists()


def follow(obj: Model, user: Any) -> None:
    """Raises `Refused` when the person follows as much as anybody can read."""
    with transaction.atomic():
        get_user_model().objects.select_for_update().get(pk=user.pk)  # counts one at a time
        if follows(obj, user):
            return
        if Watch.objects.filter(user=user.pk).count() >= MOST:
            raise Refused(f"最多关注 {MOST} 项。请先在“我的关注”取消不再需要的。")
        Watch.objects.create(
            user_id=user.pk, object_type=obj._meta.label_lower, object_id=str(obj.pk)
        )


def unfollow(obj: Model, user: Any) -> None:
    Watch.objects.on(obj).filter(user=user.pk).delete()


def followed(user: Any) -> list[Model]:
    """What `user` follows and sees, the latest first; one query for each type."""
    rows = list(Watch.objects.visible_to(user).order_by("-pk"))
    wanted = defaultdict(list)
    for row in rows:
        wanted[row.object_type].append(row.object_id)
    seen = {}
    for label, ids in wanted.items():
        model = apps.get_model(label)
        for obj in model._default_manager.visible_to(user).filter(pk__in=ids):
            seen[label, str(obj.pk)] = obj
    return [seen[key] for row in rows if (key := (row.object_type, row.object_id)) in seen]


def tell_many(objects: Iterable[Model], *, label: str) -> None:
    """The same for many objects of one model that one step has moved: who follows none of them
    costs one query."""
    by_pk = {str(obj.pk): obj for obj in objects}
    if not by_pk:
        return
    kind = next(iter(by_pk.values()))._meta.label_lower
    watched = Watch.objects.filter(object_type=kind, object_id__in=by_pk)
    for pk in watched.values_list("object_id", flat=True).distinct():
        obj = by_pk[pk]
        tell(obj, title=f"{label}：{obj}", body="", except_for=())


def tell(obj: Model, *, title: str, body: str, except_for: Iterable[int]) -> None:
    """Message those who follow `obj` and see it as it is now; the others no longer follow it.
    Within the transaction of what happened to it."""
    obj = getattr(obj, "hangs_on", obj)
    rows = Watch.objects.on(obj).select_related("user")
    blind, told = [], []
    for row in rows:
        sees = row.user.is_active and type(obj).scope.holds(obj, row.user)
        (told if sees else blind).append(row)
    if blind:
        Watch.objects.filter(pk__in=[row.pk for row in blind]).delete()
    people = {row.user_id for row in told} - set(except_for)
    if people:
        notify(people, title=title, body=body, about=obj, kind="watch")
