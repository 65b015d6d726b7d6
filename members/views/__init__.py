from members.views.members import (
    MemberAdd,
    MemberDetail,
    MemberEdit,
    MemberList,
    MemberMove,
    MemberPhone,
)
from members.views.posts import PostAdd, PostDetail, PostEdit, PostList
from members.views.reportings import (
    ClaimLeave,
    ReportingClaim,
    ReportingDetail,
    ReportingLate,
    ReportingList,
    ReportingRecord,
)
from members.views.services import ServiceAdd, ServiceDetail, ServiceList, ServicesConfirm

__all__ = [
    "ClaimLeave",
    "MemberAdd",
    "MemberDetail",
    "MemberEdit",
    "MemberList",
    "MemberMove",
    "MemberPhone",
    "PostAdd",
    "PostDetail",
    "PostEdit",
    "PostList",
    "ReportingClaim",
    "ReportingDetail",
    "ReportingLate",
    "ReportingList",
    "ReportingRecord",
    "ServiceAdd",
    "ServiceDetail",
    "ServiceList",
    "ServicesConfirm",
]
