"""A prepared query gives what its queryset gives, whatever the values, in one query."""

from __future__ import annotations

from datetime import date

import pytest
from django.db.models import Exists, OuterRef
from django.utils import timezone

from core.prepared import Prepared
from orgs.models import Area, Unit
from tests.factories.orgs import small_city, unit

pytestmark = pytest.mark.django_db


@pytest.fixture
def place():
    return small_city()


def of(area: int, name: str):
    units = Unit.objects.filter(area_id=area, name__gte=name).order_by("pk")
    children = Area.objects.filter(parent_id=OuterRef("area_id"))
    return units.select_related("area").annotate(above=Exists(children)).defer("party_org")


def test_it_gives_the_same_rows_with_relations_and_annotations(place, django_assert_num_queries):
    units = [unit(place.community, name) for name in ("甲", "乙")]
    unit(place.other_community, "丙")
    ask = Prepared(of)
    for area in (place.community, place.other_community, place.street):
        plain = list(of(area.pk, "一"))
        with django_assert_num_queries(1):
            found = ask(area=area.pk, name="一")
            assert found == plain
            assert [(u.area.name, u.above, u.name) for u in found] == [
                (u.area.name, u.above, u.name) for u in plain
            ]
    assert [u.pk for u in ask(area=place.community.pk, name="乙")] == [
        u.pk for u in units if u.name >= "乙"
    ]
    assert found == []
    assert ask(area=place.community.pk, name="一")[0].party_org == units[0].party_org


def test_days_are_values_too(place):
    ask = Prepared(lambda day: Area.objects.filter(valid_from__lte=day))
    assert len(ask(day=timezone.localdate())) == Area.objects.count() > 0
    assert ask(day=date(1, 1, 2)) == list(Area.objects.filter(valid_from__lte=date(1, 1, 2)))


def test_a_value_that_shapes_the_query_is_refused(place):
    ask = Prepared(lambda area: Unit.objects.all() if area else Unit.objects.none())
    with pytest.raises(ValueError, match="not among"):
        ask(area=1)
