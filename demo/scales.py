"""How much of everything: `small` to look at, `city` to measure on (domain.md §8)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Totals over the whole seed. `communities` None means every community of the city; `extra`
    of them are made up below streets that the published divisions do not fill."""

    name: str
    streets: tuple[str, ...] | None
    communities: int | None
    grids: int  # a community
    buildings: int  # a grid
    units: int
    workers: int  # staff accounts a community
    items: int
    agreements: int
    members: int
    posts: int
    post_claims: int
    services: int
    tickets: int
    days: int | None  # activity reaches so many days back; None: from the quarter's first day


SMALL = Scale(
    name="small",
    streets=("370202001", "370202002", "370203020"),
    communities=4,  # of each street
    grids=4,
    buildings=3,
    units=36,
    workers=2,
    items=260,
    agreements=30,
    members=420,
    posts=60,
    post_claims=240,
    services=1400,
    tickets=24,
    days=None,
)
CITY = Scale(
    name="city",
    streets=None,
    communities=None,
    grids=5,
    buildings=4,
    units=20_000,
    workers=1,
    items=100_000,
    agreements=20_000,
    members=330_000,
    posts=8_000,
    post_claims=60_000,
    services=1_000_000,
    tickets=5_000,
    days=365,
)
SCALES = {scale.name: scale for scale in (SMALL, CITY)}
