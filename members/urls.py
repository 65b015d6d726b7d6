from django.urls import path

from core.urls import noun
from members import views
from members.models import Post, Reporting, ServiceRecord

app_name = "members"
urlpatterns = [
    *noun(
        "member",
        list=views.MemberList,
        detail=views.MemberDetail,
        add=views.MemberAdd,
        edit=views.MemberEdit,
        move=views.MemberMove,
        phone=views.MemberPhone,
    ),
    *noun(
        "reporting",
        list=views.ReportingList,
        detail=views.ReportingDetail,
        transits=Reporting,
        claim=views.ReportingClaim,
        record=views.ReportingRecord,
        late=views.ReportingLate,
    ),
    *noun(
        "post",
        list=views.PostList,
        detail=views.PostDetail,
        add=views.PostAdd,
        edit=views.PostEdit,
        transits=Post,
    ),
    *noun("claim", leave=views.ClaimLeave),
    path(
        "servicerecords/confirm/",
        views.ServicesConfirm.as_view(),
        name="servicerecords-confirm",
    ),
    *noun(
        "servicerecord",
        list=views.ServiceList,
        detail=views.ServiceDetail,
        add=views.ServiceAdd,
        transits=ServiceRecord,
    ),
]
