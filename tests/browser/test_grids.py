"""A community worker draws a grid, counts it and fills a post, by keyboard."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from grids.models import GridPost, GridProfile
from orgs.models import Area
from tests.factories.accounts import person
from tests.factories.orgs import small_city

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def go(link: Locator) -> None:
    """Follow a link or press a button as one does without a mouse."""
    link.focus()
    link.press("Enter")


def fits(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("width", [360, 1280])
def test_a_community_draws_counts_and_staffs_a_grid(signed_in, width):
    place = small_city()
    page = signed_in(person("community_worker", place.community))
    page.set_viewport_size({"width": width, "height": 800})
    main = page.get_by_role("main")

    page.goto(place.community.get_absolute_url())
    go(main.get_by_role("link", name="新增网格"))
    expect(page.get_by_role("heading", name="新增网格", level=1)).to_be_visible()
    expect(page.get_by_label("区划代码")).to_have_value(f"{place.community.code}002")
    page.get_by_label("名称", exact=True).press_sequentially("海风网格")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="海风网格", level=1)).to_be_visible()
    assert fits(page)

    page.goto("/console/grids/grids/")
    row = main.get_by_role("row", name=re.compile("海风网格"))
    expect(row).to_contain_text("未统计")
    assert fits(page)
    go(row.get_by_role("link", name="海风网格"))
    expect(main.locator(".tag", has_text="空缺")).to_have_count(5)
    assert fits(page)

    go(main.get_by_role("link", name="更新数量"))
    page.get_by_label("户数").press_sequentially("620")
    page.keyboard.press("Tab")
    page.keyboard.type("40")
    page.keyboard.press("Enter")
    expect(main.get_by_text("户数620户，高于标准上限500户。")).to_be_visible()
    record = GridProfile.objects.get(area=Area.objects.get(name="海风网格"))
    assert (record.households, record.members) == (620, 40)

    go(main.get_by_role("link", name="登记任职：网格长"))
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("任职人")).to_be_visible()
    dialog.get_by_label("任职人").press_sequentially("李玉兰")
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(main.locator(".tag", has_text="空缺")).to_have_count(4)
    expect(main.get_by_role("listitem").filter(has_text="网格长").first).to_contain_text("李玉兰")
    assert GridPost.objects.get(state="held").kind.name == "网格长"
    assert fits(page)
    # The post can be vacated, by whoever says why.
    go(main.get_by_role("link", name="空出岗位：网格长"))
    expect(dialog.get_by_label("理由")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert GridPost.objects.filter(state="held").exists()
