"""Addresses by noun, so that an app's urls.py is a few lines.

::

    app_name = "orgs"
    urlpatterns = [
        *noun("unit", list=UnitList, detail=UnitDetail, add=UnitAdd, edit=UnitEdit, transits=Unit),
    ]

gives ``orgs:units`` at units/, ``orgs:unit-add`` at units/add/, ``orgs:unit`` at units/<pk>/,
``orgs:unit-edit`` at units/<pk>/edit/ and ``orgs:unit-transit`` at units/<pk>/do/<name>/.
"""

from __future__ import annotations

from django.db.models import Model
from django.urls import URLPattern, path
from django.views import View

from core.views import TransitView


def noun(
    name: str,
    *,
    list: type[View] | None = None,  # noqa: A002  (reads as the page it names)
    detail: type[View] | None = None,
    add: type[View] | None = None,
    edit: type[View] | None = None,
    transits: type[Model] | None = None,
    plural: str = "",
    **more: type[View],
) -> list[URLPattern]:
    """The addresses of one noun. `more`: further pages of one object by name, at <pk>/<name>/."""
    plural = plural or f"{name}s"
    at = f"{plural}/<int:pk>/"
    pages = {
        plural: (f"{plural}/", list),
        f"{name}-add": (f"{plural}/add/", add),
        name: (at, detail),
        f"{name}-edit": (f"{at}edit/", edit),
    }
    pages |= {f"{name}-{k}".replace("_", "-"): (f"{at}{k}/", view) for k, view in more.items()}
    found = [path(route, view.as_view(), name=n) for n, (route, view) in pages.items() if view]
    if transits:
        view = TransitView.as_view(model=transits)
        found.append(path(f"{at}do/<slug:name>/", view, name=f"{name}-transit"))
    return found
