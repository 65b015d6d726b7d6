from core.tables import Column, Table

BAND_TONES = {"优秀": "ok", "良好": "info", "合格": "neutral", "不合格": "bad"}
STATE_TONES = {
    "waiting": "neutral",
    "computing": "info",
    "to_check": "warn",
    "reported": "info",
    "approved": "ok",
}


class ReviewTable(Table):
    order = "-total"
    columns = (
        Column("area_name", "单位", link=True),
        Column("level", "层级"),
        Column("period", "期间"),
        Column("ordinary", "指标得分", number=True, sort=True),
        Column("bonus", "加分", number=True, minor=True),
        Column("deduction", "扣分", number=True, minor=True),
        Column("total", "总分", number=True, sort=True),
        Column("band", "等次", tag=BAND_TONES),
        Column("state", "状态", tag=STATE_TONES),
    )


class RunTable(Table):
    columns = (
        Column("period", "期间", link=True),
        Column("area__name", "范围"),
        Column("started_by__name", "发起人"),
        Column("started_at", "发起时间", time=True),
        Column("finished_at", "完成时间", time=True),
        Column("counted", "评估单位", number=True),
        Column("kept", "锁定未重算", number=True),
    )


class EvidenceTable(Table):
    """Whatever was counted: a record of any room, by its own name and page."""

    columns = (
        Column("pk", "编号", number=True),
        Column("name", "记录", link=True, render=str),
    )
