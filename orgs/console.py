from core import places
from core.console import menu
from orgs.places import AreaPlaces

places.register(AreaPlaces())
menu("驻区单位", "orgs:units", perm="units.view", order=20, icon="building")
