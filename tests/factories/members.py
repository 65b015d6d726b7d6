"""Members, reportings and posts, built through the platform's own actions."""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace

from django.utils import timezone

from accounts.enums import Role
from core.transitions import transit
from members.actions.member import register_member
from members.actions.post import publish_post
from members.actions.service import record_late_service, record_service
from members.enums import LATE_AFTER_DAYS, PostCategory
from members.models import Member, Post, Reporting, ServiceRecord
from orgs.models import Area
from tests.factories.accounts import person
from tests.factories.orgs import unit

_serial = itertools.count(1)


def side(community: Area) -> SimpleNamespace:
    """A community with its worker, and a unit in it with its liaison."""
    firm = unit(community)
    return SimpleNamespace(
        community=community,
        worker=person(Role.COMMUNITY_WORKER, community),
        unit=firm,
        liaison=person(Role.UNIT_LIAISON, firm),
    )


def phone(serial: int) -> str:
    """A mobile number; the range is not assigned to anybody."""
    return f"100{serial:08d}"


def member(sides: SimpleNamespace, **fields) -> Member:
    """Registered by the unit's liaison, the report waiting with the community."""
    serial = next(_serial)
    fields = {
        "name": f"党员{serial}",
        "area": sides.community,
        "phone": phone(serial),
        "speciality": "法律咨询",
        **fields,
    }
    return register_member(unit=sides.unit, by=sides.liaison, **fields)


def reported(sides: SimpleNamespace, reported_on: date | None = None, **fields) -> Reporting:
    """Accepted by the community, a year ago unless told otherwise."""
    row = member(sides, **fields).reportings.get()
    return transit(
        row,
        "receive",
        by=sides.worker,
        reported_on=reported_on or timezone.localdate() - timedelta(days=365),
    )


def post(sides: SimpleNamespace, headcount: int = 3, **fields) -> Post:
    """A post of the community."""
    fields = {"title": "法律咨询岗", "category": PostCategory.LAW, **fields}
    return publish_post(
        area=fields.pop("area", sides.community), headcount=headcount, by=sides.worker, **fields
    )


def service(
    sides: SimpleNamespace, reporting: Reporting, days_ago: int = 1, hours="2", **fields
) -> ServiceRecord:
    """Recorded by the community's worker; as a late entry when it is that old."""
    fields = {
        "reporting": reporting,
        "served_on": timezone.localdate() - timedelta(days=days_ago),
        "hours": Decimal(hours),
        "content": "社区法律咨询",
        "by": sides.worker,
        **fields,
    }
    if days_ago > LATE_AFTER_DAYS:
        return record_late_service(reason="当月漏记", **fields)
    return record_service(**fields)


def confirmed(sides: SimpleNamespace, reporting: Reporting, **fields) -> ServiceRecord:
    """A service that counts; a late one is confirmed by a second worker."""
    record = service(sides, reporting, **fields)
    by = sides.worker
    if record.is_late:
        by = person(Role.COMMUNITY_WORKER, sides.community)
    return transit(record, "confirm", by=by)
