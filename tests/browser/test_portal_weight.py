"""What the portal costs a cheap phone: bytes, what the first words wait for, taps, pages."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from playwright.sync_api import Response, expect

from tests.browser.portal import full_city, walk
from tests.factories import services
from tests.factories.orgs import small_city

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

BUDGET = 60_000  # bytes over the wire, the page with all that it loads
FIRST_WORDS = 1_000  # milliseconds to the first contentful paint


@pytest.mark.parametrize("elder", [False, True], ids=["ordinary", "长辈版"])
def test_no_page_weighs_more_than_its_budget(resident, elder):
    place = full_city()
    page = resident(place.community, elder=elder)
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    # Each document with all that was loaded for it: (loader, request) as the browser names them.
    loader_of: dict[str, str] = {}
    address_of: dict[str, str] = {}
    weight_of: Counter[str] = Counter()

    def asked(event: dict) -> None:
        loader_of[event["requestId"]] = event["loaderId"]
        address_of[event["loaderId"]] = event["documentURL"]

    def loaded(event: dict) -> None:
        weight_of[loader_of[event["requestId"]]] += event["encodedDataLength"]

    session.on("Network.requestWillBeSent", asked)
    session.on("Network.loadingFinished", loaded)
    for _ in walk(page, place):
        page.wait_for_load_state("networkidle")
    assert len(weight_of) >= 20
    assert min(weight_of.values()) > 5_000, "a page without its styles was counted"
    assert {address_of[k]: w for k, w in weight_of.items() if w > BUDGET} == {}


@pytest.mark.parametrize("name", ["home", "service", "topic"])
def test_nothing_but_one_style_sheet_stands_before_the_first_words(resident, name):
    """What the first paint waits for, of which the time follows: on slow 4G (150 ms there and
    back, 1.6 Mbit/s) the connection, the page and its style take three round trips and the bytes
    of both. What the processor adds is measured by tests/bench/first_paint.py."""
    place = full_city()
    page = resident(place.community)
    asked: list[tuple[str, int]] = []

    def loaded(answer: Response) -> None:
        kind = answer.request.resource_type
        if kind in ("document", "stylesheet", "script", "font"):
            asked.append((kind, answer.request.sizes()["responseBodySize"]))

    page.on("requestfinished", lambda request: loaded(request.response()))
    page.goto(
        {"home": "/", "service": f"/item/{place.offer.number}/", "topic": "/need/topic/"}[name]
    )
    page.wait_for_load_state("networkidle")
    assert sorted(kind for kind, _ in asked) == ["document", "stylesheet"]
    sent = sum(size for _, size in asked)
    assert sent > 5_000, "the sizes are not counted"
    assert 3 * 150 + 1000 * sent * 8 / 1_600_000 <= FIRST_WORDS


class Taps:
    """Counts what a finger does."""

    def __init__(self) -> None:
        self.count = 0

    def on(self, found) -> None:
        found.click()
        self.count += 1


def test_an_open_service_is_found_in_three_taps(resident):
    place = small_city()
    for title in ("活动室", "爱心理发", "社区义诊", "量血压"):
        services.item(
            place.community,
            kind="service",
            title=title,
            topic="care" if title == "爱心理发" else "other",
            weekdays="1234567",
            opens_at="00:00",
            closes_at="23:59",
        )
    known, by_topic, large, stranger = Taps(), Taps(), Taps(), Taps()

    page = resident(place.community)
    page.goto("/")
    known.on(page.get_by_role("link", name="量血压"))
    expect(page.get_by_text("现在开放中")).to_be_visible()

    page.goto("/")
    by_topic.on(page.get_by_role("link", name="养老助残"))
    by_topic.on(page.get_by_role("link", name="爱心理发"))
    expect(page.get_by_text("现在开放中")).to_be_visible()

    page = resident(place.community, elder=True)
    page.goto("/")
    large.on(page.get_by_role("link", name="找服务"))
    large.on(page.get_by_role("link", name="养老助残"))
    large.on(page.get_by_role("link", name="爱心理发"))
    expect(page.get_by_text("现在开放中")).to_be_visible()

    page = resident()
    page.goto("/")
    stranger.on(page.get_by_label("社区名称或拼音"))
    page.keyboard.type("111sq")
    stranger.on(page.get_by_role("button", name="查找"))
    stranger.on(page.get_by_role("link", name="111社区"))
    stranger.on(page.get_by_role("link", name="量血压"))
    expect(page.get_by_text("现在开放中")).to_be_visible()

    found = {"known": known, "by topic": by_topic, "长辈版": large, "stranger": stranger}
    assert {name: taps.count for name, taps in found.items()} == {
        "known": 1,
        "by topic": 2,
        "长辈版": 3,
        "stranger": 4,  # choosing the community once is three of them
    }


@pytest.mark.parametrize("offer", [False, True], ids=["from home", "from an offer"])
def test_a_need_is_submitted_in_at_most_five_short_pages(resident, offer):
    place = small_city()
    number = services.item(place.community, kind="service").number
    page = resident(place.community)
    page.goto(f"/item/{number}/" if offer else "/")
    pages: list[str] = []
    page.on("framenavigated", lambda frame: pages.append(frame.url))
    page.get_by_role("link", name=re.compile("我需要这项帮助|您需要什么")).click()
    if not offer:
        page.get_by_label("便民服务").check()
        page.get_by_role("button", name="下一步").click()
    page.get_by_role("textbox").fill("家中老人腿脚不便，希望上门理发。")
    page.get_by_role("button", name="下一步").click()
    page.get_by_role("button", name="下一步").click()
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_role("heading", name="已提交给111社区")).to_be_visible()
    assert len(pages) == (4 if offer else 5), pages
