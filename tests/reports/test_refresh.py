"""The nightly refresh: open reviews follow the records, and end as if all were counted anew."""

from __future__ import annotations

import random
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from alliance.actions.clause import record_fulfilment
from alliance.models import Agreement, Clause, Fulfilment
from core.audit import timeline
from core.jobs import execute, submit
from core.models import Job
from core.transitions import transit
from grids.models import GridPost, GridProfile, GridStandard, PostKind
from members.enums import ServiceState
from members.models import Reporting, ServiceRecord
from orgs.actions.tree import move_area, retire_area
from orgs.models import Area
from reports import triggers
from reports.actions.compute import start_run
from reports.models import Band, Change, Review, Run, Score, Tally
from reports.tasks import refresh_open_reviews
from services.enums import ClaimState, Grade
from services.models import Claim, Item, Rating
from tests.factories import alliance, grids, members, reports, services
from tests.factories.accounts import person
from tests.factories.orgs import small_city, unit

# A job beats its heart on a connection of its own: what it runs on must be committed.
pytestmark = pytest.mark.django_db(transaction=True)


YEAR = timedelta(days=400)
LONG_AGO = timezone.now() - YEAR


@pytest.fixture
def place():
    """Records of every room at two communities, and the current quarter computed."""
    made = small_city()
    for community, grid in ((made.community, made.grid), (made.other_community, None)):
        firm = unit(community)
        services.claim(services.item(community), firm, state=ClaimState.RATED)
        services.claim(services.item(community), firm, state=ClaimState.CONTACTING)
        services.item(firm, kind="resource", capacity=3)
        sides = members.side(community)
        reporting = members.reported(sides)
        members.confirmed(sides, reporting, days_ago=0, hours="2.5")
        members.service(sides, reporting, days_ago=0, hours="4")
        alliance.signed(alliance.pair(community))
        if grid:
            grids.grid_profile(grid, households=400)
    reports.run(made.city)
    return made


def refresh() -> Job:
    """In this process, as a worker would."""
    job = submit("reports.refresh", by=None)
    execute(job.pk)
    return Job.objects.get(pk=job.pk)


def results() -> dict:
    """All that a computation sets, by place."""
    totals = Review.objects.values_list("area", "run", "ordinary", "total", "band", "state")
    scores = Score.objects.values_list("review__area", "key", "part", "whole", "value", "marks")
    return {"totals": set(totals), "scores": set(scores)}


def counted_anew() -> dict:
    """The same when nothing is known of an earlier count."""
    Tally.objects.all().delete()
    assert refresh().state == "done"
    return results()


def one(rows, dice: random.Random):
    return dice.choice(list(rows.order_by("pk")))


def change(place, dice: random.Random) -> None:
    """Something that happens to the records, through the actions or behind their back."""
    community = dice.choice([place.community, place.sibling_community, place.other_community])
    area = Area.objects.get(pk=community.pk)
    services_, today = ServiceRecord.objects.all(), timezone.localdate()
    deeds = [
        lambda: services.item(area),
        lambda: services.claim(services.item(area), unit(area), state=ClaimState.RATED),
        lambda: Rating.objects.filter(pk=one(Rating.objects.all(), dice).pk).update(
            grade=dice.choice([Grade.GOOD, Grade.BAD])
        ),
        lambda: Item.objects.filter(pk=one(Item.objects.all(), dice).pk).update(
            published_at=timezone.now() - timedelta(days=200)
        ),
        lambda: Claim.objects.filter(state=ClaimState.CONTACTING).update(
            contacted_at=timezone.now() + timedelta(days=9)
        ),
        lambda: services_.filter(pk=one(services_, dice).pk).update(hours=Decimal("7.5")),
        lambda: services_.filter(pk=one(services_, dice).pk).update(
            served_on=today - timedelta(days=dice.choice([0, 400]))
        ),
        lambda: services_.filter(state=ServiceState.CONFIRMED).first().delete(),
        lambda: Reporting.objects.filter(pk=one(Reporting.objects.all(), dice).pk).update(
            opened_on=today - timedelta(days=9), reported_on=today
        ),
        lambda: alliance.signed(alliance.pair(area)),
        lambda: GridProfile.objects.exclude(counted_on=None).update(
            households=dice.choice([10, 400]), members=40
        ),
        lambda: GridPost.objects.filter(pk=one(GridPost.objects.all(), dice).pk).update(
            state="held", holder="张三", since=today
        ),
        lambda: GridStandard.objects.update_or_create(
            pk=1, defaults={"households_max": dice.choice([399, 500])}
        ),
        lambda: PostKind.objects.filter(pk=one(PostKind.objects.all(), dice).pk).update(
            is_active=False
        ),
        lambda: Band.objects.filter(floor=60).update(floor=dice.choice([5, 60])),
        lambda: retire_area(area=one(Area.objects.active().filter(kind="grid"), dice), by=None),
        lambda: move_area(
            area=area,
            parent=Area.objects.exclude(pk=area.parent_id).filter(kind="street").first(),
            by=None,
        ),
    ]
    dice.choice(deeds)()


@pytest.mark.parametrize("seed", range(3))
def test_a_refresh_ends_where_counting_everything_ends(place, seed):
    dice = random.Random(seed)
    for _ in range(5):
        for _ in range(dice.randrange(1, 4)):
            try:
                change(place, dice)
            except Exception as error:  # what the rules refuse is no change
                if type(error).__name__ not in ("Refused", "AttributeError", "IndexError"):
                    raise
        assert refresh().state == "done"
        found = results()
        assert found == counted_anew()


