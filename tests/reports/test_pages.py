"""The pages of a review: every score leads to the records that it counted."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone

from reports.catalogue import MEASURES
from reports.models import Review
from reports.tables import evidence_columns
from services.enums import ClaimState, Grade
from tests.factories import alliance, grids, members, reports, services
from tests.factories.accounts import person
from tests.factories.orgs import small_city, unit

# A job beats its heart on a connection of its own: what it runs on must be committed.
pytestmark = pytest.mark.django_db(transaction=True)


def test_a_review_opens_to_the_records_behind_each_score(client):
    place = small_city()
    need = services.item(place.community, title="楼道照明维修")
    reports.run(place.city)
    client.force_login(person("org_department", place.city))
    review = Review.objects.get(area=place.community)
    page = client.get(review.get_absolute_url()).content.decode()
    for key in MEASURES:
        assert reverse("reports:evidence", args=[review.pk, key]) in page
    address = reverse("reports:evidence", args=[review.pk, "needs_published"])
    assert need.title in client.get(address).content.decode()
    address = reverse("reports:evidence", args=[review.pk, "needs_claimed"])
    assert need.title not in client.get(address).content.decode()
    assert need.title in client.get(address, {"missed": "1"}).content.decode()


def test_each_kind_of_record_that_a_score_counted_opens(client):
    """Behind every score of a place where all there is to count has happened."""
    place = small_city()
    for grade in (Grade.GOOD, Grade.BAD):
        made = services.item(place.community)
        services.claim(made, unit(place.community), state=ClaimState.RATED, grade=grade)
    sides = members.side(place.community)
    members.confirmed(sides, members.reported(sides), days_ago=0, hours="2.5")
    alliance.signed(alliance.pair(place.community), ends_on=timezone.localdate())
    grids.grid_profile(place.grid, households=400)
    reports.run(place.city)
    client.force_login(person("org_department", place.city))
    review = Review.objects.get(area=place.community)
    opened = set()
    for key, measure in MEASURES.items():
        address = reverse("reports:evidence", args=[review.pk, key])
        for missed in ("", "?missed=1"):
            page = client.get(address + missed)
            assert page.status_code == 200, key
            for link in re.findall(r'<a href="([^"]+)">', page.text.partition("<tbody")[2]):
                assert client.get(link).status_code == 200, (key, link)
                opened.add(measure.source.name)
    assert opened == {measure.source.name for measure in MEASURES.values()}


def test_a_run_leads_to_its_job_only_for_whoever_may_open_it(client):
    place = small_city()
    officer, other = (person("org_department", place.city) for _ in range(2))
    run = reports.run(place.city, by=officer)
    job = reverse("core:job", args=[run.job_id])
    for user, opens in ((officer, True), (other, False)):
        client.force_login(user)
        page = client.get(run.get_absolute_url())
        assert page.status_code == 200
        assert (job in page.content.decode()) is opens
        assert (client.get(job).status_code == 200) is opens


def test_the_page_says_when_records_have_changed_since(client):
    place = small_city()
    reports.run(place.city)
    services.item(place.community)
    client.force_login(person("org_department", place.city))
    review = Review.objects.get(area=place.community)
    address = reverse("reports:evidence", args=[review.pk, "needs_published"])
    assert "与计算时不同" in client.get(address).content.decode()
    outside = person("org_department", place.other_district)
    client.force_login(outside)
    assert client.get(address).status_code == 404


def test_the_page_says_what_full_marks_need_and_why_one_does_not_apply(client):
    place = small_city()
    reports.run(place.city)
    client.force_login(person("org_department", place.city))
    review = Review.objects.get(area=place.community)
    page = client.get(review.get_absolute_url()).text
    assert 'data-label="目标值">80%' in page  # needs_claimed in the catalogue
    assert "按其余指标的得分率折算" in page


def test_evidence_shows_numbers_that_people_know(client):
    place = small_city()
    need = services.item(place.community, title="楼道照明维修")
    reports.run(place.city)
    client.force_login(person("org_department", place.city))
    review = Review.objects.get(area=place.district)
    page = client.get(reverse("reports:evidence", args=[review.pk, "needs_published"])).text
    assert need.number in page
    menu = page.partition('id="menu"')[2].partition("</nav>")[0]
    assert menu.count("aria-current") == 1
    assert re.search(r'reviews/"[^>]*aria-current="true"', menu), "it belongs to the results"
    assert place.community.name in page
    of_posts = evidence_columns(MEASURES["posts_held"].source)
    assert [column.label for column in of_posts] == ["记录", "所在地"], "a post has no number"
