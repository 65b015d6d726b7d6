"""The console's own pages: the workbench, the place chooser, search and keys,
drafts, the choice of theme."""

from django.urls import path

from core.views.checks import CheckView
from core.views.home import ThemeView, WorkbenchView
from core.views.keeping import DraftDrop, DraftSave
from core.views.places import PlaceChooserView, PlaceSuggestView
from core.views.search import KeysView, SearchOptionsView, SearchView

app_name = "console"
urlpatterns = [
    path("", WorkbenchView.as_view(), name="home"),
    path("places/", PlaceChooserView.as_view(), name="places"),
    path("places/options/", PlaceSuggestView.as_view(), name="place-options"),
    path("search/", SearchView.as_view(), name="search"),
    path("search/options/", SearchOptionsView.as_view(), name="search-options"),
    path("keys/", KeysView.as_view(), name="keys"),
    path("drafts/", DraftSave.as_view(), name="draft-save"),
    path("drafts/drop/", DraftDrop.as_view(), name="draft-drop"),
    path("checks/<slug:name>/", CheckView.as_view(), name="check"),
    path("theme/", ThemeView.as_view(), name="theme"),
]
