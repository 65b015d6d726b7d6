"""A review goes upward: each office reports its own, and the one above decides."""

import re

import pytest
from django.core.exceptions import PermissionDenied

from accounts.enums import Role
from accounts.models import Grant
from core import console, people
from core.errors import Refused
from core.models import Notification
from core.transitions import machine_of, transit
from reports.actions.review import adjust, raise_all
from reports.enums import ReviewState
from reports.models import Review
from reports.scopes import OFFICES
from tests.factories import reports
from tests.factories.accounts import person
from tests.factories.orgs import small_city

pytestmark = pytest.mark.django_db


@pytest.fixture
def place():
    found = small_city()
    reports.run(found.city)
    return found


def of(area) -> Review:
    return Review.objects.get(area=area)


def below_approved(area) -> None:
    """As if all that lies below had come up already."""
    Review.objects.filter(parent_area=area).update(
        state=ReviewState.APPROVED,
        approved_at="2026-01-01T00:00Z",
        approved_by=person(Role.ORG_DEPARTMENT, area.city),
    )


def test_a_district_reports_its_own_and_the_city_decides(place):
    of_district = person(Role.ORG_DEPARTMENT, place.district)
    of_city = person(Role.ORG_DEPARTMENT, place.city)
    below_approved(place.district)
    with pytest.raises(PermissionDenied):
        transit(of(place.district), "report", by=of_city)
    assert raise_all(
        area=place.district, period=reports.this_quarter(), step="report", by=of_district
    ) == (1, [], [])
    with pytest.raises(PermissionDenied):
        transit(of(place.district), "approve", by=of_district)
    assert transit(of(place.district), "approve", by=of_city).state == ReviewState.APPROVED


def test_nobody_reports_over_the_head_of_another_office(place):
    of_district = person(Role.ORG_DEPARTMENT, place.district)
    for below in (place.street, place.community):
        with pytest.raises(PermissionDenied):
            transit(of(below), "report", by=of_district)
    of_street = person(Role.STREET_OFFICER, place.street)
    for other in (place.district, place.other_district):
        with pytest.raises(PermissionDenied):
            transit(of(other), "report", by=of_street)


def test_nobody_decides_on_their_own_review(place):
    of_district = person(Role.ORG_DEPARTMENT, place.district)
    with pytest.raises(PermissionDenied):
        adjust(review=of(place.district), kind="bonus", marks=1, ground="自评", by=of_district)
    of_city = person(Role.ORG_DEPARTMENT, place.city)
    below_approved(place.district)
    transit(of(place.district), "report", by=of_district)
    with pytest.raises(PermissionDenied):
        transit(of(place.district), "return", by=of_district, reason="想改")
    transit(of(place.district), "approve", by=of_city)
    with pytest.raises(PermissionDenied):
        transit(of(place.district), "unlock", by=of_district, reason="想改")


def test_who_sits_in_both_offices_does_not_approve_what_they_reported(place):
    both = person(Role.ORG_DEPARTMENT, place.city)
    Grant.objects.create(
        user=both, role=Role.ORG_DEPARTMENT, area=place.district, starts_on="2020-01-01"
    )
    below_approved(place.district)
    transit(of(place.district), "report", by=both)
    with pytest.raises(Refused, match="本人上报"):
        transit(of(place.district), "approve", by=both)
    transit(of(place.district), "approve", by=person(Role.ORG_DEPARTMENT, place.city))


@pytest.mark.parametrize("perm", [*OFFICES, "reports.view"])
def test_the_list_and_the_single_review_say_the_same(place, perm):
    asked = 0
    for role in (Role.ORG_DEPARTMENT, Role.STREET_OFFICER):
        for seat in (place.city, place.district, place.street, place.community):
            officer = person(role, seat)
            listed = set(Review.objects.visible_to(officer, perm))
            single = {r for r in Review.objects.all() if Review.scope.holds(r, officer, perm)}
            assert listed == single, (role, seat, perm)
            asked += len(listed)
    assert asked


def told(review: Review, *among) -> list:
    rows = Notification.objects.filter(url__startswith=review.get_absolute_url())
    ids = set(rows.values_list("user_id", flat=True))
    return [user for user in among if user.pk in ids]


