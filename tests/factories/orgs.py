"""A small city to test in: two of everything, built through the platform's own actions."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

from orgs.actions.tree import create_area
from orgs.models import Area, Unit

_serial = itertools.count(1)
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def small_city(code: str = "3799", name: str = "测试市") -> SimpleNamespace:
    """City → 2 districts → 2 streets each → 2 communities each → 1 grid each.

    Names: `.city .district .street .community .grid` are the first of each level,
    `.other_district .other_street .other_community` a neighbour that shares no ancestor below
    the city; `.all` maps every code to its node.
    """
    nodes: dict[str, Area] = {}

    def add(kind, node_code, node_name, parent):
        full = node_code.ljust(12, "0") if len(node_code) < 12 else node_code
        node = create_area(kind=kind, code=full, name=node_name, parent=parent, by=None)
        nodes[node.code] = node
        return node

    city = add("city", code, name, None)
    districts, streets, communities, grids = [], [], [], []
    for d in "12":
        districts.append(add("district", f"{code}0{d}", f"{'东西'[int(d) - 1]}区", city))
        for s in "12":
            streets.append(add("street", f"{code}0{d}00{s}", f"{d}{s}号街道", districts[-1]))
            for c in "12":
                community = add(
                    "community", f"{code}0{d}00{s}00{c}", f"{d}{s}{c}社区居委会", streets[-1]
                )
                communities.append(community)
                grids.append(add("grid", f"{community.code}001", "第一网格", community))
    fresh = Area.objects.in_bulk([a.pk for a in nodes.values()])
    nodes = {code: fresh[a.pk] for code, a in nodes.items()}

    def again(area):
        return fresh[area.pk]

    return SimpleNamespace(
        city=again(city),
        district=again(districts[0]),
        street=again(streets[0]),
        community=again(communities[0]),
        sibling_community=again(communities[1]),
        grid=again(grids[0]),
        other_district=again(districts[1]),
        other_street=again(streets[2]),
        other_community=again(communities[4]),
        all=nodes,
    )


def credit_code(serial: int) -> str:
    """A valid unified social credit code (GB 32100) numbered `serial`."""
    body = f"91370200MA{serial:07d}"
    total = sum(_ALPHABET.index(c) * pow(3, i, 31) for i, c in enumerate(body))
    return body + _ALPHABET[(31 - total % 31) % 31]


def unit(area: Area, name: str = "", **fields) -> Unit:
    """A member unit registered in `area`."""
    serial = next(_serial)
    fields = {
        "kind": "state_firm",
        "party_org": "测试党支部",
        "contact_name": "王联络",
        **fields,
    }
    return Unit.objects.create(
        area=area, name=name or f"测试单位{serial}", credit_code=credit_code(serial), **fields
    )
