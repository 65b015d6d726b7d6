from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from core.audit import timeline
from core.errors import Conflict, Refused
from grids.actions.grids import appoint, count_grid, open_grid, vacate
from grids.models import GridPost, GridProfile, GridStandard, PostKind
from grids.querysets import in_band
from tests.factories.accounts import person
from tests.factories.grids import grid_profile
from tests.factories.orgs import small_city

pytestmark = pytest.mark.django_db


@pytest.fixture
def place():
    return small_city()


def test_a_new_grid_has_five_vacant_posts_and_shows_how_many(place):
    profile = grid_profile(place.grid)
    assert GridPost.objects.filter(area=place.grid).count() == PostKind.objects.count() == 5
    assert GridProfile.objects.with_vacancies().get(pk=profile.pk).vacancies == 5
    worker = person("community_worker", place.community)
    post = GridPost.objects.filter(area=place.grid).first()
    appoint(post=post, holder="李玉兰", by=worker)
    assert GridProfile.objects.with_vacancies().get(pk=profile.pk).vacancies == 4


@pytest.mark.parametrize(
    ("households", "members", "words"),
    [
        (400, 40, []),
        (300, 50, []),
        (299, 40, ["户数299户，低于标准下限300户"]),
        (501, 51, ["户数501户，高于标准上限500户", "党员数51名，高于标准上限50名"]),
    ],
)
def test_counts_outside_the_standard_are_kept_and_flagged(place, households, members, words):
    profile = grid_profile(place.grid, households, members)
    standard = GridStandard.current()
    assert profile.flags(standard) == words
    assert GridProfile.objects.filter(in_band(standard)).exists() == (not words)


def test_the_standard_is_data(place):
    profile = grid_profile(place.grid, 600, 40)
    GridStandard.objects.filter(pk=1).update(households_max=700)
    assert profile.flags(GridStandard.current()) == []


def test_only_grids_have_a_profile_and_only_one(place):
    worker = person("community_worker", place.community)
    with pytest.raises(Refused, match="不是使用中的网格"):
        open_grid(area=place.community, households=1, members=1, by=worker)
    grid_profile(place.grid)
    with pytest.raises(Conflict):
        open_grid(area=place.grid, households=1, members=1, by=worker)


def test_outside_ones_reach_and_without_the_right(place):
    profile = grid_profile(place.grid)
    stranger = person("community_worker", place.other_community)
    assert not GridProfile.objects.visible_to(stranger).exists()
    looker = person("org_department", place.city)
    assert profile in GridProfile.objects.visible_to(looker)
    for user in (stranger, looker):
        with pytest.raises(PermissionDenied):
            count_grid(
                profile=profile, households=1, members=1, counted_on=timezone.localdate(), by=user
            )


def test_two_who_count_at_once_do_not_overwrite_each_other(place):
    worker = person("community_worker", place.community)
    profile = grid_profile(place.grid)
    stale = GridProfile.objects.get(pk=profile.pk)
    today = timezone.localdate()
    count_grid(profile=profile, households=410, members=41, counted_on=today, by=worker)
    with pytest.raises(Conflict):
        count_grid(profile=stale, households=9, members=9, counted_on=today, by=worker)
    with pytest.raises(Refused, match="不能晚于今天"):
        count_grid(
            profile=GridProfile.objects.get(pk=profile.pk),
            households=1,
            members=1,
            counted_on=today + timedelta(days=1),
            by=worker,
        )
    assert GridProfile.objects.get(pk=profile.pk).households == 410


def test_a_post_passes_from_hand_to_hand_and_the_log_keeps_who_held_it(place):
    worker = person("community_worker", place.community)
    grid_profile(place.grid)
    post = GridPost.objects.select_related("kind", "area").filter(area=place.grid).first()
    post = appoint(post=post, holder="李玉兰", by=worker)
    stale = GridPost.objects.get(pk=post.pk)
    post = appoint(post=post, holder="王建国", by=worker)
    with pytest.raises(Conflict, match="王建国"):
        appoint(post=stale, holder="张三", by=worker)
    vacate(post=post, by=worker, reason="调离")
    assert GridPost.objects.get(pk=post.pk).is_vacant
    assert [e.action for e in timeline(post)] == [
        "grids.post.appoint",
        "grids.post.appoint",
        "grids.post.vacate",
    ]


def test_the_database_holds_one_row_a_post_and_a_holder_with_a_date(place):
    grid_profile(place.grid)
    post = GridPost.objects.filter(area=place.grid).first()
    with pytest.raises(IntegrityError), transaction.atomic():
        GridPost.objects.create(area=post.area, kind=post.kind)
    with pytest.raises(IntegrityError), transaction.atomic():
        GridPost.objects.filter(pk=post.pk).update(holder="无日期")
