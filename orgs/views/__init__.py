from orgs.views.areas import AreaBelow, AreaDetail, AreaList, AreaMove, AreaRename, AreaRetire
from orgs.views.units import UnitAdd, UnitDetail, UnitEdit, UnitList

__all__ = [
    "AreaBelow",
    "AreaDetail",
    "AreaList",
    "AreaMove",
    "AreaRename",
    "AreaRetire",
    "UnitAdd",
    "UnitDetail",
    "UnitEdit",
    "UnitList",
]
