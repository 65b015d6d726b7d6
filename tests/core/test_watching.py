"""Following: told of each transition for as long as one sees it, and not a step longer."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from accounts.enums import Role
from accounts.models import Grant
from core import watching
from core.errors import Refused
from core.models import Notification, Watch
from core.transitions import transit, transit_all
from orgs.models import Unit
from reports.enums import ReviewState
from reports.models import Review
from services.enums import ItemState
from tests.core.browsing import signed_in, text
from tests.factories import reports, services
from tests.factories.accounts import person
from tests.factories.orgs import small_city, unit

pytestmark = pytest.mark.django_db


@pytest.fixture
def place():
    return small_city()


@pytest.fixture
def officer(place):
    return person(Role.STREET_OFFICER, place.street)


def told(user) -> list[str]:
    rows = Notification.objects.filter(user=user, kind="watch").order_by("pk")
    return [row.title for row in rows]


def toggle(client, obj, follow: str = "1"):
    return client.post(f"/console/watches/{obj._meta.label_lower}/{obj.pk}/", {"follow": follow})


def test_who_follows_is_told_of_each_step_once_and_not_of_their_own(place, officer):
    item = services.item(place.community, state=ItemState.PENDING)
    client = signed_in(officer)
    assert 'aria-pressed="false"' in client.get(item.get_absolute_url()).content.decode()
    for _ in range(2):
        answer = toggle(client, item)
        assert answer["Location"] == item.get_absolute_url()
    assert Watch.objects.count() == 1
    assert 'aria-pressed="true"' in client.get(item.get_absolute_url()).content.decode()
    worker = services.worker(place.community)
    item = transit(item, "return", by=worker, reason="请补充时段")
    item = transit(item, "submit", by=worker)
    assert told(officer) == [f"退回：{item}", f"提交审核：{item}"]
    message = Notification.objects.filter(user=officer).first()
    assert (message.body, message.url) == ("请补充时段", item.get_absolute_url())
    transit(item, "publish", by=officer)
    assert len(told(officer)) == 2


def test_who_is_told_by_the_table_is_not_told_twice(place):
    drafter = services.worker(place.community)
    item = services.item(place.community, state=ItemState.PENDING, by=drafter)
    watching.follow(item, drafter)
    transit(item, "publish", by=services.worker(place.community))
    assert Notification.objects.filter(user=drafter).count() == 1


def test_who_no_longer_follows_is_not_told(place, officer):
    item = services.item(place.community, state=ItemState.PENDING)
    client = signed_in(officer)
    toggle(client, item)
    toggle(client, item, follow="")
    transit(item, "publish", by=services.worker(place.community))
    assert told(officer) == []
    assert not Watch.objects.exists()


def test_sight_that_is_lost_ends_it_without_a_word(place, officer):
    item = services.item(place.community, state=ItemState.PENDING)
    watching.follow(item, officer)
    Grant.objects.filter(user=officer).update(ends_on="2020-01-02")
    worker = services.worker(place.community)
    item = transit(item, "publish", by=worker)
    assert told(officer) == []
    assert not Watch.objects.exists()
    Grant.objects.filter(user=officer).update(ends_on=None)
    transit(item, "withdraw", by=worker, reason="暂缓")
    assert told(officer) == [], "it does not come back by itself"


def test_a_step_that_hides_the_object_tells_only_those_who_still_see_it(place, officer):
    """What was published is withdrawn: a unit elsewhere saw it until then."""
    item = services.item(place.community)
    liaison = person(Role.UNIT_LIAISON, unit(place.other_community))
    watching.follow(item, liaison)
    watching.follow(item, officer)
    transit(item, "withdraw", by=services.worker(place.community), reason="暂缓")
    assert told(liaison) == []
    assert len(told(officer)) == 1
    assert list(Watch.objects.values_list("user", flat=True)) == [officer.pk]


def test_a_closed_account_follows_nothing(place, officer):
    item = services.item(place.community, state=ItemState.PENDING)
    watching.follow(item, officer)
    type(officer).objects.filter(pk=officer.pk).update(is_active=False)
    transit(item, "publish", by=services.worker(place.community))
    assert not Watch.objects.exists()


def test_a_deed_undone_tells_nobody(place, officer):
    item = services.item(place.community, state=ItemState.PENDING)
    watching.follow(item, officer)
    with transaction.atomic():
        transit(item, "publish", by=services.worker(place.community))
        transaction.set_rollback(True)
    assert told(officer) == []


def test_steps_taken_with_many_at_once_tell_as_well(place, officer):
    review = reports.review(place.community)
    watching.follow(review, officer)
    other = person(Role.COMMUNITY_WORKER, place.other_community)
    Watch.objects.create(user=other, object_type="reports.review", object_id=str(review.pk))
    rows = Review.objects.filter(pk=review.pk, state=ReviewState.TO_CHECK)
    assert transit_all(rows, "compute", by=None) == 1
    assert told(officer) == [f"开始计算：{review}"]
    assert told(other) == []
    assert list(Watch.objects.values_list("user", flat=True)) == [officer.pk]


def test_only_what_is_seen_and_moves_can_be_followed(place, officer):
    client = signed_in(officer)
    far = services.item(place.other_community, state=ItemState.DRAFT)
    for address in (
        f"services.item/{far.pk}",
        "services.item/x",
        "orgs.area/1",
        "core.notification/1",
        "no.model/1",
        "nonsense/1",
    ):
        answer = client.post(f"/console/watches/{address}/", {"follow": "1"})
        assert answer.status_code == 404, address
    assert client.get(f"/console/watches/services.item/{far.pk}/").status_code == 405
    assert not Watch.objects.exists()


def test_the_list_shows_what_is_still_in_sight_the_latest_first(place, officer):
    near, firm = services.item(place.community, state=ItemState.DRAFT), unit(place.community)
    far = services.item(place.other_community)
    for obj in (near, far, firm):
        watching.follow(obj, officer)
    client = signed_in(officer)
    shown = text(client.get("/console/watches/"))
    assert shown.index(firm.name) < shown.index(far.title) < shown.index(near.title)
    transit(far, "withdraw", by=services.worker(place.other_community), reason="暂缓")
    shown = text(client.get("/console/watches/"))
    assert far.title not in shown
    assert "还没有关注" in text(
        signed_in(services.worker(place.community)).get("/console/watches/")
    )


def test_the_list_asks_once_for_each_type(place, officer, django_assert_max_num_queries):
    for _ in range(5):
        watching.follow(services.item(place.community), officer)
        watching.follow(unit(place.community), officer)
    fresh = type(officer).objects.get(pk=officer.pk)
    with django_assert_max_num_queries(4):  # the rows, the grants, items, units
        assert len(watching.followed(fresh)) == 10


def test_one_follows_so_many_and_no_more(place, officer, monkeypatch):
    monkeypatch.setattr(watching, "MOST", 2)
    for _ in range(2):
        watching.follow(unit(place.community), officer)
    with pytest.raises(Refused, match="最多关注 2 项"):
        watching.follow(unit(place.community), officer)
    watching.follow(Unit.objects.order_by("pk").first(), officer)  # already there: no more


def test_the_database_holds_one_row_a_person_and_object(place, officer):
    item = services.item(place.community)
    watching.follow(item, officer)
    row = Watch.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        Watch.objects.create(user=officer, object_type=row.object_type, object_id=row.object_id)
    with pytest.raises(IntegrityError), transaction.atomic():
        Watch.objects.create(user=officer, object_type="services.item", object_id="")
