"""A small city to test in: two of everything, built through the platform's own actions."""

from __future__ import annotations

import itertools
from datetime import date
from types import SimpleNamespace

from django.utils import timezone

from orgs.actions.tree import load_areas
from orgs.actions.tree.files import Line
from orgs.actions.units import register_unit
from orgs.enums import BEGINNING
from orgs.models import Area, Unit

_serial = itertools.count(1)
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def small_city(
    code: str = "3799", name: str = "测试市", valid_from: date = BEGINNING
) -> SimpleNamespace:
    """City → 2 districts → 2 streets each → 2 communities each → 1 grid each.

    Names: `.city .district .street .community .grid` are the first of each level,
    `.other_district .other_street .other_community` a neighbour that shares no ancestor below
    the city; `.all` maps every code to its node.
    """
    lines: list[Line] = []

    def add(kind: str, node_code: str, node_name: str, parent_code: str = "") -> str:
        lines.append(Line(len(lines) + 2, node_code.ljust(12, "0"), node_name, kind, parent_code))
        return lines[-1].code

    city = add("city", code, name)
    districts, streets, communities, grids = [], [], [], []
    for d in "12":
        districts.append(add("district", f"{code}0{d}", f"{'东西'[int(d) - 1]}区", city))
        for s in "12":
            street = add("street", f"{code}0{d}00{s}", f"{d}{s}号街道", districts[-1])
            streets.append(street)
            for c in "12":
                community = f"{code}0{d}00{s}00{c}"
                communities.append(add("community", community, f"{d}{s}{c}社区居委会", street))
                grids.append(add("grid", f"{community}001", "第一网格", community))
    load_areas(lines, on=valid_from)
    nodes = {a.code: a for a in Area.objects.filter(code__in=[line.code for line in lines])}

    return SimpleNamespace(
        city=nodes[city],
        district=nodes[districts[0]],
        street=nodes[streets[0]],
        community=nodes[communities[0]],
        sibling_community=nodes[communities[1]],
        grid=nodes[grids[0]],
        other_district=nodes[districts[1]],
        other_street=nodes[streets[2]],
        other_community=nodes[communities[4]],
        all=nodes,
    )


def credit_code(serial: int) -> str:
    """A valid unified social credit code (GB 32100) numbered `serial`."""
    body = f"91370200MA{serial:07d}"
    total = sum(_ALPHABET.index(c) * pow(3, i, 31) for i, c in enumerate(body))
    return body + _ALPHABET[(31 - total % 31) % 31]


def unit(area: Area, name: str = "", **fields) -> Unit:
    """A member unit registered in `area`; `state="left"` for one that has moved away since."""
    values = _values(name, fields)
    left = values.pop("state", "active") == "left"
    found = register_unit(area=area, by=None, **values)
    return move_out(found) if left else found


def move_out(found: Unit) -> Unit:
    """The unit as one that left today, without the deed that would say so."""
    found.state, found.left_on = "left", timezone.localdate()
    found.save()
    return found


def dated(found: Unit, by: object) -> None:
    """For a transition of a test's own table: whoever leaves has a date, whoever is back none."""
    found.left_on = timezone.localdate() if found.left_on is None else None


def late_unit(area: Area) -> Unit:
    """A unit placed at a node whatever its state: what is recorded late may stand at a place that
    is no more, where nobody could register one today."""
    return Unit.objects.create(area=area, **_values("", {}))


def _values(name: str, fields: dict) -> dict:
    serial = next(_serial)
    return {
        "name": name or f"测试单位{serial}",
        "credit_code": credit_code(serial),
        "kind": "state_firm",
        "party_org": "测试党支部",
        "contact_name": "王联络",
        **fields,
    }
