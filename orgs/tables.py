from core.tables import Column, Table

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
