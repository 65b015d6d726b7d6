"""Every page of the console: axe finds nothing in light and dark, nothing is wider than the screen,
what has the focus shows it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from accounts.enums import Role
from tests.browser.axe import violations
from tests.browser.console_walk import Walk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WIDTHS = (768, 1280, 1920, 360)  # the narrow one last: there the dark colours are looked at
# What axe may find, and why that is right.
EXCUSED = {
    "core:components": ("landmark-unique", "the page shows a landmark in several states"),
}
# The page must not scroll sideways, nor a part of it on a phone.
_WIDER = """() => {
    const page = document.documentElement, wide = page.clientWidth;
    const parts = [...document.querySelectorAll("body *")];
    const scrolls = part => part.scrollWidth > part.clientWidth + 1
        && ["auto", "scroll"].includes(getComputedStyle(part).overflowX);
    const wrong = wide < 400 ? parts.filter(scrolls) : [];
    if (page.scrollWidth > wide)
        wrong.push(parts.filter(part => part.getBoundingClientRect().right > wide + 1).pop());
    return wrong.map(part => `${part?.localName}.${part?.className}`);
}"""
# Time enough for the charts, which follow their own size.
_SETTLE = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
# Each control in turn, as the keyboard reaches it: it takes the focus and looks different with it.
_UNSEEN = """() => {
    const reach = document.querySelector("dialog[open]") ?? document;
    const all = reach.querySelectorAll(
        "a[href], button:not([disabled]), input:not([type=hidden]):not([disabled]), " +
        "select:not([disabled]), textarea:not([disabled]), summary, [tabindex]:not([tabindex='-1'])");
    const wrong = [];
    for (const one of all) {
        if (!one.checkVisibility({ visibilityProperty: true })) continue;
        if (one.tabIndex > 0) wrong.push(`tabindex of ${one.outerHTML.slice(0, 80)}`);
        one.focus();
        const look = getComputedStyle(one);
        const seen = look.outlineStyle !== "none" && parseFloat(look.outlineWidth) >= 2;
        if (document.activeElement !== one || !seen) wrong.push(one.outerHTML.slice(0, 120));
    }
    return wrong;
}"""


def faults(page: Page, name: str = "") -> list[str]:
    """What is wrong with the page that is open."""
    page.emulate_media(color_scheme="light")
    found = violations(page)
    page.keyboard.press("Tab")  # from now on the browser draws the focus as for the keyboard
    found += [f"no focus to see: {line}" for line in page.evaluate(_UNSEEN)]
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate(_SETTLE)
        found += [f"wider than {width}: {line}" for line in page.evaluate(_WIDER)]
    page.emulate_media(color_scheme="dark")
    page.evaluate("scrollTo(0, 0)")  # nothing lies under the bar that stays
    found += [f"dark: {line}" for line in violations(page, "color-contrast", "target-size")]
    page.set_viewport_size({"width": 1280, "height": 900})
    rule, _ = EXCUSED.get(name, (None, ""))
    return [line for line in found if not rule or not line.startswith(f"{rule}:")]


@pytest.fixture
def walk(new_context, live_server, settings, tmp_path) -> Walk:
    settings.MEDIA_ROOT = tmp_path
    return Walk(new_context, live_server)


def test_every_page_is_open_to_everybody_and_fits_every_screen(walk):
    wrong = []
    for stop in walk.stops():
        page = walk.page(stop.reader)
        page.goto(stop.address)
        wrong += [f"{stop}: {line}" for line in faults(page, stop.name)]
    assert not wrong, "\n".join(wrong)


def test_before_the_sign_in_and_where_there_is_no_page(walk, new_context, live_server):
    page = new_context(base_url=live_server.url).new_page()
    page.goto("/console/sign-in/")
    assert faults(page) == []
    page.get_by_role("button", name="登录").click()
    assert faults(page) == []
    worker = walk.page(walk.world.people[Role.COMMUNITY_WORKER])
    for address, status in (("/console/nowhere/", 404), ("/console/audit/", 403)):
        assert worker.goto(address).status == status
        assert faults(worker) == []


def test_a_form_with_errors(walk):
    page = walk.page(walk.world.people[Role.COMMUNITY_WORKER])
    page.goto("/console/services/items/add/")
    page.get_by_role("button", name="保存").click()
    summary = page.locator(".errors")
    expect(summary).to_be_focused()
    assert page.title().startswith("错误：")
    assert faults(page) == []
    # Each line of the summary leads to its field.
    for link in summary.get_by_role("link").all():
        target = link.get_attribute("href")
        link.focus()
        page.keyboard.press("Enter")
        assert page.evaluate("at => document.activeElement.matches(at)", target), target


def test_lists_that_are_filtered_empty_and_at_a_place(walk):
    page = walk.page(walk.world.people[Role.COMMUNITY_WORKER])
    place = walk.world.place.community.pk
    walk.world.one("services.item")
    for query in (f"?area={place}&state=published&due_on_after=2026-01-01", "?q=没有这样的事"):
        page.goto(f"/console/services/items/{query}")
        expect(page.get_by_role("link", name="去掉条件").first).to_be_visible()
        assert faults(page) == []


def test_a_dialogue_keeps_the_keyboard_in_and_gives_it_back(walk):
    page = walk.page(walk.world.people[Role.COMMUNITY_WORKER])
    page.goto("/console/components/")
    opener = page.get_by_role("link", name="退回", exact=True)
    dialog = page.get_by_role("dialog")
    opener.focus()
    page.keyboard.press("Enter")
    expect(dialog.get_by_label("理由")).to_be_visible()
    # Until htmx has taken the form over, the browser sends it by itself, and the page is another.
    expect(page.locator(".htmx-added")).to_have_count(0)
    inside = "() => !!document.activeElement.closest('dialog') || document.activeElement === document.body"
    for _ in range(8):  # once round and a little further
        page.keyboard.press("Tab")
        assert page.evaluate(inside)
    dialog.get_by_role("button", name="确认退回").press("Enter")
    expect(dialog.locator(".errors")).to_be_focused()
    assert faults(page, "core:components") == []
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()
    page.keyboard.press("Enter")
    dialog.get_by_label("理由").fill("请写明联系时段。")
    dialog.get_by_role("button", name="确认退回").press("Enter")
    expect(page.get_by_text("已退回。这是示例")).to_be_visible()


@pytest.mark.parametrize("address", ["/console/", "/console/services/items/", "/console/places/"])
def test_the_tab_key_reaches_every_control_in_reading_order(walk, address):
    walk.world.one("services.item")
    page = walk.page(walk.world.people[Role.COMMUNITY_WORKER])
    page.goto(address)
    controls = """() => [...document.querySelectorAll("a[href], button:not([disabled]),"
        + "input:not([type=hidden]), select, summary")].filter(one => one.checkVisibility())"""
    page.evaluate(f"window.wanted = ({controls})()")
    page.evaluate("wanted[0].focus()")
    reached = [0]
    for _ in range(page.evaluate("3 * wanted.length")):  # a date has three parts and a picker
        page.keyboard.press("Tab")
        at = page.evaluate("wanted.indexOf(document.activeElement)")
        if at == -1:
            break
        if at != reached[-1]:
            reached.append(at)
    assert reached == page.evaluate("wanted.map((_, at) => at)")


@pytest.mark.parametrize("theme", ["", "dark"], ids=["by the device", "chosen"])
def test_paper_is_light_whatever_the_screen_shows(walk, live_server, theme):
    page = walk.page(walk.world.people[Role.COMMUNITY_WORKER])
    if theme:
        page.context.add_cookies([{"name": "theme", "value": theme, "url": live_server.url}])
    page.emulate_media(color_scheme="dark")
    page.goto("/console/services/items/")
    ink = "getComputedStyle(document.body).color"
    assert page.evaluate(ink) == "rgb(236, 236, 232)"
    page.emulate_media(color_scheme="dark", media="print")
    assert page.evaluate(ink) == "rgb(28, 28, 26)"
    expect(page.locator(".side")).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