def once(rows, **values) -> bool:
    """Behind everybody's back; whether there was one."""
    return rows.filter(pk__in=rows.order_by("pk").values("pk")[:1]).update(**values) == 1


CHANGES = {
    "services_item": lambda: once(Item.objects, published_at=LONG_AGO),
    "services_claim": lambda: once(
        Claim.objects.filter(state=ClaimState.CONTACTING),
        contacted_at=timezone.now() + timedelta(days=9),
    ),
    "services_rating": lambda: once(Rating.objects, grade=Grade.BAD),
    "alliance_agreement": lambda: once(
        Agreement.objects, starts_on=LONG_AGO.date(), ends_on=LONG_AGO.date()
    ),
    "alliance_clause": lambda: once(Clause.objects, due_on=timezone.localdate() + YEAR),
    "alliance_fulfilment": lambda: once(Fulfilment.objects, quantity=Decimal("0.1")),
    "members_reporting": lambda: once(Reporting.objects, reported_on=None, state="pending"),
    "members_servicerecord": lambda: once(
        ServiceRecord.objects.filter(state=ServiceState.CONFIRMED), hours=Decimal("7.5")
    ),
    "grids_gridprofile": lambda: once(
        GridProfile.objects.exclude(counted_on=None), households=10, members=40
    ),
    "grids_gridpost": lambda: once(
        GridPost.objects, state="held", holder="张三", since="2026-01-01"
    ),
    "grids_gridstandard": lambda: GridStandard.objects.update_or_create(
        pk=1, defaults={"households_max": 399}
    ),
    "grids_postkind": lambda: once(PostKind.objects, is_active=False),
    "orgs_area": lambda: retire_area(area=Area.objects.filter(kind="grid").first(), by=None),
}


@pytest.mark.postgres
@pytest.mark.parametrize("table", sorted(triggers.TABLES))
def test_one_change_in_any_table_that_is_counted_is_followed(place, table):
    """By its own trigger: the others of the table's room have marked nothing."""
    clause = Clause.objects.first()
    Clause.objects.update(due_on=timezone.localdate() - timedelta(days=1))
    record_fulfilment(
        clause=clause, quantity=clause.quantity, on=timezone.localdate(), source=clause, by=None
    )
    Clause.objects.update(due_on=timezone.localdate())
    refresh()
    before = results()
    assert CHANGES[table]()
    marked = set(Change.objects.values_list("room", flat=True))
    assert triggers.TABLES[table][0] in marked
    refresh()
    assert results() != before
    assert results() == counted_anew()


@pytest.mark.postgres
def test_only_what_has_changed_is_counted_and_written(place):
    refresh()
    services.item(place.community)
    stamps = dict(
        Score.objects.extra(select={"x": "reports_score.xmin::text"}).values_list("pk", "x")
    )
    marks = set(Change.objects.values_list("room", "area_id"))
    assert marks == {("services", place.community.pk)}
    with connection.execute_wrapper(asked := Asked()):
        refresh()
    touched = {place.community.pk, place.street.pk, place.district.pk}
    now = Score.objects.extra(select={"x": "reports_score.xmin::text"}).values_list(
        "pk", "x", "review__area"
    )
    assert {area for pk, x, area in now if stamps[pk] != x} == touched
    assert not asked.about("members_servicerecord")
    assert asked.about("services_item")
    assert not Change.objects.exists()


class Asked:
    """The statements that passed."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def __call__(self, execute, sql, params, many, context):
        self.statements.append(sql)
        return execute(sql, params, many, context)

    def about(self, table: str) -> list[str]:
        return [sql for sql in self.statements if f'FROM "{table}"' in sql]


def test_what_is_reported_or_approved_stays_until_it_is_returned(place):
    street_officer = person("street_officer", place.street)
    review = Review.objects.get(area=place.community)
    transit(review, "report", by=street_officer)
    before = set(review.scores.values_list("key", "part", "marks"))
    services.item(place.community)
    refresh()
    assert set(review.scores.values_list("key", "part", "marks")) == before
    street = Review.objects.get(area=place.street)
    assert street.scores.get(key="needs_published").part == 3
    transit(review, "return", by=person("org_department", place.city), reason="请再核对")
    refresh()
    assert review.scores.get(key="needs_published").part == 3
    assert results() == counted_anew()


def test_a_second_refresh_finds_nothing_and_says_nothing(place):
    services.item(place.community)
    refresh()
    run = Run.objects.get()
    assert timeline(run).filter(action="reports.run.refresh").count() == 1
    found = results()
    refresh()
    assert results() == found
    assert timeline(run).filter(action="reports.run.refresh").count() == 1


def test_marks_stay_while_a_run_is_computed(place):
    refresh()
    waiting = start_run(
        period=reports.this_quarter(), area=place.city, by=person("org_department", place.city)
    )
    services.item(place.community)
    marks = Change.objects.count()
    found = results()
    assert refresh().state == "done"
    assert (results(), Change.objects.count()) == (found, marks)
    execute(waiting.job_id)
    refresh()
    assert results() == counted_anew()


def test_beat_submits_one_refresh_at_a_time(place):
    assert refresh_open_reviews()
    assert not refresh_open_reviews()
    assert Job.objects.filter(kind="reports.refresh").count() == 1
