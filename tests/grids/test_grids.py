"""The record of a grid: opened with it, counted, its posts filled and vacated, ended with it."""

from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.audit import timeline
from core.errors import Conflict, Refused
from core.periods import period_of
from core.transitions import transit
from grids.actions.counts import count_grid
from grids.models import GridPost, GridProfile, GridStandard, PostKind
from grids.querysets import in_band
from orgs.actions.tree import create_area, load_areas, move_area, retire_area
from orgs.actions.tree.files import Line
from orgs.models import Area
from reports.catalogue import GRIDS, POSTS
from tests.factories.accounts import person
from tests.factories.grids import grid_profile
from tests.factories.orgs import small_city

pytestmark = pytest.mark.django_db


@pytest.fixture
def place():
    return small_city()


@pytest.fixture
def worker(place):
    return person("community_worker", place.community)


@pytest.fixture
def grid(place, worker):
    """A second grid of the community, drawn by its worker."""
    code = f"{place.community.code}002"
    return create_area(kind="grid", code=code, name="第二网格", parent=place.community, by=worker)


def record_of(area) -> GridProfile:
    return GridProfile.objects.get(area=area)


def posts_of(area):
    return GridPost.objects.filter(area=area).order_by("kind__order")


def appoint(post, holder, by, **data):
    return transit(post, "appoint", by=by, holder=holder, **data)


# -- opened


def test_a_grid_that_is_drawn_has_its_record_uncounted_and_five_vacant_posts(grid, worker):
    record = record_of(grid)
    assert (record.households, record.members, record.counted_on) == (None, None, None)
    assert (record.community_id, record.grid_id) == (grid.community_id, grid.pk)
    posts = list(posts_of(grid))
    assert [post.kind.name for post in posts] == list(
        PostKind.objects.values_list("name", flat=True)
    )
    assert len(posts) == 5
    assert {(post.state, post.holder, post.street_id) for post in posts} == {
        ("vacant", "", grid.street_id)
    }
    assert GridProfile.objects.with_vacancies().get(area=grid).vacancies == 5
    appoint(posts[0], "李玉兰", worker)
    assert GridProfile.objects.with_vacancies().get(area=grid).vacancies == 4


def test_only_grids_have_a_record_and_only_the_kinds_in_force_a_post(place):
    assert set(GridProfile.objects.values_list("area__kind", flat=True)) == {"grid"}
    PostKind.objects.filter(name="网格督导员").update(is_active=False)
    new = create_area(
        kind="grid",
        code=f"{place.community.code}003",
        name="新",
        parent=place.community,
        by=None,
    )
    assert posts_of(new).count() == 4
    # The posts of the others stay on record, and are no longer to be filled.
    assert posts_of(place.grid).count() == 5
    assert GridPost.objects.vacant().filter(area=place.grid).count() == 4


def test_a_file_opens_the_records_of_all_its_grids_in_as_many_queries_as_of_one(place):
    def load(community, *numbers):
        lines = [
            Line(n, f"{community.code}{n:03d}", f"第{n}网格", "grid", community.code)
            for n in numbers
        ]
        with CaptureQueriesContext(connection) as captured:
            load_areas(lines)
        return len(captured)

    one = load(place.community, 2)
    many = load(place.sibling_community, *range(2, 42))
    assert many == one
    assert GridProfile.objects.filter(community=place.sibling_community).count() == 41
    assert GridPost.objects.filter(community=place.sibling_community).count() == 205


def test_a_file_that_comes_twice_leaves_the_records_as_they_are(place):
    record = grid_profile(place.grid, 410, 41)
    line = Line(2, place.grid.code, "改名网格", "grid", place.community.code)
    load_areas([line])
    assert record_of(place.grid).households == record.households
    assert posts_of(place.grid).count() == 5


