from django.urls import path

from core.urls import noun
from core.views import ExportView, ImportView
from grids import views
from grids.models import GridPost
from grids.sheets import CountSheet, GridRegister

app_name = "grids"
urlpatterns = [
    *ImportView.urls("grids", CountSheet, app=app_name),
    path(
        "grids/export/",
        ExportView.as_view(exporter=GridRegister, list_url="grids:grids"),
        name="grids-export",
    ),
    *noun("grid", list=views.GridList, detail=views.GridDetail, count=views.GridCount),
    *noun("post", transits=GridPost),
]
