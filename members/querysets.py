from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.apps import apps
from django.db.models import (
    Case,
    CharField,
    Count,
    DecimalField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from core.aggregates import TextList
from core.among import Among
from members.enums import Opinion, ServiceState
from orgs.models.placed import PlacedQuerySet

_HOURS = DecimalField(max_digits=8, decimal_places=1)


def _of(model: str) -> QuerySet:
    """Rows of another model that belong to the reporting at hand."""
    return apps.get_model(model)._default_manager.filter(reporting=OuterRef("pk")).order_by()


def _one(rows: QuerySet, aggregate: Any, output_field: Any = None) -> Subquery:
    return Subquery(
        rows.values("reporting").annotate(_one=aggregate).values("_one"), output_field=output_field
    )


class MemberQuerySet(PlacedQuerySet):
    def under_phones(self, indexes: Iterable[str]):
        """Those registered under these phones (`core.fields.blind_index`) who have not left.

        It says aloud that a phone is there: of more than a hundred values PostgreSQL does not see
        it, and reads all members instead of the index that has none without a phone.
        """
        return self.filter(Among("phone_index", indexes), left_on=None).exclude(phone_index="")


class ReportingQuerySet(PlacedQuerySet):
    def open(self):
        return self.filter(closed_on__isnull=True)

    def standing_during(self, first: date, last: date):
        """Reportings that were open on at least one day from `first` to `last`."""
        return self.filter(Q(closed_on__isnull=True) | Q(closed_on__gte=first), opened_on__lte=last)

    def with_service(self, first: date | None = None, last: date | None = None):
        """`service_count` and `service_hours`: confirmed services from `first` to `last`."""
        services = _of("members.ServiceRecord").filter(state=ServiceState.CONFIRMED)
        if first:
            services = services.filter(served_on__gte=first)
        if last:
            services = services.filter(served_on__lte=last)
        return self.annotate(
            service_count=Coalesce(_one(services, Count("pk")), 0),
            service_hours=Coalesce(_one(services, Sum("hours")), Value(0), output_field=_HOURS),
        )

    def with_posts(self, first: date | None = None, last: date | None = None):
        """`post_titles`: posts held on at least one day from `first` to `last`."""
        claims = _of("members.PostClaim")
        if first:
            claims = claims.filter(Q(ended_on__isnull=True) | Q(ended_on__gte=first))
        if last:
            claims = claims.filter(claimed_on__lte=last)
        return self.annotate(
            post_titles=Coalesce(_one(claims, TextList("post__title", order_by="id")), Value(""))
        )

    def with_feedback(self, year: int | None = None):
        """`opinion` (its label) and `feedback_on` of the year's feedback, or of the last one."""
        feedback = _of("members.Feedback").order_by("-year")
        if year:
            feedback = feedback.filter(year=year)
        label = Case(
            *(When(opinion=o.value, then=Value(o.label)) for o in Opinion),
            output_field=CharField(),
        )
        return self.annotate(
            opinion=Subquery(feedback.annotate(_label=label).values("_label")[:1]),
            feedback_on=Subquery(feedback.values("on")[:1]),
        )
