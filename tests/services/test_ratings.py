import re
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from core.audit import timeline
from core.errors import Conflict, Refused
from core.transitions import transit
from services.enums import BAD_GRADES, ClaimState, Grade
from services.models import Claim, Rating, Rectification
from tests.core.browsing import signed_in, text
from tests.factories import services as make


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
    assert {f.name for f in Rating._meta.get_fields()} == {
        "id", "claim", "grade", "comment", "rated_on", "rectification",
    }  # fmt: skip


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


def test_the_page_says_of_whom_the_rectification_waits_for_what_and_by_when(accepted):
    claim, people = accepted
    claim = transit(claim, "rate", by=people["receiver"], grade=Grade.BAD)
    matter = claim.rating.rectification
    by_when = f"还剩 15 个工作日 {matter.due_on}"

    def page(name: str) -> str:
        return text(signed_in(people[name]).get(claim.get_absolute_url()))

    assert re.search(f"待测试医院报告整改 单位联络员 [^ ]+ {by_when}", page("office"))
    assert "待测试医院" not in page("provider"), "what one can do oneself stands on the buttons"
    matter = transit(matter, "report", by=people["provider"], measure="已补做")
    assert re.search(f"待111社区登记回访 社区工作者 [^ ]+ {by_when}", page("provider"))
    transit(matter, "call_back", by=people["office"], callback="居民满意")
    assert "待111社区登记回访" not in page("provider")
    assert "个工作日" not in page("provider"), "what is settled is late no more"


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
