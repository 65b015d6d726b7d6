"""A run over real records, made through the actions of every room."""

from collections import Counter
from decimal import Decimal
from threading import Thread

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from core.audit import timeline
from core.enums import JobState
from core.errors import Refused
from core.jobs import AlreadyRunning, cancel, execute, retry
from core.models import Job
from core.periods import last_finished, parse_period, period_of
from core.transitions import transit, transit_all
from orgs.actions.tree import move_area
from orgs.models import Area
from reports.actions import store
from reports.actions.compute import start_run
from reports.actions.review import adjust, raise_all, raise_later
from reports.catalogue import MEASURES
from reports.enums import ReviewState
from reports.models import Indicator, Review, Run
from reports.queries import score_lines
from reports.tasks import give_back_reviews
from services.enums import ClaimState
from tests.core.test_job_workers import until
from tests.factories import alliance, grids, members, reports, services
from tests.factories.accounts import person
from tests.factories.orgs import small_city, unit
from tests.reports.test_review_killed import waits_for_us

# A job beats its heart on a connection of its own: what it runs on must be committed.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def place():
    return small_city()


def scores(area: Area) -> dict:
    review = Review.objects.get(area=area, period=reports.this_quarter().text)
    return {s.key: s for s in review.scores.all()}


def test_every_measure_has_an_indicator_and_the_weights_make_a_hundred(place):
    assert set(MEASURES) == set(Indicator.objects.values_list("key", flat=True))
    assert len(MEASURES) >= 12
    assert sum(Indicator.objects.values_list("weight", flat=True)) == 100


def _states() -> Counter:
    return Counter(Review.objects.values_list("state", flat=True))


def _fails(run: Run) -> None:
    """Its scheme cannot be reckoned with, as after a fault of ours: the job ends as failed."""
    run.indicators[0]["weight"] = "much"
    run.save(update_fields=["indicators"])
    execute(run.job_id)


def test_a_run_that_fails_gives_the_reviews_back(place):
    officer = person("org_department", place.city)
    period = reports.this_quarter()
    _fails(start_run(period=period, area=place.street, by=officer))
    assert Job.objects.get().state == JobState.FAILED
    assert _states() == {ReviewState.WAITING: Review.objects.count()}, "never counted"

    services.item(place.community)
    reports.run(place.city, by=officer)
    stood = scores(place.community)["needs_published"].part
    services.item(place.community)
    failed = start_run(period=period, area=place.city, by=officer)
    _fails(failed)
    assert _states() == {ReviewState.TO_CHECK: 14}, "the result that there was can be reported"
    assert scores(place.community)["needs_published"].part == stood
    review = Review.objects.get(area=place.community)
    assert transit(review, "report", by=person("street_officer", place.street)).reported_at
    assert [event.action for event in timeline(review)][-3:-1] == [
        "reports.review.compute",
        "reports.review.keep",
    ]


def test_a_run_that_is_cancelled_while_it_waits_for_another_attempt_gives_the_reviews_back(place):
    officer = person("org_department", place.city)
    reports.run(place.city, by=officer)
    run = start_run(period=reports.this_quarter(), area=place.city, by=officer)
    transit_all(Review.objects.all(), "compute", by=None)  # as the first attempt did
    cancel(Job.objects.get(pk=run.job_id), by=officer)
    assert _states() == {ReviewState.TO_CHECK: 14}


@pytest.mark.postgres
def test_the_end_of_a_run_does_not_wait_for_who_holds_one_of_its_reviews(place):
    """A worker that stands still holds it: the job ends, and that one goes back when it is free."""
    officer = person("org_department", place.city)
    reports.run(place.city, by=officer)
    run = start_run(period=reports.this_quarter(), area=place.city, by=officer)
    transit_all(Review.objects.all(), "compute", by=None)

    def ends() -> None:
        try:
            cancel(Job.objects.get(pk=run.job_id), by=officer)
        finally:
            connection.close()

    with transaction.atomic():
        assert Review.objects.select_for_update().get(area=place.community)
        ending = Thread(target=ends, daemon=True)
        ending.start()
        ending.join(30)
        assert not ending.is_alive(), "it waits for us"
        assert Job.objects.get(pk=run.job_id).state == JobState.CANCELLED
        assert _states() == {ReviewState.TO_CHECK: 13, ReviewState.COMPUTING: 1}
    assert give_back_reviews() == 1
    assert _states() == {ReviewState.TO_CHECK: 14}
    assert give_back_reviews() == 0


