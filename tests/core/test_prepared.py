"""A prepared query gives what its queryset gives, whatever the values, in one query."""

from __future__ import annotations

from collections import OrderedDict
from datetime import date

import pytest
from django.db.models import Exists, OuterRef
from django.utils import timezone

from core.prepared import Prepared, Worded
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


def test_words_are_kept_by_what_they_follow_from(place, django_assert_num_queries, monkeypatch):
    monkeypatch.setattr(Worded, "MOST", 2)
    units = [unit(place.community), unit(place.other_community)]
    words, built = Worded(), []

    def ask(area: int, after: int) -> list:
        def rows(after: int):
            built.append(area)
            return Unit.objects.filter(area=area, pk__gt=after).values_list("pk", "created_at")

        with django_assert_num_queries(1):
            return words.rows(area, rows, after=after)

    here, there, street = place.community.pk, place.other_community.pk, place.street.pk
    for after in (0, units[0].pk - 1, units[0].pk):
        assert [row[0] for row in ask(here, after)] == [units[0].pk] * (after < units[0].pk)
    assert ask(there, 0)[0][1] == units[1].created_at
    assert (ask(here, 0) != [], built) == (True, [here, there])
    assert ask(street, 0) == []
    assert (ask(here, 0) != [], built) == (True, [here, there, street]), "it was asked for last"
    ask(there, 0)
    assert built == [here, there, street, there], "two are kept"


class Crowded(OrderedDict):
    """As another thread leaves it that asks for much else: whatever is looked up is gone at once."""

    def get(self, *args):
        found = super().get(*args)
        self.clear()
        return found

    def pop(self, *args):
        found = super().pop(*args)
        self.clear()
        return found


def test_threads_may_crowd_one_another_out_of_the_words(place):
    words, here = Worded(), unit(place.community)
    words._plans = Crowded()
    for _ in range(3):
        assert words.rows("units", lambda: Unit.objects.values_list("pk")) == [(here.pk,)]


def test_what_can_have_no_rows_is_not_asked(place, django_assert_num_queries):
    words = Worded()
    for _ in range(2):
        with django_assert_num_queries(0):
            assert words.rows("nothing", lambda: Unit.objects.none().values_list("pk")) == []
