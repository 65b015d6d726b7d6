"""Reads across members, reportings and posts."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from accounts.queries import people_with
from core.scope import AreaRule, Scope
from members.enums import ACCEPTED, ReportingState, ServiceState
from members.models import Reporting, ServiceRecord


def community_people(reporting: Reporting, by: Any = None) -> set[int]:
    """Ids of the users who receive reports where the member reports."""
    return people_with("members.receive", area=reporting.area)


def unit_people(reporting: Reporting, by: Any = None) -> set[int]:
    """Ids of the liaisons of the member's unit."""
    return people_with("members.register", unit=reporting.unit)


def reports_to_receive(user: Any) -> QuerySet[Reporting]:
    """Reports that wait for this user's community."""
    rows = Reporting.objects.visible_to(user, "members.receive")
    return rows.filter(state=ReportingState.PENDING).select_related("member", "unit")


def reports_to_correct(user: Any) -> QuerySet[Reporting]:
    """Reports that a community has returned to this user's unit."""
    rows = Reporting.objects.visible_to(user, "members.register")
    return rows.filter(state=ReportingState.RETURNED).select_related("member", "unit")


def reports_returned_to_others(user: Any) -> QuerySet[Reporting]:
    """Reports of this user's places that were returned, and that others have to correct."""
    below = Scope(AreaRule(), view="members.view")
    rows = Reporting.objects.filter(below.q(user), state=ReportingState.RETURNED)
    rows = rows.exclude(Reporting.scope.q(user, "members.register"))
    return rows.select_related("member", "unit")


def reportings_to_serve(user: Any) -> QuerySet[Reporting]:
    """Members whose services this user may record."""
    rows = Reporting.objects.visible_to(user, "members.receive").open()
    return rows.filter(state__in=ACCEPTED).select_related("member", "unit").order_by("unit", "pk")


def services_to_confirm(user: Any) -> QuerySet[ServiceRecord]:
    """Records that this user may confirm: not one's own late entries."""
    rows = ServiceRecord.objects.visible_to(user, "members.receive")
    others = Q(late_reason="") | ~Q(recorded_by=user.pk)
    rows = rows.filter(others, state=ServiceState.RECORDED)
    return rows.select_related("member", "unit")
