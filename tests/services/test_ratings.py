import re
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import Grant
from core import watching
from core.audit import timeline
from core.errors import Conflict, Refused
from core.models import Notification
from core.transitions import transit
from orgs.models import Unit
from services.enums import BAD_GRADES, ClaimState, Grade
from services.models import Claim, Rating, Rectification
from tests.core.browsing import signed_in, text
from tests.factories import services as make
from tests.factories.accounts import person


@pytest.fixture
def accepted(place, unit):
    item = make.item(place.community)
    people = make.sides(item, unit)
    return make.claim(item, unit, state=ClaimState.ACCEPTED), people


def test_a_matter_is_rated_once(accepted):
    claim, people = accepted
    rated = transit(claim, "rate", by=people["receiver"], grade=Grade.GOOD, comment=" 很好 ")
    assert (rated.rating.grade, rated.rating.comment) == (Grade.GOOD, "很好")
    with pytest.raises(Conflict):
        transit(claim, "rate", by=people["receiver"], grade=Grade.BAD)
    with pytest.raises(IntegrityError), transaction.atomic():
        Rating.objects.create(claim=claim, grade=Grade.BAD, rated_on=timezone.localdate())
    assert Rating.objects.count() == 1


def test_the_rater_is_named_nowhere(accepted):
    claim, people = accepted
    transit(claim, "rate", by=people["receiver"], grade=Grade.BAD, comment="太慢")
    event = timeline(claim).last()
    assert event.action == "services.claim.rate"
    assert event.actor_id is None
    assert people["receiver"].name not in (event.actor_name, event.before, event.after)
    opened = timeline(claim.rating.rectification).get()
    assert opened.action == "services.rectification.open"
    assert (opened.actor_id, opened.actor_name) == (None, "系统")
    assert people["receiver"].name not in opened.after
    assert {f.name for f in Rating._meta.get_fields()} == {
        "id", "claim", "grade", "comment", "rated_on", "rectification",
    }  # fmt: skip


@pytest.mark.parametrize("way", ["page", "api"])
def test_the_log_does_not_name_who_rated(accepted, log_lines, way):
    """The audit row has the request's number, and by that number the request's line."""
    claim, people = accepted
    client = signed_in(people["receiver"])
    if way == "page":
        address = reverse("services:claim-transit", args=[claim.pk, "rate"])
        assert client.get(address).status_code == 200
        assert client.post(address, {"grade": Grade.BAD}).status_code == 302
    else:
        address = f"/api/v1/claims/{claim.pk}/transitions/rate/"
        refused = client.post(address, {"data": {"grade": "9"}}, "application/json")
        assert refused.status_code == 400
        asked = client.post(address, {"data": {"grade": Grade.BAD}}, "application/json")
        assert asked.status_code == 200
    assert client.get(claim.get_absolute_url()).status_code == 200

    *rating, looking = [line for line in log_lines() if line["event"] == "request_finished"]
    assert looking["user_id"] == people["receiver"].pk
    assert {line["request"].rpartition(" ")[2] for line in rating} == {address}
    assert not [line for line in rating if "user_id" in line]
    assert timeline(claim).last().request_id == rating[-1]["request_id"]


@pytest.mark.parametrize(
    ("values", "field"),
    [({"grade": "9"}, "grade"), ({"grade": "4", "comment": "长" * 501}, "comment")],
)
def test_a_rating_outside_the_five_grades_writes_nothing(accepted, values, field):
    claim, people = accepted
    with pytest.raises(Refused) as refused:
        transit(claim, "rate", by=people["receiver"], **values)
    assert refused.value.field == field
    claim.refresh_from_db()
    assert claim.state == ClaimState.ACCEPTED
    assert not Rating.objects.exists()


@pytest.mark.parametrize("grade", Grade.values)
def test_a_bad_rating_opens_a_rectification_and_a_good_one_does_not(accepted, grade):
    claim, people = accepted
    transit(claim, "rate", by=people["receiver"], grade=grade)
    assert Rectification.objects.exists() == (grade in BAD_GRADES)


