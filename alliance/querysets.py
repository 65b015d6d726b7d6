from __future__ import annotations

from datetime import date
from typing import Any

from django.apps import apps
from django.db.models import (
    Avg,
    Count,
    DecimalField,
    F,
    FloatField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
)
from django.db.models.functions import Cast, Coalesce, Least

from alliance.enums import SIGNED, AgreementState, Side
from core.aggregates import TextList
from core.scope import ScopedQuerySet
from orgs.models.placed import PlacedQuerySet

_AMOUNT = DecimalField(max_digits=12, decimal_places=1)


def _of(model: str, link: str) -> QuerySet:
    """Rows of another model that belong to the row at hand."""
    return apps.get_model(model)._default_manager.filter(**{link: OuterRef("pk")}).order_by()


def _one(rows: QuerySet, link: str, aggregate: Any, output_field: Any = None) -> Subquery:
    """`aggregate` over all of `rows`, which share one `link`; NULL when there are none."""
    return Subquery(
        rows.values(link).annotate(_one=aggregate).values("_one"), output_field=output_field
    )


def _fulfilled(until: date | None) -> Subquery:
    rows = _of("alliance.Fulfilment", "clause")
    if until:
        rows = rows.filter(on__lte=until)
    return _one(rows, "clause", Sum("quantity"), _AMOUNT)


class ClauseQuerySet(ScopedQuerySet):
    def with_progress(self, until: date | None = None):
        """`fulfilled`: the sum recorded (up to a day); `rate`: its share, 1.0 at most.

        Doing twice as much of one thing does not make up for another left undone.
        """
        return self.annotate(
            fulfilled=Coalesce(_fulfilled(until), Value(0), output_field=_AMOUNT)
        ).annotate(
            rate=Least(
                Value(1.0),
                Cast("fulfilled", FloatField()) / Cast("quantity", FloatField()),
                output_field=FloatField(),
            )
        )


class AgreementQuerySet(PlacedQuerySet):
    def valid_during(self, first: date, last: date):
        """Signed agreements that were in force on at least one day from `first` to `last`."""
        return self.filter(
            Q(ended_on__isnull=True, ends_on__gte=first)
            # One that was ended before its first day never was in force.
            | Q(ended_on__gte=first) & Q(ended_on__gte=F("starts_on")),
            state__in=SIGNED,
            starts_on__lte=last,
        )

    def with_progress(self, first: date | None = None, last: date | None = None):
        """`clause_count`; `deeds`: fulfilments from `first` to `last`; `rate`: the mean of the
        clauses' rates up to `last`, empty without clauses."""
        deed = "clause__agreement"
        deeds = _of("alliance.Fulfilment", deed)
        if first:
            deeds = deeds.filter(on__gte=first)
        if last:
            deeds = deeds.filter(on__lte=last)
        clauses = _of("alliance.Clause", "agreement")
        return self.annotate(
            clause_count=Coalesce(_one(clauses, "agreement", Count("pk")), 0),
            deeds=Coalesce(_one(deeds, deed, Count("pk")), 0),
            rate=_one(clauses.with_progress(last), "agreement", Avg("rate")),
        )

    def with_parties(self):
        """`unit_names` (乙方) and `liaisons` (双方联络员, the community's first)."""
        parties = _of("alliance.Party", "agreement")
        units, named = parties.filter(side=Side.UNIT), parties.exclude(liaison="")
        return self.annotate(
            unit_names=_one(units, "agreement", TextList("unit__name", order_by="id")),
            liaisons=_one(named, "agreement", TextList("liaison", order_by="id")),
        )

    def due_to_start(self, today: date):
        return self.filter(
            state=AgreementState.PENDING, signed_on__isnull=False, starts_on__lte=today
        )

    def due_to_end(self, today: date):
        return self.filter(state=AgreementState.ACTIVE, ends_on__lt=today)

    def to_remind(self, today: date, until: date):
        """In force, ending by `until`, nobody told yet, and not renewed already."""
        return self.filter(
            state=AgreementState.ACTIVE,
            ends_on__range=(today, until),
            reminded_on__isnull=True,
            renewal__isnull=True,
        )
