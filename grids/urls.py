from core.urls import noun
from grids import views
from grids.models import GridPost

app_name = "grids"
urlpatterns = [
    *noun("grid", list=views.GridList, detail=views.GridDetail, count=views.GridCount),
    *noun("post", transits=GridPost),
]
