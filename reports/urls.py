from django.urls import path

from core.urls import noun
from core.views import ExportView
from reports import views
from reports.models import Review
from reports.sheets import Assessment

app_name = "reports"

urlpatterns = [
    path("overview/", views.Overview.as_view(), name="overview"),
    path(
        "reviews/export/",
        ExportView.as_view(exporter=Assessment, list_url="reports:reviews"),
        name="assessment-export",
    ),
    path("reviews/report/", views.ReportAll.as_view(), name="report-all"),
    path("reviews/approve/", views.ApproveAll.as_view(), name="approve-all"),
    *noun(
        "review",
        list=views.ReviewList,
        detail=views.ReviewDetail,
        transits=Review,
        adjust=views.AdjustReview,
    ),
    path("reviews/<int:pk>/evidence/<slug:key>/", views.Evidence.as_view(), name="evidence"),
    *noun("run", list=views.RunList, detail=views.RunDetail, add=views.RunAdd),
]
