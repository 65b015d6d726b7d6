"""The pages of a review: every score leads to the records that it counted."""

import pytest
from django.urls import reverse

from reports.catalogue import MEASURES
from reports.models import Review
from reports.tables import evidence_columns
from tests.factories import reports, services
from tests.factories.accounts import person
from tests.factories.orgs import small_city

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
    assert place.community.name in page
    of_posts = evidence_columns(MEASURES["posts_held"].source)
    assert [column.label for column in of_posts] == ["记录", "所在地"], "a post has no number"
