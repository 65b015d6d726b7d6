"""Addresses of the mechanisms' pages, below /console/."""

from django.urls import path

from core.models import Job
from core.pages.calendar import WorkdayAdd, WorkdayClear, WorkdayList
from core.pages.components import Components
from core.pages.files import Attach, AttachmentFile, Detach
from core.pages.inbox import Inbox, MarkAllRead, Message
from core.pages.jobs import JobDetail, JobList, JobResult
from core.pages.lists import (
    ListExport,
    ListViews,
    ViewDefault,
    ViewDelete,
    ViewEdit,
    ViewUpdate,
)
from core.pages.watches import WatchList, WatchToggle
from core.views import TransitView
from core.views.bulk import BulkView

app_name = "core"
urlpatterns = [
    path("jobs/", JobList.as_view(), name="jobs"),
    path("jobs/<uuid:pk>/", JobDetail.as_view(), name="job"),
    path("jobs/<uuid:pk>/result/", JobResult.as_view(), name="job-result"),
    path("jobs/<uuid:pk>/do/<slug:name>/", TransitView.as_view(model=Job), name="job-transit"),
    path("inbox/", Inbox.as_view(), name="inbox"),
    path("inbox/read/", MarkAllRead.as_view(), name="inbox-read"),
    path("inbox/<int:pk>/", Message.as_view(), name="message"),
    path("attachments/<uuid:pk>/", AttachmentFile.as_view(), name="attachment"),
    path("attachments/<uuid:pk>/remove/", Detach.as_view(), name="detach"),
    path("attachments/<str:label>/<str:object_id>/add/", Attach.as_view(), name="attach"),
    path("lists/<str:page>/export/", ListExport.as_view(), name="list-export"),
    path("lists/<str:page>/do/<slug:name>/", BulkView.as_view(), name="list-bulk"),
    path("lists/<str:page>/views/", ListViews.as_view(), name="list-views"),
    path("views/<int:pk>/edit/", ViewEdit.as_view(), name="savedview-edit"),
    path("views/<int:pk>/delete/", ViewDelete.as_view(), name="savedview-delete"),
    path("views/<int:pk>/update/", ViewUpdate.as_view(), name="savedview-update"),
    path("views/<int:pk>/default/", ViewDefault.as_view(), name="savedview-default"),
    path("watches/", WatchList.as_view(), name="watches"),
    path("watches/<str:label>/<str:object_id>/", WatchToggle.as_view(), name="watch"),
    path("components/", Components.as_view(), name="components"),
    path("workdays/", WorkdayList.as_view(), name="workdays"),
    path("workdays/add/", WorkdayAdd.as_view(), name="workday-add"),
    path("workdays/<int:pk>/clear/", WorkdayClear.as_view(), name="workday-clear"),
]