def test_each_step_is_told_to_the_office_whose_turn_it_is(place):
    of_district = person(Role.ORG_DEPARTMENT, place.district)
    of_city = person(Role.ORG_DEPARTMENT, place.city)
    of_street = person(Role.STREET_OFFICER, place.street)
    below_approved(place.district)
    transit(of(place.district), "report", by=of_district)
    three = of_city, of_district, of_street
    assert told(of(place.district), *three) == [of_city]
    transit(of(place.district), "return", by=of_city, reason="请核对")
    assert told(of(place.district), *three) == [of_city, of_district]
    Review.objects.filter(parent_area=place.street).update(
        state=ReviewState.TO_CHECK, approved_at=None, approved_by=None
    )
    transit(of(place.community), "report", by=of_street)
    assert told(of(place.community), *three) == [of_district]
    transit(of(place.community), "return", by=of_district, reason="请核对")
    assert told(of(place.community), *three) == [of_district, of_street]


def test_the_page_names_the_office_whose_turn_it_is(place):
    of_city = person(Role.ORG_DEPARTMENT, place.city, name="市里")
    person(Role.ORG_DEPARTMENT, place.district, name="区里")

    def said(area, reader=of_city) -> list:
        review = of(area)
        return [
            (steps, str(holders and holders.who))
            for steps, holders in people.waited_for(machine_of(review), review, reader)
        ]

    assert said(place.community) == [(["上报"], "None")], (
        "no street officer: not the district's turn"
    )
    of_street = person(Role.STREET_OFFICER, place.street, name="街里")
    assert said(place.community) == [(["上报"], "街道干部 街里")]
    assert said(place.street) == said(place.district) == [], "what lies below has not come up yet"
    below_approved(place.street)
    assert said(place.street) == [(["上报"], "街道干部 街里")]
    transit(of(place.street), "report", by=of_street)
    # What is closed to the reporter alone is open to those whose turn it is.
    assert said(place.street, of_street) == [(["审定"], "组织部门 区里")]
    below_approved(place.district)
    assert said(place.district) == [(["上报"], "组织部门 区里")]


def waits(user) -> dict[str, set[str]]:
    kinds = [*console.WAITING, *console.AWAITED]
    return {
        kind.label: set(kind.rows(user).values_list("area_name", flat=True))
        for kind in kinds
        if "评估" in kind.label and user.reach(kind.perm)
    }


def test_the_workbench_holds_what_waits_for_this_office(place):
    of_district = person(Role.ORG_DEPARTMENT, place.district)
    of_city = person(Role.ORG_DEPARTMENT, place.city)
    transit(of(place.community), "report", by=person(Role.STREET_OFFICER, place.street))
    mine = waits(of_district)
    assert mine["待上报评估"] == {place.district.name}
    assert mine["待审定评估"] == {place.community.name}
    streets = Review.objects.filter(parent_area=place.district)
    assert mine["评估待上报"] == set(streets.values_list("area_name", flat=True))
    assert waits(of_city) == {
        "待上报评估": set(),
        "待审定评估": set(),
        "评估待上报": {place.district.name, place.other_district.name},
    }


def test_the_list_offers_what_the_office_can_do(client, place):
    def offered(user) -> set[str]:
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        page = client.get("/console/reports/reviews/").text
        return {label for label in ("批量上报", "批量审定") if f">{label}<" in page}

    assert offered(person(Role.ORG_DEPARTMENT, place.city)) == {"批量审定"}
    assert offered(person(Role.ORG_DEPARTMENT, place.district)) == {"批量上报", "批量审定"}
    assert offered(person(Role.STREET_OFFICER, place.street)) == {"批量上报"}


def test_the_form_of_a_batch_offers_the_places_that_the_office_reports(client, place):
    def offered(user) -> list[str]:
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        page = client.get(f"/console/reports/reviews/report/?area={place.street.pk}").text
        [select] = re.findall(r'<select name="area".*?</select>', page, re.DOTALL)
        return [text.strip() for text in re.findall(r"<option[^>]*>([^<]*)", select)]

    assert offered(person(Role.ORG_DEPARTMENT, place.district)) == [place.district.name]
    assert offered(person(Role.STREET_OFFICER, place.street)) == [place.street.name]
