from core.tables import Column, Table
from members.enums import PostState, ReportingState, ServiceState


class MemberTable(Table):
    columns = (
        Column("name", "姓名", link="members:member"),
        Column("unit__name", "单位"),
        Column("party_org", "单位党组织", minor=True),
        Column("community__name", "居住社区"),
        Column("speciality", "特长", minor=True),
        Column("phone", "手机号", render=lambda row: row.masked_phone, minor=True),
        Column("created_at", "登记日期", date=True, sort="pk"),
    )


class ReportingTable(Table):
    known_by = ("unit__name", "community__name")
    columns = (
        Column("member__name", "姓名", link="members:reporting"),
        Column("unit__name", "单位"),
        Column("community__name", "报到社区"),
        Column("opened_on", "登记日期", date=True, sort="pk", minor=True),
        Column("reported_on", "报到日期", date=True),
        Column("state", "状态", tag=ReportingState),
    )


class HistoryTable(Table):
    """The reportings of one member."""

    columns = (
        Column("community__name", "报到社区", link="members:reporting"),
        Column("reported_on", "报到日期", date=True),
        Column("closed_on", "结束日期", date=True),
        Column("reason", "原因"),
        Column("state", "状态", tag=ReportingState),
    )


class PostTable(Table):
    columns = (
        Column("title", "岗位名称", link="members:post"),
        Column("category", "类别"),
        Column("community__name", "所在社区"),
        Column("skills", "所需特长", minor=True),
        Column("claimed", "已认领", number=True),
        Column("headcount", "招募人数", number=True),
        Column("state", "状态", tag=PostState),
    )


class ServiceTable(Table):
    known_by = ("unit__name", "community__name")
    columns = (
        Column("served_on", "服务日期", date=True, link="members:servicerecord", sort=True),
        Column("member__name", "姓名"),
        Column("unit__name", "单位", minor=True),
        Column("community__name", "社区", minor=True),
        Column("content", "服务内容"),
        Column("hours", "时长（小时）", number=True),
        Column("state", "状态", tag=ServiceState),
    )


class OwnServiceTable(Table):
    """The services of one member."""

    columns = tuple(
        c for c in ServiceTable.columns if c.name in ("served_on", "content", "hours", "state")
    )
