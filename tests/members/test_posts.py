"""Posts: a headcount that holds, one open claim a member a post."""

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from accounts.enums import Role
from accounts.models import User
from core.errors import Conflict, Refused
from core.transitions import transit
from members.actions.post import claim_post, leave_post, publish_post, revise_post
from members.models import Member, Post, PostClaim
from tests.factories import members as make
from tests.factories.accounts import person
from tests.factories.orgs import small_city
from tests.processes import parallel


@pytest.fixture
def place():
    return small_city()


@pytest.fixture
def sides(place):
    return make.side(place.community)


@pytest.mark.django_db
def test_the_first_post_and_the_last_one_left_show_on_the_reporting(sides):
    row = make.reported(sides)
    claim = claim_post(post=make.post(sides), member=row.member, by=sides.liaison)
    row.refresh_from_db()
    assert row.state == "posted"
    with pytest.raises(Refused, match="原因"):
        leave_post(claim=claim, reason="", by=sides.liaison)
    leave_post(claim=claim, reason="工作变动", by=sides.worker)
    row.refresh_from_db()
    claim.post.refresh_from_db()
    assert (row.state, claim.post.claimed) == ("reported", 0)
    with pytest.raises(Conflict, match="已离岗"):
        leave_post(claim=claim, reason="工作变动", by=sides.worker)


@pytest.mark.django_db
def test_a_full_or_closed_post_takes_nobody(sides):
    post = make.post(sides, headcount=1)
    first, second = make.reported(sides), make.reported(sides)
    claim_post(post=post, member=first.member, by=sides.liaison)
    with pytest.raises(Conflict, match="名额已满"):
        claim_post(post=post, member=second.member, by=sides.liaison)
    other = transit(make.post(sides), "close", by=sides.worker)
    with pytest.raises(Conflict, match="停止招募"):
        claim_post(post=other, member=second.member, by=sides.liaison)
    second.refresh_from_db()
    assert (second.state, PostClaim.objects.count()) == ("reported", 1)


@pytest.mark.django_db
def test_one_open_claim_a_member_a_post_and_the_count_stays_right(sides):
    row, post = make.reported(sides), make.post(sides)
    claim = claim_post(post=post, member=row.member, by=sides.liaison)
    with pytest.raises(Conflict, match="不必重复认领"):
        claim_post(post=post, member=row.member, by=sides.liaison)
    post.refresh_from_db()
    assert post.claimed == 1
    leave_post(claim=claim, reason="轮换", by=sides.liaison)
    claim_post(post=post, member=row.member, by=sides.liaison)
    assert PostClaim.objects.filter(post=post).count() == 2


@pytest.mark.django_db
def test_only_where_the_member_reported_and_after_that(place, sides):
    waiting = make.member(sides)
    with pytest.raises(Refused, match="尚未在社区报到"):
        claim_post(post=make.post(sides), member=waiting, by=sides.liaison)
    elsewhere = make.side(place.other_community)
    row = make.reported(sides)
    with pytest.raises(Refused, match="不在党员报到的社区"):
        claim_post(post=make.post(elsewhere), member=row.member, by=sides.liaison)
    with pytest.raises(PermissionDenied):
        claim_post(post=make.post(sides), member=row.member, by=elsewhere.liaison)


@pytest.mark.django_db
def test_a_post_never_shrinks_below_its_holders(sides):
    row, post = make.reported(sides), make.post(sides, headcount=2)
    claim_post(post=post, member=row.member, by=sides.liaison)
    fields = {"title": post.title, "category": post.category, "by": sides.worker}
    with pytest.raises(Refused, match="已有 1 人"):
        revise_post(post=post, version=post.version, headcount=0, **fields)
    revise_post(post=post, version=post.version, headcount=1, **fields)
    with pytest.raises(Conflict, match="刚被他人改动"):
        revise_post(post=post, version=post.version, headcount=5, **fields)
    with pytest.raises(IntegrityError), transaction.atomic():
        Post.objects.filter(pk=post.pk).update(claimed=2)


@pytest.mark.django_db
def test_a_post_is_published_in_ones_own_community(place, sides):
    fields = {"title": "巡防岗", "category": "safety", "headcount": 2}
    with pytest.raises(PermissionDenied):
        publish_post(area=place.other_community, by=sides.worker, **fields)
    with pytest.raises(PermissionDenied):
        publish_post(area=place.community, by=sides.liaison, **fields)
    with pytest.raises(Refused, match="社区或网格"):
        publish_post(area=place.street, by=person(Role.STREET_OFFICER, place.street), **fields)
    assert publish_post(area=place.grid, by=sides.worker, **fields).community == place.community
    assert Post.objects.count() == 1


@pytest.mark.django_db
def test_open_posts_are_for_every_unit_to_read_and_closed_ones_are_not(place, sides):
    post = make.post(sides)
    away = make.side(place.other_community).liaison
    assert post in Post.objects.visible_to(away)
    assert Post.scope.holds(post, away)
    post = transit(post, "close", by=sides.worker)
    assert post not in Post.objects.visible_to(away)
    assert not Post.scope.holds(post, away)


def take(post_id, member_id, user_id):
    claim_post(
        post=Post.objects.get(pk=post_id),
        member=Member.objects.get(pk=member_id),
        by=User.objects.get(pk=user_id),
    )


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_twelve_at_once_for_five_places_fill_five(sides):
    post = make.post(sides, headcount=5)
    rows = [make.reported(sides) for _ in range(12)]
    done = parallel(take, [(post.pk, row.member_id, sides.liaison.pk) for row in rows])
    outcomes = [type(f.exception()) for f in done]
    assert outcomes.count(type(None)) == 5
    assert outcomes.count(Conflict) == 7
    post.refresh_from_db()
    assert (post.claimed, post.claims.filter(ended_on=None).count()) == (5, 5)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_one_member_claimed_from_four_desks_is_claimed_once(sides):
    post, row = make.post(sides, headcount=4), make.reported(sides)
    done = parallel(take, [(post.pk, row.member_id, sides.liaison.pk)] * 4)
    assert sorted(str(type(f.exception()).__name__) for f in done) == ["Conflict"] * 3 + [
        "NoneType"
    ]
    post.refresh_from_db()
    assert post.claimed == 1
