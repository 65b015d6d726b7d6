"""A condition as a value that is read gives what the same condition gives as a filter."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import DEFAULT_DB_ALIAS
from django.db.models import F, Q, QuerySet

from core.flags import flag
from orgs.models import Unit
from tests.factories.orgs import small_city, unit

pytestmark = pytest.mark.django_db
BEFORE, AFTER = date(2026, 5, 4), date(2026, 7, 1)


@pytest.fixture
def rows() -> QuerySet[Unit]:
    place = small_city()
    unit(place.community, "市第一中学", kind="school")
    unit(place.other_community, "50%折扣店", kind="firm")
    gone = unit(place.street, "已搬走", kind="firm")
    Unit.objects.filter(pk=gone.pk).update(state="left", left_on=date(2026, 6, 1))
    return Unit.objects.order_by("pk")


@pytest.mark.parametrize(
    "condition",
    [
        Q(left_on__isnull=True),
        Q(left_on__lt=AFTER),  # of an empty day it is neither true nor false
        ~Q(left_on__lt=AFTER),
        Q(left_on__gt=BEFORE) & (Q(kind="firm") | Q(kind="school")),
        Q(name__contains="50%"),
        Q(name=F("contact_name")),
        Q(community=F("area")),
        Q(kind__in={"school", "hospital"}),
        Q(area__kind="street"),  # through another table
        Q(pk__in=[]),  # for no row, as Django knows beforehand
        ~Q(pk__in=[]),
        Q(city__in=Unit.objects.filter(kind="school").values("city")),
    ],
)
def test_it_reads_what_a_filter_finds(rows, condition):
    for asked in (rows, rows.filter(area__kind="community"), rows.exclude(kind="school")):
        found = set(asked.filter(condition).values_list("pk", flat=True))
        read = asked.annotate(is_so=flag(Unit, condition, using=DEFAULT_DB_ALIAS))
        assert dict(read.values_list("pk", "is_so")) == {row.pk: row.pk in found for row in asked}


def test_conditions_that_differ_in_a_value_alone_are_told_apart(rows):
    for day, found in ((BEFORE, 0), (AFTER, 1), (BEFORE, 0)):
        left = flag(Unit, Q(left_on__lt=day), using=DEFAULT_DB_ALIAS)
        assert rows.annotate(left=left).filter(left=True).count() == found
