from core import places
from core.console import menu
from orgs.places import AreaPlaces

places.register(AreaPlaces())
menu("区划", "orgs:areas", perm="orgs.view", order=19, icon="tree")
menu("驻区单位", "orgs:units", perm="units.view", order=20, icon="building")
