from orgs.views.units import UnitAdd, UnitDetail, UnitEdit, UnitList

__all__ = ["UnitAdd", "UnitDetail", "UnitEdit", "UnitList"]