def test_only_what_no_run_computes_any_more_is_given_back(place):
    officer = person("org_department", place.city)
    run = start_run(period=reports.this_quarter(), area=place.city, by=officer)
    start_run(period=reports.this_quarter(), area=place.other_street, by=officer)
    store.open_reviews(run, reports.this_quarter())
    transit_all(Review.objects.all(), "compute", by=None)
    assert give_back_reviews() == 0, "both wait for a worker"
    Job.objects.filter(pk=run.job_id).delete()  # however it came to its end
    assert give_back_reviews() == 11
    left = Review.objects.filter(state=ReviewState.COMPUTING)
    assert {review.area.street or review.area for review in left} == {place.other_street}


@pytest.mark.postgres
def test_what_is_tried_again_at_that_moment_is_not_given_back(place):
    officer = person("org_department", place.city)
    run = start_run(period=reports.this_quarter(), area=place.city, by=officer)
    store.open_reviews(run, reports.this_quarter())
    Job.objects.filter(pk=run.job_id).update(state=JobState.FAILED, finished_at=timezone.now())
    transit_all(Review.objects.all(), "compute", by=None)  # what its end could not give back

    given: list[int] = []

    def gives_back() -> None:
        try:
            given.append(give_back_reviews())
        finally:
            connection.close()

    with transaction.atomic():
        retry(Job.objects.get(pk=run.job_id), by=officer)
        giving = Thread(target=gives_back, daemon=True)
        giving.start()
        until(waits_for_us)
    giving.join(30)
    assert given == [0]
    assert set(_states()) == {ReviewState.COMPUTING}


def test_a_run_that_is_begun_anew_is_under_way_again(place):
    """Its worker died between the results and the job's end: others leave its reviews alone."""
    run = reports.run(place.city)
    assert run.finished_at
    Job.objects.filter(pk=run.job_id).update(state=JobState.FAILED)
    retry(Job.objects.get(pk=run.job_id), by=run.started_by)
    _fails(run)
    run.refresh_from_db()
    assert run.finished_at is None


def test_a_run_that_fails_leaves_to_another_what_that_one_computes(place):
    officer = person("org_department", place.city)
    period = reports.this_quarter()
    whole = start_run(period=period, area=place.city, by=officer)
    _fails(start_run(period=period, area=place.street, by=officer))
    assert set(_states()) == {ReviewState.COMPUTING}
    execute(whole.job_id)
    assert _states() == {ReviewState.TO_CHECK: 14}


def test_a_run_reviews_every_community_street_and_district_and_nothing_else(place):
    run = reports.run(place.city)
    levels = list(Review.objects.values_list("level", flat=True))
    assert {level: levels.count(level) for level in set(levels)} == {
        "district": 2,
        "street": 4,
        "community": 8,
    }
    assert run.counted == 14
    assert set(Review.objects.values_list("state", flat=True)) == {ReviewState.TO_CHECK}


def test_records_of_every_room_are_counted_where_they_happened(place):
    firm = unit(place.community)
    need = services.item(place.community)
    services.claim(need, firm, state=ClaimState.RATED)
    services.item(place.community)
    services.item(firm, kind="resource", capacity=3)
    grids.grid_profile(place.grid, households=900)
    sides = members.side(place.community)
    reporting = members.reported(sides)
    members.member(sides)
    members.confirmed(sides, reporting, days_ago=0, hours="2.5")
    members.service(sides, reporting, days_ago=0, hours="4")  # not confirmed: does not count
    reports.run(place.city)
    found = scores(place.community)
    counted = {key: (s.part, s.whole) for key, s in found.items()}
    assert counted["needs_published"] == (2, 1)
    assert counted["needs_claimed"] == (1, 2)
    assert counted["offers_published"] == (1, 1)
    assert counted["unit_claims"] == (1, 1)
    assert counted["contact_in_time"] == (1, 1)
    assert counted["closed_on_time"] == (1, 1)
    assert counted["satisfaction"] == (1, 1)
    assert counted["reporting_rate"] == (1, 2)
    assert counted["members_served"] == (1, 1)
    assert counted["service_hours"] == (Decimal("2.5"), 1)
    assert counted["grids_in_band"] == (0, 1)
    assert counted["posts_held"] == (0, 5)
    # The street holds the same records and twice as many communities; the neighbour has none.
    street = scores(place.street)
    assert (street["needs_claimed"].part, street["needs_claimed"].whole) == (1, 2)
    assert street["needs_published"].value == 1
    assert scores(place.other_community)["needs_claimed"].whole == 0