def test_a_bad_rating_is_put_right_and_called_back_before_the_matter_closes(accepted):
    claim, people = accepted
    claim = transit(claim, "rate", by=people["receiver"], grade=Grade.BAD)
    matter = claim.rating.rectification
    # 15 working days are three weeks at least, whatever the holidays.
    assert matter.due_on >= timezone.localdate() + timedelta(days=19)
    with pytest.raises(Refused, match="待整改"):
        transit(claim, "close", by=people["office"])
    with pytest.raises(PermissionDenied):
        transit(matter, "report", by=people["receiver"], measure="已补做")
    matter = transit(matter, "report", by=people["provider"], measure="已补做")
    with pytest.raises(Refused, match="待回访"):
        transit(claim, "close", by=people["office"])
    with pytest.raises(PermissionDenied):
        transit(matter, "call_back", by=people["provider"], callback="满意")
    matter = transit(matter, "redo", by=people["office"], reason="居民说还差一次")
    matter = transit(matter, "report", by=people["provider"], measure="再补一次")
    transit(matter, "call_back", by=people["office"], callback="居民已满意")
    claim = transit(claim, "close", by=people["office"])
    assert claim.state == ClaimState.CLOSED


@pytest.mark.parametrize(
    ("state", "dates"),
    [
        ("open", {"closed_at": timezone.now}),
        ("reported", {"reported_at": None}),
        ("closed", {"reported_at": None, "closed_at": timezone.now}),
        ("closed", {"closed_at": None}),
    ],
)
def test_a_rectification_without_the_dates_of_its_state_is_refused_by_the_database(
    accepted, state, dates
):
    claim, people = accepted
    transit(claim, "rate", by=people["receiver"], grade=Grade.BAD)
    now = {name: value and value() for name, value in dates.items()}
    reported = {"reported_at": timezone.now()}
    with pytest.raises(IntegrityError, match="rectification_whole"), transaction.atomic():
        Rectification.objects.update(state=state, **(reported | now))


def test_the_page_says_of_whom_the_rectification_waits_for_what_and_by_when(accepted):
    claim, people = accepted
    claim = transit(claim, "rate", by=people["receiver"], grade=Grade.BAD)
    matter = claim.rating.rectification
    by_when = f"还剩 15 个工作日 {matter.due_on}"

    def page(name: str) -> str:
        return text(signed_in(people[name]).get(claim.get_absolute_url()))

    assert re.search(f"待测试医院报告整改 单位联络员 [^ ]+ {by_when}", page("office"))
    assert "待测试医院" not in page("provider"), "what one can do oneself stands on the buttons"
    assert f"报告整改 整改时限 {by_when}" in page("provider")
    matter = transit(matter, "report", by=people["provider"], measure="已补做")
    assert re.search(f"待111社区登记回访 社区工作者 [^ ]+ {by_when}", page("provider"))
    transit(matter, "call_back", by=people["office"], callback="居民满意")
    assert "待111社区登记回访" not in page("provider")
    assert "个工作日" not in page("provider"), "what is settled is late no more"


def test_the_timeline_of_the_claim_tells_how_it_was_put_right(accepted):
    claim, people = accepted
    claim = transit(claim, "rate", by=people["receiver"], grade=Grade.BAD)
    matter = transit(claim.rating.rectification, "report", by=people["provider"], measure="已补做")
    matter = transit(matter, "redo", by=people["office"], reason="居民说还差一次")
    page = signed_in(people["office"]).get(claim.get_absolute_url()).content.decode()
    told_of = re.findall(r'timeline-what"><strong>([^<]+)</strong> (\S+)', page)
    assert told_of[:4] == [
        ("退回重改", people["office"].name),
        ("报告整改", people["provider"].name),
        ("发起整改", "系统"),
        ("评价", "系统"),
    ]
    assert "验收通过" in dict(told_of)
    assert "居民说还差一次" in page
    assert "<dt>整改情况</dt><dd><del>空</del> <ins>已补做</ins></dd>" in page


def told(step: str) -> dict[int, str]:
    """Who heard of a step, and what."""
    rows = Notification.objects.filter(title__startswith=f"{step}：")
    return dict(rows.values_list("user_id", "body"))


def people_on(place) -> set[int]:
    on = "unit" if isinstance(place, Unit) else "area"
    return set(Grant.objects.filter(**{on: place}).values_list("user_id", flat=True))


def test_a_good_rating_is_told_to_the_provider_with_whose_turn_it_is(accepted, unit):
    claim, people = accepted
    transit(claim, "rate", by=people["receiver"], grade=Grade.GOOD, comment="张三来得及时")
    heard = told("评价")
    assert heard.keys() == people_on(unit)
    assert set(heard.values()) == {
        f"满意。111社区居委会的需求，编号 {claim.item.number}。下一步：111社区销号。"
    }


