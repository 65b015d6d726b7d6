"""A list in a real browser: filters, columns, views, many rows at once, the file, the way back."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from openpyxl import load_workbook
from playwright.sync_api import Page, expect

from core.models import SavedView
from services.models import Item
from tests.browser.test_journeys import done
from tests.factories import services
from tests.factories.accounts import person
from tests.factories.orgs import small_city

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LONG = "为辖区内独居高龄老人提供每周一次的上门理发与血压测量服务，并协助代办医保报销手续"


@pytest.fixture
def place():
    return small_city()


@pytest.fixture
def needs(place) -> list[Item]:
    """Twelve pending needs, the day of one of them over, and forty resources published."""
    for n in range(40):
        services.item(place.community, kind="resource", title=f"会议室{n:02}")
    found = [
        services.item(place.community, state="pending", title=f"需求{n:02}{LONG}")
        for n in range(12)
    ]
    yesterday = timezone.localdate() - timedelta(days=1)
    Item.objects.filter(pk=found[0].pk).update(due_on=yesterday)
    return found


@pytest.fixture
def page(signed_in, place) -> Page:
    page = signed_in(person("community_worker", place.community))
    page.complaints = []
    page.on("console", lambda m: page.complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    return page


def choice(page: Page, label: str):
    """A filter of the panel."""
    return page.get_by_role("search").get_by_label(label, exact=True)


def rows(page: Page):
    return page.locator("#list tbody tr")


def test_a_worker_keeps_a_view_and_publishes_what_it_shows(page, needs, place):
    page.goto("/console/services/items/")
    choice(page, "状态").focus()
    choice(page, "状态").select_option(label="待审（12）")
    expect(rows(page)).to_have_count(12)
    # The numbers of the other filters follow, and the keyboard stays where it was.
    expect(choice(page, "类别").locator("option:checked")).to_have_text("全部（12）")
    expect(choice(page, "状态")).to_be_focused()
    expect(page).to_have_url(re.compile(r"/items/\?state=pending$"))

    page.locator("#columns-menu > summary").click()
    for label in ("提出单位", "受益对象", "名额", "编号"):
        page.locator("#columns-menu").get_by_label(label, exact=True).uncheck()
    page.locator("#columns-menu").get_by_role("button", name="应用").click()
    expect(page.locator("#list thead th")).to_have_text(["选择", "名称", "类别", "状态", "时限"])
    expect(page.locator("#columns-menu > summary")).to_be_focused()
    # A filter chosen after the columns does not forget them.
    choice(page, "类别").select_option("need")
    expect(page).to_have_url(re.compile(r"cols=.*kind=need|kind=need.*cols="))

    page.locator("#views-menu > summary").click()
    page.get_by_role("link", name="保存当前视图、管理").click()
    page.get_by_label("名称", exact=True).fill("待我审核")
    page.get_by_label("打开这个列表时先显示它").check()
    page.get_by_role("button", name="保存视图").click()
    expect(page.locator("#views-menu > summary")).to_have_text("视图：待我审核")
    assert SavedView.objects.get().query.startswith("kind=need&state=pending")
    page.get_by_role("link", name="清单事项").first.click()  # the menu opens it from now on
    expect(rows(page)).to_have_count(12)
    expect(page.locator("#views-menu > summary")).to_have_text("视图：待我审核")

    publish = page.get_by_role("button", name="批量发布")
    expect(publish).to_be_disabled()
    page.get_by_label("全选本页").check()
    expect(page.get_by_text("已选 12 条")).to_be_visible()
    page.get_by_label(re.compile("选择 需求05")).uncheck()
    expect(page.get_by_text("已选 11 条")).to_be_visible()
    publish.click()
    expect(page.get_by_text("将发布 10 条")).to_be_visible()
    expect(page.get_by_text("已过，请先退回，改期后再发布")).to_be_visible()
    page.get_by_role("button", name="确认发布 10 条").click()
    expect(page.get_by_text("已发布 10 条")).to_be_visible()
    page.get_by_role("main").get_by_role("link", name="返回列表").click()
    expect(rows(page)).to_have_count(2)
    assert Item.objects.filter(state="published", kind="need").count() == 10
    assert not page.complaints


def test_the_list_is_taken_out_as_it_is_shown(page, needs, celery_worker_process, tmp_path):
    celery_worker_process()
    page.goto("/console/services/items/?kind=need&cols=title,state&sort=number")
    page.get_by_role("link", name="导出本列表").click()
    expect(page.get_by_text("共 12 条")).to_be_visible()
    page.get_by_role("button", name="开始导出").click()
    done(page, jobs=1)
    link = page.get_by_role("link", name=re.compile("下载"))
    expect(link).to_be_visible()  # the page that polls shows it by itself
    with page.expect_download() as download:
        link.click()
    path = tmp_path / "清单.xlsx"
    download.value.save_as(path)
    lines = [list(r) for r in load_workbook(path).worksheets[0].iter_rows(values_only=True)]
    head = lines.index(["名称", "状态"])
    assert [line[0][:4] for line in lines[head + 1 : head + 13]] == [
        f"需求{n:02}" for n in range(12)
    ]
    assert not page.complaints


def test_back_returns_to_the_row_one_came_from(page, needs):
    page.goto("/console/services/items/?kind=need")
    link = page.get_by_role("link", name=re.compile("需求03"))
    link.click()
    expect(page.get_by_role("heading", name=re.compile("需求03"))).to_be_visible()
    page.go_back()
    row = page.locator(f"#row-{needs[3].pk}")
    expect(row).to_have_class("is-here")
    expect(row).to_be_in_viewport()
    expect(row.get_by_role("link")).to_be_focused()
    # The trail of the record leads back to the same list and row as well.
    page.keyboard.press("Enter")
    page.get_by_role("navigation", name="所在位置").get_by_role("link").first.click()
    expect(page).to_have_url(re.compile(rf"\?kind=need#row-{needs[3].pk}$"))
    expect(row.get_by_role("link")).to_be_focused()
    assert not page.complaints


def test_the_keyboard_alone_ticks_looks_and_does(page, needs):
    page.goto("/console/services/items/?state=pending")
    first = page.locator("input[name=row]").first
    first.focus()
    page.keyboard.press("Space")
    expect(page.get_by_text("已选 1 条")).to_be_visible()
    page.get_by_role("button", name="批量退回").focus()
    page.keyboard.press("Enter")
    page.get_by_label("理由").focus()
    page.keyboard.type("请补充联系时段")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("已退回 1 条")).to_be_visible()
    page.goto("/console/services/items/")
    menu = page.locator("#columns-menu > summary")
    menu.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#columns-menu").get_by_label("类别", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#columns-menu").get_by_label("类别", exact=True)).to_be_hidden()
    expect(menu).to_be_focused()


def test_many_rows_are_published_without_script(browser, live_server, needs, place):
    from tests.browser.conftest import PASSWORD

    user = person("community_worker", place.community)
    user.set_password(PASSWORD)
    user.save()
    context = browser.new_context(
        base_url=live_server.url, java_script_enabled=False, locale="zh-CN"
    )
    page = context.new_page()
    page.goto("/console/")
    page.get_by_label("登录名").fill(user.username)
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.goto("/console/services/items/?state=pending")
    page.get_by_label(re.compile("选择 需求01")).check()
    page.get_by_role("button", name="批量发布").click()
    page.get_by_role("link", name="改为符合条件的全部 12 条").click()
    page.get_by_role("button", name="确认发布 11 条").click()
    expect(page.get_by_text("已发布 11 条")).to_be_visible()
    context.close()


@pytest.mark.parametrize("width", [360, 768, 1280, 1920])
def test_a_list_never_scrolls_sideways(page, needs, width):
    page.set_viewport_size({"width": width, "height": 800})
    every = "cols=title,kind,publisher,topic,beneficiary,claimed,state,due_on,number"
    for address in (
        "/console/services/items/",
        f"/console/services/items/?{every}",
        "/console/services/items/?q=没有这样的事项",
        "/console/lists/services:items/do/publish/?all=1",
        "/console/lists/services:items/views/?state=pending",
        "/console/lists/services:items/export/?state=pending",
    ):
        page.goto(address)
        shown = page.evaluate("document.documentElement.scrollWidth")
        assert shown <= width, f"{address} is {shown} wide"
    page.goto("/console/services/items/?state=pending")
    fold = page.locator(".filters-more > summary")
    if width < 640:
        expect(fold).to_have_text("筛选 · 1")
        expect(choice(page, "受益对象")).to_be_hidden()
        fold.click()
    expect(choice(page, "受益对象")).to_be_visible()
    for menu in ("#columns-menu", "#views-menu"):
        page.locator(f"{menu} > summary").click()
        box = page.locator(f"{menu} .tool-box").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        page.keyboard.press("Escape")
