"""The workbench: what waits for me, what those above wait for, the figures of my level."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from html import unescape

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.enums import Role
from core import console, figures
from core.transitions import transit
from services.enums import ClaimState, Grade, ItemState
from services.models import Claim, Item, Rectification
from tests.core.browsing import htmx, rows_of, signed_in, text
from tests.factories import members, services
from tests.factories.accounts import person
from tests.factories.orgs import small_city, unit
from tests.factories.rows import World

pytestmark = pytest.mark.django_db

# User, grants, unread messages and working days; one for each kind and each figure of the person.
# Without Redis one more: the session.
QUERIES = {
    Role.COMMUNITY_WORKER: 29,
    Role.STREET_OFFICER: 31,
    Role.ORG_DEPARTMENT: 15,
    Role.UNIT_LIAISON: 17,
}


@pytest.fixture
def place():
    return small_city()


def other_list(client, **params) -> str:
    return text(client.get("/console/", params, **htmx("awaited")))


# -- what those above wait for


def test_a_rectification_with_a_unit_is_awaited_by_all_above_and_waits_for_the_unit(place):
    firm = unit(place.community, "海晟物业公司")
    claim = services.claim(
        services.item(place.community), firm, state=ClaimState.RATED, grade=Grade.BAD
    )
    for role, on in (
        (Role.COMMUNITY_WORKER, place.community),
        (Role.STREET_OFFICER, place.street),
        (Role.ORG_DEPARTMENT, place.city),
    ):
        client = signed_in(person(role, on))
        shown = other_list(client)
        assert "整改" in shown
        assert "差评待整改 · 在海晟物业公司" in shown
        assert "个工作日" in shown
    liaison = signed_in(person(Role.UNIT_LIAISON, firm))
    assert other_list(liaison) == ""
    assert "差评待整改" in text(liaison.get("/console/"))
    stranger = signed_in(person(Role.COMMUNITY_WORKER, place.sibling_community))
    assert "您的范围内没有由别人" in other_list(stranger)
    worker = signed_in(person(Role.COMMUNITY_WORKER, place.community))
    assert "待销号" not in text(worker.get("/console/")), "it is not put right yet"
    Rectification.objects.filter(rating__claim=claim).update(
        state="closed", reported_at=timezone.now(), closed_at=timezone.now()
    )
    assert "您的范围内没有由别人" in other_list(
        signed_in(person(Role.STREET_OFFICER, place.street))
    )
    assert "待销号" in text(worker.get("/console/"))


def test_what_i_do_myself_is_not_told_again_as_awaited(place):
    """The community's own overdue matter waits for its worker; the department sees who holds it."""
    mine = services.claim(
        services.item(unit(place.community), kind="service"),
        unit(place.community, "领取方"),
        state=ClaimState.WORKING,
    )
    theirs = services.claim(
        services.item(place.community, kind="service"), unit(place.community), state="working"
    )
    Claim.objects.update(due_on=timezone.localdate() - timedelta(days=3))
    worker = signed_in(person(Role.COMMUNITY_WORKER, place.community))
    shown = other_list(worker)
    assert f"在{mine.item.publisher}" in shown
    assert str(theirs) not in shown
    assert str(theirs) in text(worker.get("/console/", **htmx("list")))
    above = other_list(signed_in(person(Role.ORG_DEPARTMENT, place.city)))
    assert f"在{theirs.item.publisher}" in above
    assert "已逾期 3 天" in above


def test_claims_out_of_contact_and_returned_items_are_awaited(place):
    firm, other = unit(place.community, "青岛银行"), unit(place.community, "市立医院")
    between_units = services.claim(services.item(firm, kind="service"), other)
    services.item(firm, state=ItemState.RETURNED, title="爱心义诊")
    worker = signed_in(person(Role.COMMUNITY_WORKER, place.community))
    assert str(between_units) not in other_list(worker)
    Claim.objects.update(claimed_at=timezone.now() - timedelta(days=8))
    shown = other_list(worker)
    assert "超期未对接 · 在青岛银行" in shown
    assert "退回待修改 · 在青岛银行 已" not in shown
    assert re.search(r"爱心义诊” 退回待修改 · 在青岛银行", shown)


