"""The base views. A page is a declaration of a few lines over one of these (docs/views.md)."""

from core.views.actions import Action
from core.views.base import ConsoleView
from core.views.details import DetailView, ObjectView, Step, path_of
from core.views.exports import ExportView
from core.views.forms import ActionFormView
from core.views.imports import ImportView
from core.views.lists import ListView
from core.views.transits import TransitView

__all__ = [
    "Action",
    "ActionFormView",
    "ConsoleView",
    "DetailView",
    "ExportView",
    "ImportView",
    "ListView",
    "ObjectView",
    "Step",
    "TransitView",
    "path_of",
]
