"""The one write path of the division tree."""

from __future__ import annotations

from datetime import date

from django.db import connection, transaction
from django.utils import timezone
from pypinyin import Style, lazy_pinyin

from core import audit
from core.errors import Refused
from orgs.enums import STAMPS, AreaKind
from orgs.models import Area, AreaHistory

_LOCK = 0x617265  # "are": every tree write takes this one advisory lock


def create_area(
    *, kind: str, code: str, name: str, parent: Area | None, by, valid_from: date | None = None
) -> Area:
    """Add a node below `parent` (None for a city). Raises `Refused` on a wrong parent or code."""
    with transaction.atomic():
        _lock()
        if parent is not None:
            parent = Area.objects.get(pk=parent.pk)
        wanted = AreaKind(kind).parent_kind
        if (parent.kind if parent else None) != wanted:
            raise Refused(
                f"{AreaKind(kind).label}的上级须是{wanted.label if wanted else '空'}。",
                field="parent",
            )
        if Area.objects.filter(code=code).exists():
            raise Refused(f"区划代码 {code} 已存在。", field="code")
        area = Area(
            kind=kind,
            code=code,
            name=name,
            parent=parent,
            pinyin="".join(lazy_pinyin(name)),
            initials="".join(lazy_pinyin(name, style=Style.FIRST_LETTER)),
            valid_from=valid_from or timezone.localdate(),
            lft=0,
            rght=0,
            tree_id=0,
            level=0,
        )
        for level in STAMPS:
            setattr(area, f"{level}_id", getattr(parent, f"{level}_id") if parent else None)
        area.save_base(force_insert=True)
        if kind in STAMPS:
            setattr(area, f"{kind}_id", area.pk)
            area.save_base(update_fields=[f"{kind}_id"], force_update=True)
        AreaHistory.objects.create(
            area=area,
            name=name,
            code=code,
            parent=parent,
            valid_from=area.valid_from,
            **{f"{level}_id": getattr(area, f"{level}_id") for level in STAMPS},
        )
        _renumber()
        area.refresh_from_db()
        audit.record("orgs.area.create", area, by=by, after=audit.snapshot(area))
    return area


def _lock() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _renumber() -> None:
    children: dict[int | None, list[int]] = {}
    for pk, parent in Area.objects.order_by("code").values_list("pk", "parent_id"):
        children.setdefault(parent, []).append(pk)
    numbers: dict[int, tuple[int, int, int, int]] = {}

    def walk(pk: int, left: int, tree: int, level: int) -> int:
        right = left + 1
        for child in children.get(pk, []):
            right = walk(child, right, tree, level + 1) + 1
        numbers[pk] = (left, right, tree, level)
        return right

    for tree, root in enumerate(children.get(None, []), start=1):
        walk(root, 1, tree, 0)
    for pk, (lft, rght, tree, level) in numbers.items():
        Area.objects.filter(pk=pk).update(lft=lft, rght=rght, tree_id=tree, level=level)