def test_the_awaited_list_is_cut_and_each_kind_opens_whole(place):
    firm = unit(place.community)
    for _ in range(10):
        services.item(firm, state=ItemState.RETURNED)
    worker = signed_in(person(Role.COMMUNITY_WORKER, place.community))
    shown = other_list(worker)
    assert shown.count("· 在") == 8
    assert "只列出最紧的 8 项" in shown
    key = next(i for i, kind in enumerate(console.AWAITED) if kind.label == "退回待修改")
    whole = other_list(worker, lying=key)
    assert whole.count("· 在") == 10
    assert "只列出" not in whole


# -- figures


@pytest.mark.parametrize(
    "levels", [console.DEPARTMENT, console.STREET, console.COMMUNITY, ("unit",)]
)
def test_each_level_has_four_figures_of_its_own(levels):
    for level in levels:
        mine = [one.label for one in console.FIGURES if level in one.levels]
        assert len(mine) == figures.MOST, mine
        assert len(set(mine)) == figures.MOST


def test_a_begun_quarter_is_compared_with_as_many_days_of_the_last():
    now, then = figures.quarter_so_far(date(2026, 8, 10))
    assert now == (date(2026, 7, 1), date(2026, 8, 10))
    assert then == (date(2026, 4, 1), date(2026, 5, 11))
    _, then = figures.quarter_so_far(date(2026, 9, 30))  # the 92nd day; the last had 91
    assert then == (date(2026, 4, 1), date(2026, 6, 30))


def test_the_days_of_a_moment_are_the_citys_own():
    days = figures.Days(date(2026, 7, 1), date(2026, 7, 1))
    assert days.end == datetime.fromisoformat("2026-07-02T00:00+08:00")


def _figure(client, label: str) -> tuple[str, str, str]:
    """A figure as it is shown: value, note, and the address of the list behind it."""
    page = client.get("/console/").content.decode()
    block = next(b for b in page.split('<div class="stat">')[1:] if f"本季{label}" in b)
    href = re.search(r'href="([^"]*)"', block)[1]
    value = re.search(r"<a[^>]*>(.*?)</a>", block, re.DOTALL)[1]
    note = re.search(r'stat-note">(.*?)<', block)[1]
    return value.strip(), note, unescape(href)


def _at(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, datetime.min.time())) + timedelta(hours=12)


def test_a_figure_counts_this_quarter_and_the_same_days_of_the_last(place, monkeypatch):
    today = date(2026, 8, 10)
    monkeypatch.setattr(figures.timezone, "localdate", lambda value=None: today)
    days = [today, today, date(2026, 7, 1), date(2026, 6, 30), date(2026, 5, 11), date(2026, 5, 12)]
    items = [services.item(place.community) for _ in days]
    for item, day in zip(items, days, strict=True):
        Item.objects.filter(pk=item.pk).update(published_at=_at(day))
    client = signed_in(person(Role.COMMUNITY_WORKER, place.community))
    value, note, href = _figure(client, "发布事项")
    assert (value, note) == ("3", "上季同期 1，多 2")
    assert rows_of(client.get(href)) == 3


def test_a_rate_is_looked_at_as_of_the_same_day_then(place, monkeypatch):
    """A need of last quarter that was claimed later than today's distance does not count then."""
    today = date(2026, 8, 10)
    monkeypatch.setattr(figures.timezone, "localdate", lambda value=None: today)
    firm = unit(place.community)
    for day, claimed in (
        (today, today),
        (today, None),
        (date(2026, 4, 1), date(2026, 5, 11)),
        (date(2026, 4, 1), date(2026, 5, 12)),
        (date(2026, 4, 1), None),
    ):
        item = services.item(place.community)
        if claimed:
            services.claim(item, firm)
        Item.objects.filter(pk=item.pk).update(published_at=_at(day))
        Claim.objects.filter(item=item).update(claimed_at=_at(claimed or day))
    client = signed_in(person(Role.STREET_OFFICER, place.street))
    value, note, href = _figure(client, "需求认领率")
    assert (value, note) == ("50", "1 / 2，上季同期 33%，高 17 个百分点")
    assert rows_of(client.get(href)) == 2


