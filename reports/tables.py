from typing import Any

from core.formats import marks
from core.periods import label_of
from core.tables import Column, Table
from reports.measures import Source

BAND_TONES = {"优秀": "ok", "良好": "info", "合格": "neutral", "不合格": "bad"}
STATE_TONES = {
    "waiting": "neutral",
    "computing": "info",
    "to_check": "warn",
    "reported": "info",
    "approved": "ok",
}


def _marks(name: str, label: str, **more: Any) -> Column:
    return Column(name, label, number=True, render=lambda row: marks(getattr(row, name)), **more)


def _period(row: Any) -> str:
    return label_of(row.period)


class ReviewTable(Table):
    order = "-total"
    columns = (
        Column("area_name", "单位", link="reports:review"),
        Column("level", "层级"),
        Column("period", "期间", render=_period),
        _marks("ordinary", "指标得分", sort=True),
        _marks("bonus", "加分", minor=True),
        _marks("deduction", "扣分", minor=True),
        _marks("total", "总分", sort=True),
        Column("band", "等次", tag=BAND_TONES),
        Column("state", "状态", tag=STATE_TONES),
    )


class RunTable(Table):
    columns = (
        Column("period", "期间", link="reports:run", render=_period),
        Column("area__name", "范围"),
        Column("started_by__name", "发起人"),
        Column("started_at", "发起时间", time=True),
        Column("finished_at", "完成时间", time=True),
        Column("counted", "评估单位", number=True),
        Column("kept", "锁定未重算", number=True),
    )


class EvidenceTable(Table):
    """Whatever was counted: a record of any room, by its own name and page."""

    columns = (Column("name", "记录", link=True, render=str),)


def evidence_columns(source: Source) -> list[Column]:
    """The record's name, its number if people know it by one, and where it lies."""
    number = [Column(source.number, "编号")] if source.number else []
    return [*EvidenceTable.columns, *number, Column(f"{source.path}area__name", "所在地")]
