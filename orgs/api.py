from core.api import ScopedViewSet, Write, register
from orgs.actions.units import register_unit, update_unit
from orgs.filters import UnitFilter
from orgs.forms import UnitForm
from orgs.models import Area, Unit


@register("areas")
class AreaApi(ScopedViewSet):
    model = Area
    perm = "orgs.view"
    fields = ("id", "code", "name", "kind", "state", "parent_id", "community_id", "street_id")
    detail_fields = ("district_id", "city_id", "successor_id", "valid_from", "valid_to")


@register("units")
class UnitApi(ScopedViewSet):
    model = Unit
    perm = "units.view"
    filters = UnitFilter
    fields = ("id", "name", "credit_code", "kind", "state", "area_id", "area__name")
    detail_fields = ("party_org", "contact_name", "left_on", "created_at", "updated_at")
    creates = Write(UnitForm, register_unit, perm="units.edit")
    updates = Write(UnitForm, update_unit, perm="units.edit")
