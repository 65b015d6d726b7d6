from core.tables import Column, Table
from orgs.enums import BEGINNING

UNIT_STATE_TONES = {"active": "ok", "left": "neutral"}


class UnitTable(Table):
    columns = (
        Column("name", "单位名称", link="orgs:unit", sort="pinyin"),
        Column("kind", "类别"),
        Column("area__name", "所在地"),
        Column("party_org", "单位党组织", minor=True),
        Column("contact_name", "联络员", minor=True),
        Column("state", "状态", tag=UNIT_STATE_TONES),
        Column("created_at", "登记日期", date=True, sort="pk"),
    )


class AreaTable(Table):
    order = "code"
    columns = (
        Column("name", "名称", link="orgs:area", sort="pinyin"),
        Column("kind", "层级"),
        Column("code", "区划代码", sort=True),
        Column("state", "状态", tag={"active": "ok", "retired": "neutral"}),
        Column(
            "valid_from",
            "启用日期",
            date=True,
            render=lambda area: since(area.valid_from),
            minor=True,
        ),
    )


def since(day) -> str:
    """The day a node came into use; nothing for those that were there before the platform."""
    return "" if day == BEGINNING else day.isoformat()