def test_grids_that_were_there_before_get_their_record_from_the_migration(place):
    migration = import_module("grids.migrations.0003_records_of_all_grids")
    kept = grid_profile(place.grid)
    gone = Area.objects.get(code=f"{place.sibling_community.code}001")
    retire_area(area=gone, by=None)
    GridPost.objects.exclude(area=place.grid).delete()
    GridProfile.objects.exclude(pk=kept.pk).delete()
    migration.open_missing_records(apps, None)
    assert record_of(place.grid).households == kept.households
    assert GridProfile.objects.uncounted().count() == 6  # of eight: one counted, one struck off
    assert GridPost.objects.count() == 7 * 5
    other = Area.objects.get(code=f"{place.other_community.code}001")
    assert record_of(other).community_id == place.other_community.pk


def test_a_record_moves_with_its_grid(place, grid):
    move_area(area=grid, parent=place.other_community, by=None)
    record = record_of(grid)
    assert record.community_id == place.other_community.pk
    assert record.district_id == place.other_district.pk


# -- counted


@pytest.mark.parametrize(
    ("households", "members", "words"),
    [
        (400, 40, []),
        (300, 50, []),
        (0, 40, ["户数0户，低于标准下限300户"]),
        (299, 40, ["户数299户，低于标准下限300户"]),
        (501, 51, ["户数501户，高于标准上限500户", "党员数51名，高于标准上限50名"]),
    ],
)
def test_counts_outside_the_standard_are_kept_and_flagged(place, households, members, words):
    grid_profile(place.grid, households, members)
    standard = GridStandard.current()
    assert [flag.words for flag in standard.flags(households, members)] == words
    assert GridProfile.objects.filter(in_band(standard)).exists() == (not words)


def test_the_standard_is_data():
    GridStandard.objects.filter(pk=1).update(households_max=700)
    assert GridStandard.current().flags(600, 40) == []


def test_outside_ones_reach_and_without_the_right(place):
    record = grid_profile(place.grid)
    stranger = person("community_worker", place.other_community)
    assert not GridProfile.objects.visible_to(stranger).filter(pk=record.pk).exists()
    looker = person("org_department", place.city)
    assert record in GridProfile.objects.visible_to(looker)
    for user in (stranger, looker):
        with pytest.raises(PermissionDenied):
            count_grid(
                profile=record, households=1, members=1, counted_on=timezone.localdate(), by=user
            )
        with pytest.raises(PermissionDenied):
            appoint(posts_of(place.grid)[0], "李玉兰", user)


def test_two_who_count_at_once_do_not_overwrite_each_other(place, worker):
    stale, today = record_of(place.grid), timezone.localdate()
    count = {"members": 41, "counted_on": today, "by": worker}
    count_grid(profile=record_of(place.grid), households=410, **count)
    with pytest.raises(Conflict):
        count_grid(profile=stale, households=9, **count)
    tomorrow = today + timedelta(days=1)
    with pytest.raises(Refused, match="不能晚于今天"):
        count_grid(profile=record_of(place.grid), households=1, **{**count, "counted_on": tomorrow})
    assert record_of(place.grid).households == 410


# -- posts


def test_a_post_passes_from_hand_to_hand_and_the_log_keeps_who_held_it(place, worker):
    post = posts_of(place.grid)[0]
    held = appoint(post, " 李玉兰 ", worker, organisation="街道办")
    assert (held.holder, held.organisation, held.since) == (
        "李玉兰",
        "街道办",
        timezone.localdate(),
    )
    with pytest.raises(Conflict, match="在岗"):  # the one who came second is told
        appoint(post, "张三", worker)
    with pytest.raises(Refused, match="须填写理由"):
        transit(held, "vacate", by=worker)
    transit(held, "vacate", by=worker, reason="调离")
    appoint(post, "王建国", worker)
    assert posts_of(place.grid)[0].holder == "王建国"
    happened = [(e.action, e.reason) for e in timeline(post)]
    assert happened == [
        ("grids.gridpost.appoint", ""),
        ("grids.gridpost.vacate", "调离"),
        ("grids.gridpost.appoint", ""),
    ]


