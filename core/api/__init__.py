"""The API at /api/v1/: the pages' own querysets, filters, forms, actions and transitions.

An app's `api.py` declares what it shows (docs/api.md)::

    @register("units")
    class UnitApi(ScopedViewSet):
        model = Unit
        perm = "units.view"
        filters = UnitFilter
        fields = ("id", "name", "kind", "state", "area_id", "area__name")
        creates = Write(UnitForm, register_unit, perm="units.edit")
        updates = Write(UnitForm, update_unit, perm="units.edit")
"""

from core.api.inputs import Write
from core.api.routes import register
from core.api.views import ScopedViewSet

__all__ = ["ScopedViewSet", "Write", "register"]