def test_every_figure_is_the_count_of_the_list_that_it_opens():
    world = World()
    services.claim(services.item(world.place.community), world.unit, state=ClaimState.RATED)
    services.claim(services.item(world.place.community), world.unit, state=ClaimState.CLAIMED)
    served = members.service(world.sides, members.reported(world.sides), days_ago=0)
    transit(served, "confirm", by=person(Role.COMMUNITY_WORKER, world.place.community))
    world.make("alliance.fulfilment")
    seen = set()
    for role in QUERIES:
        user = world.people[role]
        client = signed_in(user)
        for shown in figures.shown_to(user, None, lambda rows: rows):
            answer = client.get(shown.href)
            assert answer.status_code == 200, shown
            listed = rows_of(answer)
            whole = shown.note.split("，")[0].rpartition("/ ")[2]
            expected = int(whole) if shown.unit == "%" else shown.value
            assert listed == expected, shown
            seen |= {shown.label} if listed else set()
    assert seen == {one.label for one in console.FIGURES}, "each had rows to count"


def test_the_figures_follow_the_place_and_its_level(place):
    services.item(place.community)
    officer = person(Role.STREET_OFFICER, place.street)
    client = signed_in(officer)
    assert "本季满意率" in text(client.get("/console/"))
    page = client.get(f"/console/?area={place.community.pk}")
    assert "本季党员服务" in text(page)
    assert "本季满意率" not in text(page)
    assert f"?area={place.community.pk}&amp;published_at_after=" in page.content.decode()
    empty = text(client.get(f"/console/?area={place.sibling_community.pk}"))
    assert re.search(r"本季发布事项 0 件", empty)


def test_administrators_have_no_figures():
    assert "本季" not in text(signed_in(person(Role.SYSTEM_ADMIN)).get("/console/"))


# -- what it costs


@pytest.mark.parametrize("role", QUERIES)
def test_the_workbench_asks_as_often_with_much_as_with_nothing(role):
    world = World()
    client = signed_in(world.people[role])
    client.get("/console/")

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get("/console/").status_code == 200
        return len(captured)

    def add() -> None:
        world.make("services.ticket")
        world.make("services.rectification")
        world.make("members.reporting")
        world.make("grids.gridpost")
        services.item(world.unit, state=ItemState.RETURNED)

    add()
    made = services.item(world.place.community, state=ItemState.PENDING)
    one = queries()
    for _ in range(2):
        add()
    rows = []
    for serial in range(120):
        made.pk, made.number = None, f"M{serial}"
        rows.append(
            Item(**{f.attname: getattr(made, f.attname) for f in Item._meta.concrete_fields})
        )
    Item.objects.bulk_create(rows)
    expected = QUERIES[role] + (0 if settings.REDIS_URL else 1)
    assert (one, queries()) == (expected, expected)


@pytest.mark.parametrize(
    ("role", "offered"),
    [
        (Role.COMMUNITY_WORKER, ["发布需求、资源或服务", "认领事项"]),
        (Role.GRID_WORKER, ["发布需求、资源或服务"]),
        (Role.SECURITY_AUDITOR, []),
    ],
)
def test_what_one_comes_to_begin_is_offered_to_those_who_may(place, role, offered):
    where = None if role == Role.SECURITY_AUDITOR else place.community
    page = signed_in(person(role, where)).get("/console/").content.decode()
    main = page[page.index("<main") :]
    assert [s.label for s in console.STARTS if f"{s.label}</a>" in main] == offered