def test_an_appointment_names_somebody_and_is_not_of_a_day_to_come(place, worker):
    post = posts_of(place.grid)[0]
    with pytest.raises(Refused) as refused:
        appoint(post, "  ", worker)
    assert refused.value.field == "holder"
    with pytest.raises(Refused) as refused:
        appoint(post, "李玉兰", worker, since=timezone.localdate() + timedelta(days=1))
    assert refused.value.field == "since"
    assert posts_of(place.grid)[0].state == "vacant"


def test_the_database_holds_one_row_a_post_and_what_belongs_together(place):
    post = posts_of(place.grid)[0]
    with pytest.raises(IntegrityError), transaction.atomic():
        GridPost.objects.create(area=post.area, kind=post.kind)
    today = timezone.localdate()
    for wrong in (
        {"holder": "无日期", "state": "held"},
        {"state": "held", "since": today},
        {"holder": "空缺的人", "since": today},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            GridPost.objects.filter(pk=post.pk).update(**wrong)
    with pytest.raises(IntegrityError), transaction.atomic():
        GridProfile.objects.filter(area=place.grid).update(households=400)


# -- struck off


def test_the_posts_of_a_grid_end_with_it_and_the_log_says_why(grid, worker):
    post, other = posts_of(grid)[:2]
    appoint(post, "李玉兰", worker)
    retire_area(area=grid, by=worker, reason="网格调整")
    assert set(posts_of(grid).values_list("state", "holder")) == {("vacant", "")}
    last = timeline(post).last()
    assert (last.action, last.reason) == ("grids.gridpost.vacate", "网格撤销：网格调整")
    assert not timeline(other).exists()
    assert not GridPost.objects.vacant().filter(area=grid).exists()
    with pytest.raises(Refused, match="撤销"):
        appoint(post, "王建国", worker)
    with pytest.raises(Refused, match="撤销"):
        count_grid(
            profile=record_of(grid),
            households=1,
            members=1,
            counted_on=timezone.localdate(),
            by=worker,
        )


def test_a_merger_of_grids_leaves_the_successors_own_figures(place, grid, worker):
    grid_profile(place.grid, 400, 40)
    grid_profile(grid, 310, 31)
    for area in (place.grid, grid):
        appoint(posts_of(area)[0], "李玉兰", worker)
    retire_area(area=grid, successor=place.grid, by=worker)
    assert timeline(posts_of(grid)[0]).last().reason == "网格并入“第一网格”。"
    assert posts_of(place.grid)[0].holder == "李玉兰"
    assert record_of(place.grid).households == 400
    assert record_of(grid).households == 310  # as it was, on the record of the one struck off
    period = period_of(timezone.localdate(), "quarterly")
    communities = Area.objects.filter(pk=place.community.pk).values("pk")
    assert GRIDS.count(period, communities) == {place.community.pk: [1, 1]}
    assert POSTS.count(period, communities) == {place.community.pk: [5, 1]}


def test_when_a_community_is_merged_its_grids_go_on_with_their_posts(place, worker):
    appoint(posts_of(place.grid)[0], "李玉兰", worker)
    retire_area(area=place.community, successor=place.sibling_community, by=None)
    assert posts_of(place.grid)[0].holder == "李玉兰"
    assert record_of(place.grid).community_id == place.sibling_community.pk


def test_a_review_asks_of_counts_only_where_there_are_any(place):
    period = period_of(timezone.localdate(), "quarterly")
    communities = Area.objects.filter(pk=place.community.pk).values("pk")
    assert GRIDS.count(period, communities) == {}
    assert POSTS.count(period, communities) == {place.community.pk: [5, 0]}
    grid_profile(place.grid, 0, 0)
    assert GRIDS.count(period, communities) == {place.community.pk: [1, 0]}
