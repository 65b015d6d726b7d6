"""Tables of the grids: the counts coming in, the list going out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from core.exports import Asked, Col, Exporter, exporter
from core.sheets.layout import Kind
from core.sheets.resources import Problem, Ready, SheetField, SheetResource, importable
from core.sheets.widgets import Day, Lookup, Number, Text
from grids.actions.counts import count_grids
from grids.filters import GridFilter
from grids.models import GridProfile, GridStandard
from grids.models.profile import COUNT_MAX
from grids.tables import GridTable
from orgs.enums import AreaKind, AreaState
from orgs.models import Area
from orgs.names import GRIDS

PERM = "grids.edit"


def _grids(user: Any) -> QuerySet[Area]:
    return Area.objects.visible_to(user, PERM).filter(kind=AreaKind.GRID)


@importable
class CountSheet(SheetResource):
    identifier, title, perm = "grids", "网格数量", PERM
    notes = (
        "网格按网格代码识别，须已在区划中建立；可先导出网格名单，填好数字再导入。",
        "网格名称用来核对代码有没有填错，可以不填；更名请在区划中办理。",
        "只登记数量，不登记住户和党员名单。超出标准的数字照常写入，只作提示。",
    )

    area = SheetField(
        "网格代码",
        Lookup(_grids, names=GRIDS, noun="网格", hint="15位网格代码，网格须在您的管理范围内"),
        aliases=("代码",),
        key=True,
        example="370202001001001",
    )
    area__name = SheetField(
        "网格名称", Text(80), required=False, aliases=("网格",), example="第一网格"
    )
    households = SheetField("户数", Number(0, COUNT_MAX), example="400")
    members = SheetField("党员数", Number(0, COUNT_MAX), example="40")
    counted_on = SheetField(
        "统计日期", Day(), example="2026-11-21", help="不晚于今天，不早于已登记的统计日期"
    )

    class Meta:
        model = GridProfile
        import_id_fields = ("area",)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._read: dict[int, GridProfile] = {}

    def existing(self, keys: Sequence[Area]) -> Iterable[GridProfile]:
        found = list(super().existing(keys))
        self._read |= {profile.pk: profile for profile in found}
        return found

    def check_rows(self, rows: Sequence[Ready], by: Any) -> Iterator[Problem]:
        for row in rows:
            area, name = row.values["area"], row.values.pop("area__name", "")
            row.changes.pop("网格名称", None)  # it names the grid, it does not rename it
            if name and name != area.name:
                why = f"这个代码的网格是“{area.name}”，请核对代码和名称"
                yield Problem(row.number, "网格名称", why)
            if area.is_active:
                # As it was compared with: the write sees whether it still is.
                row.values["profile"] = profile = self._read[row.pk]
                yield from self._check_day(row, profile)
            elif row.is_new or row.changes:
                why = f"这个网格已于 {area.valid_to} 撤销，不能再登记数量"
                yield Problem(row.number, "网格代码", why)

    def _check_day(self, row: Ready, profile: GridProfile) -> Iterator[Problem]:
        today, day = timezone.localdate(), row.values["counted_on"]
        if day > today:
            yield Problem(row.number, "统计日期", f"不能晚于今天（{today}）")
        elif profile.is_counted and day < profile.counted_on:
            why = f"已有 {profile.counted_on} 的统计，不能用更早的数字覆盖；要更正请在网格页面修改"
            yield Problem(row.number, "统计日期", why)

    def write(
        self, new: Sequence[Mapping[str, Any]], changed: Sequence[Mapping[str, Any]], *, by: Any
    ) -> int:
        return count_grids(rows=[*new, *changed], by=by)


@exporter
class GridRegister(Exporter):
    """The list as the page has it. Its headers are those that the import knows, so that it can be
    filled in and sent back."""

    identifier, title, perm = "grids", "网格名单", "grids.view"
    model, filters, table = GridProfile, GridFilter, GridTable

    def get_columns(self, user: Any, asked: Asked) -> Sequence[Col]:
        standard = GridStandard.current()

        def outside(state: str, households: int | None, members: int | None) -> str:
            if state != AreaState.ACTIVE:
                return "已撤销"
            if households is None:
                return "未统计"
            flags = standard.flags(households, members)
            return f"是：{'；'.join(flag.words for flag in flags)}" if flags else "否"

        return (
            Col("代码", "area__code", kind=Kind.CODE, key=True),
            Col("网格", "area__name"),
            Col("社区", "community__name"),
            Col("户数", "households", kind=Kind.NUMBER),
            Col("党员数", "members", kind=Kind.NUMBER),
            Col("统计日期", "counted_on", kind=Kind.DATE),
            Col("空缺岗位", "vacancies", kind=Kind.NUMBER),
            Col("是否超标", ("area__state", "households", "members"), outside, width=40),
        )

    def queryset(self, user: Any, asked: Asked) -> QuerySet:
        return super().queryset(user, asked).with_vacancies()
