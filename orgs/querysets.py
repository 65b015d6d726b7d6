"""Reads of the tree. With `actions/tree` the only code that knows lft, rght and tree_id."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar

from django.db import models
from django.db.models import Q
from mptt.managers import TreeManager
from mptt.querysets import TreeQuerySet

from core.scope import ScopedQuerySet
from orgs.enums import STAMPS

_writing: ContextVar[bool] = ContextVar("tree_writing", default=False)


class OutsideTheTreeAction(RuntimeError):
    """A write of the tree that did not come through `orgs.actions.tree`: a programming error."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} is refused: areas are written by orgs.actions.tree alone, under its lock "
            "(create_area, rename_area, move_area, retire_area, load_areas; see docs/tree.md)."
        )


@contextmanager
def tree_writable():
    """Opens the tree to writes. For `orgs.actions.tree`, which holds the lock, and for nobody else."""
    token = _writing.set(True)
    try:
        yield
    finally:
        _writing.reset(token)


def refuse_outside(what: str) -> None:
    """Raise unless the tree is open to writes."""
    if not _writing.get():
        raise OutsideTheTreeAction(what)


def typed_so(field: str, start: str) -> Q:
    """Names one of whose readings in `field` starts so (`orgs.pinyin` keeps one or two)."""
    return Q(**{f"{field}__startswith": start}) | Q(**{f"{field}__contains": f" {start}"})


class AreaQuerySet(ScopedQuerySet):
    def active(self):
        return self.filter(state="active")

    def under(self, area):
        """`area` and all that counts under it: its subtree, and places merged into that.

        By the stamps, not the tree numbers: an instance read before a move answers right.
        """
        if area.kind not in STAMPS:
            return self.filter(pk=area.pk)
        return self.filter(**{f"{area.kind}_id": area.pk})

    def above(self, area):
        """The ancestors of `area`, from the city down, without itself."""
        ids = [getattr(area, f"{level}_id") for level in STAMPS]
        above = self.filter(pk__in=[i for i in ids if i and i != area.pk])
        return above.order_by("level")

    def in_order(self):
        """Depth first, as a reader would draw the tree; siblings by code."""
        return self.order_by("tree_id", "lft")

    def matching(self, text: str):
        """By a part of the name, the start of the code, or of its pinyin, full or initials."""
        text = text.strip()
        if not text:
            return self
        found = Q(name__contains=text)
        if text.isascii():
            plain = text.lower().replace(" ", "").replace("'", "")
            found |= Q(code__startswith=plain) if plain.isdigit() else Q()
            found |= typed_so("initials", plain) | typed_so("pinyin", plain)
        return self.filter(found)

    def update(self, **values):
        refuse_outside("Area.objects.update()")
        return super().update(**values)

    def delete(self):
        refuse_outside("Area.objects.delete()")
        return super().delete()

    def bulk_create(self, *args, **kwargs):
        refuse_outside("Area.objects.bulk_create()")
        return super().bulk_create(*args, **kwargs)

    update.alters_data = delete.alters_data = True
    delete.queryset_only = True


AreaManager = models.Manager.from_queryset(AreaQuerySet, class_name="AreaManager")


class _TreeReads(AreaQuerySet, TreeQuerySet):
    """django-mptt's reads, with the same refusals."""


class ReadOnlyTreeManager(TreeManager.from_queryset(_TreeReads)):
    """django-mptt's manager without its write paths, which corrupt a tree under parallel writers."""

    def _refuse(self, *args, **kwargs):
        raise OutsideTheTreeAction("a write through django-mptt")

    insert_node = move_node = _move_node = rebuild = partial_rebuild = build_tree_nodes = _refuse
    delay_mptt_updates = disable_mptt_updates = _refuse


class AreaHistoryQuerySet(models.QuerySet):
    def on(self, day):
        """The path of every node on `day`: exactly one row a node, retired ones included."""
        return self.filter(Q(valid_to__isnull=True) | Q(valid_to__gte=day), valid_from__lte=day)

    def standing(self, first, last):
        """Rows in force between two days, of nodes that stood then (not yet retired, not before
        they were set up). A node that moved within them has several."""
        return self.filter(
            Q(valid_to__isnull=True) | Q(valid_to__gte=first),
            Q(area__valid_to__isnull=True) | Q(area__valid_to__gte=first),
            valid_from__lte=last,
            area__valid_from__lte=last,
        )
