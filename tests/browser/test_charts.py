"""Charts in a real browser: drawn under the content policy, in both themes, and usable without."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from services.enums import ClaimState, Grade
from tests.browser.conftest import PASSWORD
from tests.factories import services as make
from tests.factories.accounts import person
from tests.factories.orgs import small_city, unit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PAGE = "/console/reports/overview/"
# Time enough for what watches its own size.
TWO_FRAMES = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
FITS = """() => {
    const page = document.documentElement;
    const fits = picture => {
        const drawn = picture.querySelector("svg").getBoundingClientRect().width;
        return Math.abs(drawn - picture.clientWidth) < 2;
    };
    return page.scrollWidth <= page.clientWidth
        && [...document.querySelectorAll(".chart-picture")].every(fits);
}"""
FILL = "path => getComputedStyle(path).fill"


@pytest.fixture
def officer():
    place = small_city()
    for grade in (Grade.EXCELLENT, Grade.EXCELLENT, Grade.BAD):
        need = make.item(place.community)
        make.claim(need, unit(place.community), state=ClaimState.RATED, grade=grade)
    user = person("street_officer", place.street)
    user.set_password(PASSWORD)
    user.save()
    return user


def enter(page: Page, user) -> None:
    page.goto(PAGE)
    page.get_by_label("登录名").fill(user.username)
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.wait_for_url(f"**{PAGE}")


def bars(page: Page, key: str, tone: str):
    return page.locator(f'#chart-{key} svg path[fill="var(--{tone}-text)"]')


def test_pictures_are_drawn_and_tables_wait_below(page: Page, officer):
    """`page` bears no complaint: neither of the content policy nor of a script."""
    enter(page, officer)
    for key in ("trend", "below", "contact", "grades"):
        picture = page.locator(f"#chart-{key} .chart-picture")
        expect(picture.locator("svg")).to_be_visible()
        expect(page.locator(f"#chart-{key} table")).to_be_hidden()
    expect(bars(page, "grades", "ok")).to_have_count(3)
    expect(bars(page, "grades", "bad")).to_have_count(2)
    expect(page.locator("#chart-grades svg text").filter(has_text="非常满意")).to_have_count(1)
    for size in (360, 768, 1280, 1920):
        page.set_viewport_size({"width": size, "height": 900})
        page.evaluate(TWO_FRAMES)
        assert page.evaluate(FITS), size


def test_the_colours_are_the_themes(page: Page, officer):
    page.emulate_media(color_scheme="light")
    enter(page, officer)
    light = bars(page, "grades", "ok").first.evaluate(FILL)
    page.emulate_media(color_scheme="dark")
    dark = bars(page, "grades", "ok").first.evaluate(FILL)
    assert light == "rgb(29, 99, 56)"
    assert dark == "rgb(147, 209, 169)"


def test_a_bar_opens_the_list_behind_it(page: Page, officer):
    enter(page, officer)
    bars(page, "grades", "ok").first.click()
    page.wait_for_url("**/services/claims/?**grade=5**")
    expect(page.locator("tbody tr")).to_have_count(2)


def test_the_keyboard_gets_there_through_the_table(page: Page, officer):
    enter(page, officer)
    summary = page.locator("#chart-grades summary")
    summary.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#chart-grades table")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="非常满意，评价数 2")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/services/claims/?**grade=5**")
    expect(page.locator("tbody tr")).to_have_count(2)


def test_without_script_the_tables_alone_are_there(browser, live_server, officer):
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    enter(page, officer)
    expect(page.locator("#chart-grades table")).to_be_visible()
    expect(page.locator("#chart-grades .chart-picture")).to_be_hidden()
    page.get_by_role("link", name="非常不满意，评价数 1").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    context.close()


def test_only_pages_with_a_chart_load_what_draws_it(page: Page, officer):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    enter(page, officer)
    assert any("chart" in url and url.endswith(".js") for url in asked)
    asked.clear()
    page.goto("/console/")
    assert not any("chart" in url and url.endswith(".js") for url in asked)
