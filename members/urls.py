from django.urls import path

from core.urls import noun
from core.views import ExportView, ImportView
from members import views
from members.models import Post, Reporting, ServiceRecord
from members.sheets import MemberSheet, ReportingLedger

app_name = "members"
urlpatterns = [
    *ImportView.urls("members", MemberSheet, app=app_name),
    path(
        "reportings/export/",
        ExportView.as_view(exporter=ReportingLedger, list_url="members:reportings"),
        name="reportings-export",
    ),
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
