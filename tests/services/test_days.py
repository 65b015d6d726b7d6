from datetime import date, timedelta

import pytest
from django.utils import timezone

from services.enums import ClaimState
from services.models import Item
from services.rounds import round_of
from services.tasks import turn_the_day
from tests.factories import services as make
from tests.factories.orgs import unit as make_unit

pytestmark = pytest.mark.django_db


def test_what_nobody_claimed_goes_on_to_the_next_round_and_stands_first(place):
    left = make.item(place.community, title="没人认领")
    claimed = make.item(place.community, capacity=2)
    make.claim(claimed, make_unit(place.community))
    draft = make.item(place.community, state="draft")
    first = Item.objects.get(pk=left.pk).round
    next_round = round_of(first + timedelta(days=31))
    assert turn_the_day(str(first))["carried"] == 0
    assert turn_the_day(str(next_round))["carried"] == 1
    assert turn_the_day(str(next_round))["carried"] == 0
    left.refresh_from_db()
    assert (left.round, left.carried) == (next_round, 1)
    for other, wanted in ((claimed, first), (draft, None)):
        other.refresh_from_db()
        assert other.round == wanted


def test_a_round_is_the_same_day_of_every_month():
    assert round_of(date(2026, 12, 31)) == date(2026, 12, 10)


def test_a_place_given_up_goes_on_with_the_round(place, unit):
    item = make.item(place.community)
    make.claim(item, unit, state=ClaimState.WITHDRAWN)
    later = timezone.localdate() + timedelta(days=40)
    assert turn_the_day(str(later))["carried"] == 1
