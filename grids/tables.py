from __future__ import annotations

from markupsafe import Markup

from core.tables import Column, Table, tag
from grids.models import GridProfile, GridStandard


def band(profile: GridProfile) -> Markup:
    """达标, or what is to be looked at: outside the standard, or not counted. Never blocked."""
    if not profile.area.is_active:
        return tag("已撤销")
    if not profile.is_counted:
        return tag("未统计", "warn")
    flags = profile.standard.flags(profile.households, profile.members)
    if not flags:
        return tag("达标", "ok")
    return Markup(" ").join(tag(flag.short, "warn") for flag in flags)


def vacancies(profile: GridProfile) -> int | None:
    return profile.vacancies if profile.area.is_active else None


class GridTable(Table):
    order = "area__code"
    columns = (
        Column("area__name", "网格", link="grids:grid"),
        Column("community__name", "社区"),
        Column("households", "户数", number=True, sort=True),
        Column("members", "党员数", number=True, sort=True),
        Column("flags", "对照标准", render=band),
        Column("vacancies", "空缺岗位", number=True, render=vacancies),
        Column("counted_on", "统计日期", date=True),
    )

    @classmethod
    def dress(cls, rows):
        standard = GridStandard.current()
        for row in rows:
            row.standard = standard
