"""The page of charts: every number opens to as many rows, for whoever looks, wherever they stand."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.enums import Role
from core.periods import period_of
from services.enums import ClaimState, Grade
from services.models import Claim, Item
from tests.core.browsing import rows_of, signed_in
from tests.factories import services as make
from tests.factories.accounts import person
from tests.factories.orgs import small_city, unit

pytestmark = pytest.mark.django_db
PAGE = "/console/reports/overview/"
CELL = re.compile(
    r'<td class="is-number"(?: data-value="([\d.]+)")?>(?:<a href="([^"]+)"[^>]*>)?([^<]*)<'
)


@pytest.fixture
def place():
    """Needs at two districts and a street, in every state, and what happened long ago."""
    made = small_city()
    units = [unit(made.community) for _ in range(3)]
    far = unit(made.other_community)
    item = make.item(made.community, capacity=3)
    for one, state in zip(
        units, (ClaimState.CLAIMED, ClaimState.CONTACTING, ClaimState.RATED), strict=True
    ):
        make.claim(item, one, state=state)
    make.claim(make.item(made.other_community), units[0], state=ClaimState.CLOSED)
    make.claim(make.item(made.community), units[1], state=ClaimState.RATED, grade=Grade.BAD)
    make.claim(make.item(made.community), far, state=ClaimState.WITHDRAWN)
    make.item(unit(made.street))
    make.item(made.community, kind="resource")
    old = make.claim(make.item(made.sibling_community), far, state=ClaimState.CONTACTING)
    long_ago = timezone.now() - timedelta(days=100)
    Item.objects.filter(pk=old.item_id).update(published_at=long_ago)
    Claim.objects.filter(pk=old.pk).update(
        claimed_at=long_ago, contacted_at=long_ago + timedelta(days=9)
    )
    return made


def figures(page: str) -> list[tuple[str, str, str]]:
    """(value, address, text) of every number on the page."""
    return [(v, html.unescape(href), text) for v, href, text in CELL.findall(page)]


def rows_at(client, address: str) -> int:
    """How many rows the list has at that address; it takes every filter in it."""
    answer = client.get(address)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "field-error" not in page, address
    return rows_of(answer)


@pytest.mark.parametrize(
    ("role", "where", "chosen"),
    [
        (Role.ORG_DEPARTMENT, "city", None),
        (Role.ORG_DEPARTMENT, "city", "street"),
        (Role.ORG_DEPARTMENT, "city", "community"),
        (Role.STREET_OFFICER, "street", None),
        (Role.STREET_OFFICER, "other_street", None),
        (Role.COMMUNITY_WORKER, "community", None),
    ],
)
def test_every_number_opens_to_as_many_rows(place, role, where, chosen):
    client = signed_in(person(role, getattr(place, where)))
    today = timezone.localdate()
    seen = 0
    for period in (period_of(today), period_of(today, "annual"), period_of(today).previous()):
        asked = {"period": period.text}
        if chosen:
            asked["area"] = getattr(place, chosen).pk
        for value, href, text in figures(client.get(PAGE, asked).content.decode()):
            if text.endswith("%"):  # a share opens to what it is the share of
                assert "claimable=taken" in href or value == "0"
            elif value in ("", "0"):
                assert not href
            else:
                assert rows_at(client, href) == int(value), href
                seen += 1
    assert seen > 5


def test_lower_places_are_compared_where_needs_lie(place):
    client = signed_in(person(Role.ORG_DEPARTMENT, place.city))
    districts = client.get(PAGE).content.decode()
    assert "各区县需求认领率" in districts
    assert f"{PAGE}?area={place.district.pk}&amp;period=" in districts
    streets = client.get(PAGE, {"area": place.district.pk}).content.decode()
    assert "各街道需求认领率" in streets
    communities = client.get(PAGE, {"area": place.street.pk}).content.decode()
    assert "各社区需求认领率" in communities
    assert f"另有 1 项由{place.street.name}本级发布" in communities
    assert "需求认领率" not in client.get(PAGE, {"area": place.community.pk}).content.decode()


def test_where_needs_wait_stands_first_and_who_published_none_last(place):
    make.item(place.other_community)
    make.item(place.other_community)
    client = signed_in(person(Role.ORG_DEPARTMENT, place.city))
    for chosen, expected in (
        (place.city, ["33.3%", "50%"]),
        (place.street, ["66.7%", "—"]),
    ):
        page = client.get(PAGE, {"area": chosen.pk}).content.decode()
        assert re.findall(r">([\d.]+%|—)(?:</a>)?</td>", page) == expected


def test_a_share_is_said_without_zeros_that_say_nothing(place):
    client = signed_in(person(Role.ORG_DEPARTMENT, place.city))
    for chosen, said in (
        (place.city, "3 项中有 2 项为基本满意及以上，占 66.7%。"),
        (place.other_community, "1 项中有 1 项为基本满意及以上，占 100%。"),
    ):
        assert said in client.get(PAGE, {"area": chosen.pk}).content.decode()


def test_a_wrong_period_is_named_and_a_foreign_place_is_not_there(place):
    client = signed_in(person(Role.STREET_OFFICER, place.street))
    page = client.get(PAGE, {"period": "2019Q9"})
    assert page.status_code == 200
    assert "field-error" in page.content.decode()
    assert client.get(PAGE, {"area": place.other_street.pk}).status_code == 404


def test_who_does_not_read_reviews_does_not_read_charts(place):
    for role, where in ((Role.GRID_WORKER, place.grid), (Role.UNIT_LIAISON, unit(place.community))):
        client = signed_in(person(role, where))
        assert client.get(PAGE).status_code == 403
        assert reverse("reports:overview") not in client.get("/console/").content.decode()


def test_nothing_to_show_says_so(place):
    client = signed_in(person(Role.STREET_OFFICER, place.other_street))
    Item.objects.all().update(kind="service")
    page = client.get(PAGE, {"area": place.other_community.pk, "period": "2025"})
    assert "这段时间没有记录" in page.content.decode()


def test_the_page_asks_as_often_for_many_as_for_few(place, django_assert_max_num_queries):
    client = signed_in(person(Role.ORG_DEPARTMENT, place.city))
    # Session, user, grants, own places, unread; the places compared; one for each chart.
    with django_assert_max_num_queries(12):
        client.get(PAGE, {"area": place.district.pk})
