"""Is it open now, and if not, when; what home offers first."""

from datetime import date, datetime, time

import pytest
from django.utils import timezone

from core.models import WorkdayOverride
from portal.hours import is_holiday, opening
from portal.offers import near, phone_in
from services.enums import ClaimState
from services.models import Item
from tests.factories import services
from tests.factories.orgs import small_city, unit

# 2026-11-26 is a Thursday.
MORNING, NINE, HALF_PAST_FIVE = time(8), time(9), time(17, 30)


def at(hour: int, minute: int = 0, day: int = 26) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=timezone.get_current_timezone())


@pytest.mark.parametrize(
    ("days", "now", "is_open", "text"),
    [
        ("12345", at(9), True, "开放中，到 17:30"),
        ("12345", at(17, 29), True, "开放中，到 17:30"),
        ("12345", at(17, 30), False, "明天 09:00 开"),
        ("12345", at(8, 59), False, "今天 09:00 开"),
        ("12345", at(10, day=28), False, "周一 09:00 开"),  # a Saturday
        ("4", at(18), False, "周四 09:00 开"),  # this day next week
        ("7", at(10), False, "周日 09:00 开"),
    ],
)
def test_hours_in_the_words_of_a_notice(days, now, is_open, text):
    found = opening(days, NINE, HALF_PAST_FIVE, now)
    assert (found.is_open, found.text) == (is_open, text)


@pytest.mark.parametrize("hours", [("", NINE, HALF_PAST_FIVE), ("12345", None, None)])
def test_hours_that_are_not_stated_are_not_guessed(hours):
    assert opening(*hours, at(10)) is None


@pytest.mark.django_db
def test_a_holiday_is_a_weekday_without_work():
    assert not is_holiday(at(10))
    assert not is_holiday(at(10, day=28)), "a Saturday is a Saturday"
    WorkdayOverride.objects.create(day=date(2026, 11, 26), is_workday=False, note="停工")
    assert is_holiday(at(10))


@pytest.mark.django_db
def test_open_ones_come_first_then_those_that_open_next_then_those_without_hours():
    place = small_city()
    hours = {"kind": "service", "weekdays": "1234567", "opens_at": NINE}
    services.item(place.community, title="另约", kind="service")
    services.item(place.community, title="晚关", closes_at=HALF_PAST_FIVE, **hours)
    services.item(place.community, title="早关", closes_at=time(11), **hours)
    services.item(
        place.community, title="下午", closes_at=time(18), **{**hours, "opens_at": time(14)}
    )
    services.item(place.community, title="邻里的需求")
    services.item(place.other_community, title="别处", closes_at=HALF_PAST_FIVE, **hours)
    names = [row.item.title for row in near(place.community, at(10), 10)]
    assert names == ["早关", "晚关", "下午", "另约"]
    assert [row.item.title for row in near(place.community, at(10), 2)] == names[:2]
    assert [row.item.title for row in near(place.community, at(12), 2)] == ["晚关", "下午"]


@pytest.mark.django_db
def test_what_is_finished_or_past_its_date_is_not_offered():
    place = small_city()
    ended = services.item(unit(place.community), title="已办完", kind="service")
    services.claim(ended, place.community, state=ClaimState.CLOSED)
    past = services.item(place.community, title="过期", kind="service")
    Item.objects.filter(pk=past.pk).update(due_on=date(2026, 11, 25))
    last = services.item(place.community, title="最后一天", kind="service")
    Item.objects.filter(pk=last.pk).update(due_on=date(2026, 11, 26))
    assert [row.item.title for row in near(place.community, at(10), 9)] == ["最后一天"]


@pytest.mark.django_db
def test_home_asks_the_same_whatever_there_is(client, django_assert_max_num_queries):
    place = small_city()
    client.get(f"/choose/{place.community.code}/")
    for _ in range(3):
        services.item(
            place.community,
            kind="service",
            weekdays="1234567",
            opens_at=time(0),
            closes_at=time(23, 59),
        )
    with django_assert_max_num_queries(3):  # the community, the offers, the calendar
        page = client.get("/").content.decode()
    assert page.count("开放中") == 3


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("社区服务中心 0532-88881234，找小王", "053288881234"),
        ("电话13812341234", "13812341234"),
        ("88881234", "88881234"),
        ("工作日 8:30–17:00", ""),
        ("门牌 123 号，2026-11-26 起", ""),
    ],
)
def test_a_number_to_dial_is_found_in_a_free_line(text, number):
    assert phone_in(text) == number
