"""Many at once on few places: the counter in the database decides."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from core.errors import Conflict
from orgs.models import Unit
from services.actions.claims import claim_item
from services.enums import ItemState
from services.models import Claim, Item
from tests.factories import services as make
from tests.factories.accounts import person
from tests.factories.orgs import small_city
from tests.factories.orgs import unit as make_unit
from tests.processes import parallel

PROCESSES = 4
THREADS = 5  # of each process, so that twenty connections press at once
PLACES = 10


def claim_for(item_id: int, pairs: list[tuple[int, int]]) -> list[str]:
    """Claim for each (user, unit) from several threads; returns what became of each."""
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(lambda pair: _claim(item_id, *pair), pairs))


def _claim(item_id: int, user_id: int, unit_id: int) -> str:
    from accounts.models import User

    try:
        claim_item(
            item=Item.objects.get(pk=item_id),
            by=User.objects.get(pk=user_id),
            unit=Unit.objects.get(pk=unit_id),
        )
    except Conflict as conflict:
        return str(conflict)
    finally:
        connection.close()
    return "claimed"


@pytest.mark.django_db(transaction=True)
def test_a_hundred_claims_on_ten_places_from_several_processes_make_ten():
    place = small_city()
    item = make.item(place.community, capacity=PLACES)
    pairs = []
    for _ in range(100):
        unit = make_unit(place.community)
        pairs.append((person("unit_liaison", unit).pk, unit.pk))
    shares = [(item.pk, pairs[n::PROCESSES]) for n in range(PROCESSES)]
    answers = [answer for future in parallel(claim_for, shares) for answer in future.result()]
    assert answers.count("claimed") == PLACES
    assert sum("名额已满" in answer for answer in answers) == 100 - PLACES
    item.refresh_from_db()
    assert (item.claimed, item.state) == (PLACES, ItemState.CLAIMED)
    assert Claim.objects.filter(item=item).count() == PLACES


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_one_unit_that_presses_twenty_times_holds_one_claim():
    place = small_city()
    item = make.item(place.community, capacity=PLACES)
    unit = make_unit(place.community)
    pair = (person("unit_liaison", unit).pk, unit.pk)
    answers = [
        answer
        for future in parallel(claim_for, [(item.pk, [pair] * 10)] * 2)
        for answer in future.result()
    ]
    assert answers.count("claimed") == 1
    assert sum("不能重复认领" in answer for answer in answers) == 19
    item.refresh_from_db()
    assert (item.claimed, item.state) == (1, ItemState.PUBLISHED)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_numbers_are_given_once_to_parallel_drafts():
    place = small_city()
    user = person("community_worker", place.community)
    shares = [(user.pk, place.community.pk)] * 2
    numbers = [n for future in parallel(draft_some, shares) for n in future.result()]
    year = Item.objects.first().created_at.year
    wanted = [f"{place.community.code}-{year}-{n:04d}" for n in range(1, len(numbers) + 1)]
    assert sorted(numbers) == wanted


def draft_some(user_id: int, area_id: int) -> list[str]:
    from accounts.models import User
    from orgs.models import Area
    from services.actions.items import create_item

    by, area = User.objects.get(pk=user_id), Area.objects.get(pk=area_id)
    return [
        create_item(by=by, area=area, kind="need", title="义诊", content="量血压").number
        for _ in range(8)
    ]
