"""The console's own pages: the workbench and the choice of theme."""

from django.urls import path

from core.views.home import ThemeView, WorkbenchView

app_name = "console"
urlpatterns = [
    path("", WorkbenchView.as_view(), name="home"),
    path("theme/", ThemeView.as_view(), name="theme"),
]
