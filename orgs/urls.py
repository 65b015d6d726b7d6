from django.urls import path

from core.urls import noun
from core.views import ExportView, ImportView
from orgs import views
from orgs.models import Unit
from orgs.sheets import UnitRegister, UnitSheet

app_name = "orgs"
urlpatterns = [
    *ImportView.urls("units", UnitSheet, app=app_name),
    path(
        "units/export/",
        ExportView.as_view(exporter=UnitRegister, list_url="orgs:units"),
        name="units-export",
    ),
    *noun(
        "area",
        list=views.AreaList,
        detail=views.AreaDetail,
        below=views.AreaBelow,
        rename=views.AreaRename,
        move=views.AreaMove,
        retire=views.AreaRetire,
    ),
    *noun(
        "unit",
        list=views.UnitList,
        detail=views.UnitDetail,
        add=views.UnitAdd,
        edit=views.UnitEdit,
        transits=Unit,
    ),
]
