from alliance.enums import AgreementState
from core.tables import Column, Table


def percent(rate: float | None) -> str:
    """履约率 as people read it: 66.7%, empty without clauses."""
    return "" if rate is None else f"{rate * 100:.1f}".rstrip("0").rstrip(".") + "%"


class AgreementTable(Table):
    columns = (
        Column("number", "编号", link="alliance:agreement", sort="pk"),
        Column("title", "协议名称"),
        Column("area__name", "甲方"),
        Column("unit_names", "乙方"),
        Column("clause_count", "条款数", number=True, minor=True),
        Column("rate", "履约率", render=lambda row: percent(row.rate), minor=True),
        Column("ends_on", "到期日期", date=True, sort=True),
        Column("state", "状态", tag=AgreementState),
    )


class FulfilmentTable(Table):
    columns = (
        Column("clause__number", "条款", render=lambda row: f"第{row.clause.number}条"),
        Column("source_label", "来源"),
        Column("quantity", "数量", number=True),
        Column("on", "日期", date=True),
    )
