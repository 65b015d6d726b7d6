"""The console's own pages: the workbench, the place chooser, the choice of theme."""

from django.urls import path

from core.views.home import ThemeView, WorkbenchView
from core.views.places import PlaceChooserView, PlaceSuggestView

app_name = "console"
urlpatterns = [
    path("", WorkbenchView.as_view(), name="home"),
    path("places/", PlaceChooserView.as_view(), name="places"),
    path("places/options/", PlaceSuggestView.as_view(), name="place-options"),
    path("theme/", ThemeView.as_view(), name="theme"),
]
