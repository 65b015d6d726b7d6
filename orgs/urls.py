from core.urls import noun
from orgs.views import UnitDetail, UnitList

app_name = "orgs"
urlpatterns = [
    *noun("unit", list=UnitList, detail=UnitDetail),
]
