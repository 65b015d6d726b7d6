from orgs.models.area import Area, AreaHistory
from orgs.models.placed import Placed, PlacedQuerySet
from orgs.models.unit import Unit

__all__ = ["Area", "AreaHistory", "Placed", "PlacedQuerySet", "Unit"]