def test_agreements_in_force_and_their_due_clauses_are_counted(place):
    sides = alliance.pair(place.community)
    alliance.signed(sides)
    reports.run(place.city)
    found = scores(place.community)
    assert found["agreements_in_force"].part == 1


def test_the_records_behind_a_score_are_as_many_as_it_counted(place):
    firm = unit(place.community)
    services.claim(services.item(place.community), firm, state=ClaimState.RATED)
    services.item(place.sibling_community)
    grids.grid_profile(place.grid)
    sides = members.side(place.community)
    members.confirmed(sides, members.reported(sides), days_ago=0)
    alliance.signed(alliance.pair(place.community))
    reports.run(place.city)
    period = reports.this_quarter()
    for area in (place.community, place.sibling_community, place.street, place.district):
        for key, score in scores(area).items():
            measure = MEASURES[key]
            records = measure.records(area, period)
            if measure.counts_rows:
                assert records.count() == score.part, key
            if measure.whole:
                missed = measure.records(area, period, missed=True)
                assert missed.count() == score.whole - score.part, key


def test_a_second_run_replaces_and_adds_nothing(place):
    reports.run(place.city)
    services.item(place.community)
    second = reports.run(place.city)
    assert Review.objects.count() == 14
    assert second.reviews.count() == 14
    assert scores(place.community)["needs_published"].part == 1
    assert second.reviews.first().scores.count() == len(MEASURES)


def test_the_same_job_delivered_twice_computes_once(place):
    run = reports.run(place.city)
    finished = run.finished_at
    execute(run.job_id)
    assert Run.objects.get(pk=run.pk).finished_at == finished


def test_one_run_of_a_place_and_period_at_a_time(place):
    officer = person("org_department", place.city)
    period = reports.this_quarter()
    start_run(period=period, area=place.city, by=officer)
    with pytest.raises(AlreadyRunning):
        start_run(period=period, area=place.city, by=officer)
    assert Run.objects.count() == Job.objects.count() == 1


def test_what_cannot_be_reviewed_is_refused(place):
    officer = person("org_department", place.city)
    with pytest.raises(Refused, match="评估对象"):
        start_run(period=reports.this_quarter(), area=place.grid, by=officer)
    with pytest.raises(Refused, match="尚未开始"):
        start_run(period=parse_period("2098Q1"), area=place.city, by=officer)
    with pytest.raises(PermissionDenied):
        start_run(
            period=reports.this_quarter(),
            area=place.other_district,
            by=person("org_department", place.district),
        )


def test_reported_and_approved_results_stay_as_they_are(place):
    reports.run(place.city)
    street_officer = person("street_officer", place.street)
    kept = Review.objects.get(area=place.community)
    transit(kept, "report", by=street_officer)
    services.item(place.community)
    run = reports.run(place.city)
    assert run.kept == 1
    assert scores(place.community)["needs_published"].part == 0
    assert Review.objects.get(pk=kept.pk).state == ReviewState.REPORTED
    assert scores(place.street)["needs_published"].part == 1


def test_a_parent_is_approved_only_after_all_its_children(place):
    reports.run(place.city)
    officer = person("org_department", place.city)
    street_officer = person("street_officer", place.street)
    street = Review.objects.get(area=place.street)
    with pytest.raises(Refused, match="2 个单位未上报"):
        transit(street, "report", by=street_officer)
    for child in Review.objects.filter(parent_area=place.street):
        transit(child, "report", by=street_officer)
    transit(street, "report", by=street_officer)
    with pytest.raises(Refused, match="2 个单位未审定"):
        transit(street, "approve", by=officer)
    for child in Review.objects.filter(parent_area=place.street):
        transit(child, "approve", by=officer)
    done = transit(street, "approve", by=officer)
    assert (done.approved_by, done.state) == (officer, ReviewState.APPROVED)
    child = Review.objects.filter(parent_area=place.street).first()
    with pytest.raises(Refused, match="先解锁上级"):
        transit(child, "unlock", by=officer, reason="更正")
    with pytest.raises(Refused, match="理由"):
        transit(done, "unlock", by=officer)
    assert transit(done, "unlock", by=officer, reason="更正").approved_at is None


