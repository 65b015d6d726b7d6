"""The portal for everybody: axe, every width, the large version, the keyboard alone, paper."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import violations
from tests.browser.portal import full_city, walk
from tests.factories import services
from tests.factories.orgs import small_city

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ELDER = pytest.mark.parametrize("elder", [False, True], ids=["ordinary", "长辈版"])

# The smallest type of any text that shows, with the text.
SMALLEST_TYPE = """() => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (texts.nextNode()) {
    const parent = texts.currentNode.parentElement;
    const hidden = parent.closest('.visually-hidden, script, template') || !parent.offsetParent;
    if (hidden || !texts.currentNode.data.trim()) continue;
    found.push([parseFloat(getComputedStyle(parent).fontSize), texts.currentNode.data.trim()]);
  }
  return found.sort((a, b) => a[0] - b[0])[0];
}"""
# Everything that a finger aims at and that is lower than 60 px; of a choice the whole label.
SMALL_TARGETS = """() => [...document.querySelectorAll('a, button, input, textarea, select')]
  .filter(found => found.type !== 'hidden')
  .map(found => found.closest('label') || found)
  .filter(found => found.getBoundingClientRect().height < 60)
  .map(found => found.outerHTML.slice(0, 120))"""
FOCUS = """() => {
  const found = document.activeElement, style = getComputedStyle(found);
  const box = found.getBoundingClientRect();
  const label = found.labels && found.labels.length ? found.labels[0].innerText : '';
  return {
    name: (found.getAttribute('aria-label') || label || found.innerText || '').trim(),
    ring: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
    shown: box.bottom > 0 && box.top < innerHeight && box.width > 1,
  };
}"""


@ELDER
def test_axe_finds_nothing_in_light_and_in_dark(resident, elder):
    place = full_city()
    page = resident(place.community, elder=elder)
    found = {}
    for name in walk(page, place):
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            if faults := violations(page):
                found[name, scheme] = faults
    assert not found


@ELDER
def test_no_page_scrolls_sideways(resident, elder):
    place = full_city()
    page = resident(place.community, elder=elder)
    wide = {}
    for name in walk(page, place):
        for width in (360, 768, 1280, 1920):
            page.set_viewport_size({"width": width, "height": 740})
            needed = page.evaluate("document.documentElement.scrollWidth")
            if needed > width:
                wide[name, width] = needed
    assert not wide


def test_the_large_version_is_large(resident):
    place = full_city()
    page = resident(place.community, elder=True)
    wrong = {}
    for name in walk(page, place):
        size, text = page.evaluate(SMALLEST_TYPE)
        if size < 24:
            wrong[name, "type"] = (size, text)
        if small := page.evaluate(SMALL_TARGETS):
            wrong[name, "targets"] = small
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            if pale := violations(page, "color-contrast-enhanced"):
                wrong[name, scheme] = pale
    assert not wrong


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_the_switch_turns_every_page_and_keeps_what_was_typed(resident, scripts):
    place = small_city()
    page = resident(place.community, java_script_enabled=scripts)
    page.goto("/need/content/")
    page.get_by_role("textbox").fill("家中老人")
    page.get_by_role("button", name="长辈版").click()
    expect(page.get_by_role("textbox")).to_have_value("家中老人")
    expect(page.locator("html[data-elder]")).to_have_count(1)
    page.goto("/track/")
    page.get_by_role("link", name="标准版").click()
    expect(page).to_have_url(re.compile("/track/$"))
    expect(page.locator("html[data-elder]")).to_have_count(0)


@ELDER
def test_home_answers_on_the_first_screen(resident, elder):
    """My community, what is open now, how to find and how to ask: 360 × 740, without scrolling."""
    place = small_city()
    for title in ("爱心理发", "社区义诊", "活动室"):
        services.item(
            place.community,
            kind="service",
            title=title,
            venue="党群服务中心",
            weekdays="1234567",
            opens_at="00:00",
            closes_at="23:59",
        )
    page = resident(place.community, elder=elder)
    page.goto("/")
    bottom = page.get_by_role("main").locator("a, input, button").last.bounding_box()
    assert bottom["y"] + bottom["height"] <= 740
    names = ["提需要", "查进展", "换社区", *(["找服务"] if elder else ["养老助残", "看全部"])]
    for name in names:
        expect(page.get_by_role("link", name=name)).to_be_in_viewport(ratio=1)
    if not elder:
        expect(page.get_by_role("searchbox", name="找服务")).to_be_in_viewport(ratio=1)


def tab_to(page: Page, name: str) -> None:
    """Go on with Tab until what is called `name` has the focus; each stop on the way shows it."""
    for _ in range(60):
        page.keyboard.press("Tab")
        focus = page.evaluate(FOCUS)
        if focus["name"]:
            assert focus["ring"], f"focus does not show on {focus['name']}"
            assert focus["shown"], f"{focus['name']} has the focus out of sight"
        if name in focus["name"]:
            return
    pytest.fail(f"{name} is not reached by Tab")


def enter(page: Page, name: str) -> None:
    """Reach it and press Enter, which leads to another page."""
    tab_to(page, name)
    with page.expect_navigation():
        page.keyboard.press("Enter")


@ELDER
def test_a_resident_finds_and_asks_with_the_keyboard_alone(resident, elder):
    place = small_city()
    services.item(place.community, kind="service", title="爱心理发", capacity=5)
    page = resident(elder=elder)
    page.goto("/")
    tab_to(page, "跳到正文")
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    tab_to(page, "社区名称或拼音")
    page.keyboard.type("111sq")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    enter(page, "111社区")
    enter(page, "爱心理发")
    enter(page, "我需要这项帮助")
    tab_to(page, "请说说具体情况")
    page.keyboard.press("Control+A")
    page.keyboard.type("修")
    enter(page, "下一步")

    # What is wrong has the focus, stands in the title, and leads to its field.
    expect(page.locator(".errors")).to_be_focused()
    expect(page).to_have_title(re.compile("^错误："))
    tab_to(page, "至少5个字")
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox")).to_be_focused()
    page.keyboard.type("理发，周末方便，请上门。")
    enter(page, "下一步")
    enter(page, "社区怎样联系您")  # Enter in the field sends it, and does not turn the version
    expect(page.get_by_role("heading", name="提交前请核对")).to_be_visible()
    enter(page, "提交")
    expect(page.get_by_role("heading", name="已提交给111社区")).to_be_visible()
    expect(page.locator("html[data-elder]")).to_have_count(1 if elder else 0)


def test_a_refusal_takes_the_focus_without_scripts(resident):
    page = resident(small_city().community, java_script_enabled=False)
    page.goto("/track/")
    page.get_by_role("button", name="查看").click()
    expect(page.locator(".errors")).to_be_focused()


def test_paper_is_white_and_bears_the_words_alone(resident):
    place = full_city()
    page = resident(place.community, color_scheme="dark")
    page.goto(f"/item/{place.offer.number}/")
    page.emulate_media(media="print", color_scheme="dark")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    for part in ("header", "footer", ".btn >> nth=0", ".p-back"):
        expect(page.locator(part)).to_be_hidden()
    ink = page.evaluate("getComputedStyle(document.querySelector('h1')).color")
    assert ink == "rgb(28, 28, 26)"