@pytest.mark.parametrize("by_resident", [False, True])
def test_a_bad_rating_is_told_to_who_puts_it_right_and_to_who_calls_back(
    accepted, unit, place, by_resident
):
    claim, people = accepted
    rater = None if by_resident else people["receiver"]
    claim = transit(claim, "rate", by=rater, grade=Grade.BAD, comment="太慢")
    heard = told("评价")
    assert heard.keys() == (people_on(unit) | people_on(place.community)) - {
        getattr(rater, "pk", 0)
    }
    (body,) = set(heard.values())
    assert body.startswith("非常不满意。")
    assert claim.item.number in body
    due = claim.rating.rectification.due_on
    assert body.endswith(f"下一步：测试医院在 {due} 前报告整改，111社区回访后才能销号。")


def test_no_message_names_the_rater(accepted, place):
    claim, people = accepted
    watching.follow(claim, person("street_officer", place.street))
    transit(claim, "rate", by=people["receiver"], grade=Grade.BAD)
    said = [f"{n.title} {n.body}" for n in Notification.objects.all()]
    assert any("非常不满意" in one for one in said)
    assert not [one for one in said if people["receiver"].name in one]


def test_who_follows_a_claim_hears_the_steps_of_its_rectification(place, unit):
    item = make.item(place.community)
    people = make.sides(item, unit)
    claim = make.claim(item, unit, state=ClaimState.RATED, grade=Grade.BAD)
    officer, matter = person("street_officer", place.street), claim.rating.rectification
    watching.follow(claim, officer)
    assert not watching.can_be_followed(matter)

    transit(matter, "report", by=people["provider"], measure="已补做")
    told = Notification.objects.get(user=officer)
    assert (told.title, told.url) == (f"报告整改：{matter}", claim.get_absolute_url())


@pytest.mark.parametrize("kind", ["need", "service"])
def test_each_step_of_a_rectification_is_told_to_those_whose_turn_it_is(place, unit, kind):
    item = make.item(place.community, kind=kind)
    people = make.sides(item, unit)
    claim = make.claim(item, unit, state=ClaimState.RATED, grade=Grade.BAD)
    matter = claim.rating.rectification
    theirs, ours = people_on(unit), people_on(place.community)
    provider, name = (theirs, "测试医院") if kind == "need" else (ours, "111社区居委会")

    matter = transit(matter, "report", by=people["provider"], measure="已补做")
    heard = told("报告整改")
    assert heard.keys() == ours - {people["provider"].pk}
    assert f"下一步：111社区在 {matter.due_on} 前回访" in heard.popitem()[1]

    matter = transit(matter, "redo", by=people["office"], reason="居民说还差一次")
    heard = told("退回重改")
    assert heard.keys() == provider - {people["office"].pk}
    reason, _, rest = heard.popitem()[1].partition("\n")
    assert reason == "居民说还差一次"
    assert f"下一步：{name}在 {matter.due_on} 前报告整改" in rest

    matter = transit(matter, "report", by=people["provider"], measure="再补一次")
    transit(matter, "call_back", by=people["office"], callback="居民已满意")
    heard = told("登记回访")
    assert heard.keys() == (theirs | ours) - {people["office"].pk}
    assert heard.popitem()[1].endswith("下一步：111社区销号。")


def test_staff_wait_for_the_resident_s_word_first(place, unit):
    from services.actions.tickets import adopt_ticket

    ticket, _ = make.ticket(place.community)
    office = make.worker(place.community)
    ticket = adopt_ticket(ticket=ticket, by=office, title="换灯", content="楼道灯", then="publish")
    claim = make.claim(ticket.item, unit, state=ClaimState.ACCEPTED)
    with pytest.raises(Refused, match="居民"):
        transit(claim, "rate", by=office, grade=Grade.GOOD)
    long_ago = timezone.now() - timedelta(days=16)
    Claim.objects.filter(pk=claim.pk).update(
        **dict.fromkeys(
            ("claimed_at", "contacted_at", "started_at", "submitted_at", "accepted_at"), long_ago
        )
    )
    assert transit(claim, "rate", by=office, grade=Grade.GOOD).state == ClaimState.RATED
