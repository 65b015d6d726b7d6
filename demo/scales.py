"""How much of everything: `small` to look at, `city` to measure on (domain.md §8)."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Scale:
    """Totals over the whole seed. `streets` and `communities` None mean all that the city has."""

    streets: tuple[str, ...] | None
    communities: int | None
    every: int  # of these every n-th is filled, the rest stand empty
    grids: int  # a community
    buildings: int  # a grid
    units: int
    crowd: int  # of these in the first street, which is a busy one; the rest spread evenly
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
    streets=("370202001", "370202002", "370203020"),
    communities=4,  # of each street
    every=1,
    grids=4,
    buildings=3,
    units=36,
    crowd=12,
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
    streets=None,
    communities=None,
    every=1,
    grids=5,
    buildings=4,
    units=20_000,
    crowd=1_200,
    workers=2,
    items=100_000,
    agreements=20_000,
    members=330_000,
    posts=8_000,
    post_claims=60_000,
    services=1_000_000,
    tickets=5_000,
    days=365,
)


def _part(n: int) -> Scale:
    """One n-th of the city, to see how work grows with it."""
    counts = ("units", "crowd", "items", "agreements", "members")
    counts += ("posts", "post_claims", "services", "tickets")
    return replace(CITY, every=n, **{name: getattr(CITY, name) // n for name in counts})


SCALES = {"small": SMALL, "tenth": _part(10), "half": _part(2), "city": CITY}
