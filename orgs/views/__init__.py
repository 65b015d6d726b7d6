from orgs.views.units import UnitDetail, UnitList

__all__ = ["UnitDetail", "UnitList"]