def test_a_whole_subtree_is_reported_and_approved_from_below(place):
    reports.run(place.city)
    period = reports.this_quarter()
    street_officer = person("street_officer", place.street)
    assert raise_all(area=place.street, period=period, step="report", by=street_officer) == (
        3,
        [],
        [],
    )
    officer = person("org_department", place.district)
    moved, refused, early = raise_all(
        area=place.district, period=period, step="approve", by=officer
    )
    assert (moved, refused) == (3, [])
    others = Review.objects.exclude(state=ReviewState.APPROVED).at(place.district)
    others = others.exclude(area=place.district)  # the city's to approve
    assert sorted(early) == sorted(others.values_list("area_name", flat=True))
    assert Review.objects.filter(state=ReviewState.APPROVED).count() == 3


def test_who_raised_a_subtree_reads_how_many_moved_and_which_were_not_ready(place):
    reports.run(place.city)
    period = reports.this_quarter()
    street_officer = person("street_officer", place.street)
    job = raise_later(area=place.street, period=period, step="report", by=street_officer)
    execute(job.pk)
    assert Job.objects.get(pk=job.pk).message == "已上报 3 个。"
    officer = person("org_department", place.district)
    job = raise_later(area=place.district, period=period, step="approve", by=officer)
    execute(job.pk)
    said = Job.objects.get(pk=job.pk).message
    assert said.startswith("已审定 3 个；3 个还没有上报，没有审定：")
    assert "12号街道" in said
    assert "东区" not in said
    job = raise_later(area=place.street, period=period, step="report", by=street_officer)
    execute(job.pk)
    assert Job.objects.get(pk=job.pk).message == "已上报 0 个。"


def test_bonus_and_deduction_change_total_and_band_and_are_in_the_log(place):
    officer = person("org_department", place.city)
    review = reports.review(place.community)
    adjust(review=review, kind="bonus", marks=Decimal(4), ground="市级表彰", by=officer)
    adjust(review=review, kind="deduction", marks=Decimal("1.5"), ground="通报", by=officer)
    fresh = Review.objects.get(pk=review.pk)
    assert fresh.total == fresh.ordinary + Decimal("2.5")
    assert timeline(fresh).filter(action="reports.review.adjust").count() == 2
    run = reports.run(place.city)
    assert Review.objects.get(pk=review.pk).bonus == 4
    assert run.counted == 14
    with pytest.raises(PermissionDenied):
        adjust(
            review=fresh,
            kind="bonus",
            marks=Decimal(1),
            ground="自评",
            by=person("street_officer", place.street),
        )


def test_the_database_adds_up_the_total(place):
    review = reports.review(place.community)
    with pytest.raises(IntegrityError), transaction.atomic():
        Review.objects.filter(pk=review.pk).update(total=99)


def test_last_years_review_keeps_the_path_of_last_year(place):
    """domain.md §2: what was recorded before a change of the tree still adds up."""
    last_year = period_of(timezone.localdate().replace(year=timezone.localdate().year - 1))
    reports.run(place.city, last_year)
    before = {r.area_id: r.parent_area_id for r in Review.objects.filter(period=last_year.text)}
    officer = person("org_department", place.city)
    community = Area.objects.get(pk=place.community.pk)
    move_area(area=community, parent=Area.objects.get(pk=place.other_street.pk), by=officer)
    reports.run(place.city, last_year)
    after = {r.area_id: r.parent_area_id for r in Review.objects.filter(period=last_year.text)}
    assert after == before
    reports.run(place.city)
    now = Review.objects.get(area=place.community, period=reports.this_quarter().text)
    assert now.parent_area_id == place.other_street.pk


def test_one_that_moved_in_since_is_no_part_of_a_street_then(place):
    """It has its review of that quarter, under the street where it stood; the run over its new
    street leaves that alone, and ends."""
    period = last_finished("quarterly")
    reports.run(place.city, period)
    moved = Review.objects.get(area=place.community, period=period.text)
    move_area(area=place.community, parent=place.other_street, by=None)
    street = Area.objects.get(pk=place.other_street.pk)
    run = reports.run(street, period)
    assert Job.objects.get(pk=run.job_id).state == "done"
    assert Review.objects.get(pk=moved.pk).run_id == moved.run_id
    assert not Review.objects.exclude(state=ReviewState.TO_CHECK).exists()
    assert Review.objects.get(area=street, period=period.text).run == run


def test_lines_of_a_review_follow_the_scheme_of_its_run(place):
    review = reports.review(place.community)
    Indicator.objects.filter(key="satisfaction").update(label="改名", weight=0)
    lines = score_lines(Review.objects.get(pk=review.pk))
    assert [line["key"] for line in lines] == list(MEASURES)
    assert next(line for line in lines if line["key"] == "satisfaction")["label"] == "群众满意率"
