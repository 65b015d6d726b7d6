from core import places
from core.console import menu, searchable
from orgs.places import AreaPlaces, where
from orgs.queries import search_areas, search_units

places.register(AreaPlaces())
menu("区划", "orgs:areas", perm="orgs.view", order=19, icon="tree", key="a")
menu("驻区单位", "orgs:units", perm="units.view", order=20, icon="building", key="u")
searchable(
    "区划",
    perm="orgs.view",
    find=lambda text, user: search_areas(user, text),
    note=lambda area: " · ".join(filter(None, (area.get_kind_display(), where(area)))),
    order=10,
)
searchable(
    "驻区单位",
    perm="units.view",
    find=lambda text, user: search_units(user, text),
    note=lambda unit: f"{unit.area.name} · {unit.credit_code}",
    order=20,
)
