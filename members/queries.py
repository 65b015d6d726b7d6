"""Reads across members, reportings and posts."""

from __future__ import annotations

from typing import Any

from accounts.queries import people_with
from members.models import Reporting


def community_people(reporting: Reporting, by: Any = None) -> set[int]:
    """Ids of the users who receive reports where the member reports."""
    return people_with("members.receive", area=reporting.area)


def unit_people(reporting: Reporting, by: Any = None) -> set[int]:
    """Ids of the liaisons of the member's unit."""
    return people_with("members.register", unit=reporting.unit)
