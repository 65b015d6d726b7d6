from core.urls import noun
from grids import views

app_name = "grids"
urlpatterns = [
    *noun("grid", list=views.GridList, detail=views.GridDetail, count=views.GridCount),
    *noun("post", appoint=views.PostAppoint, vacate=views.PostVacate),
]
