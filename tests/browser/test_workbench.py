"""The workbench by keyboard: search, keys, following, and words that outlive their session."""

from __future__ import annotations

import re

import pytest
from django.contrib.sessions.models import Session
from django.core.cache import cache
from playwright.sync_api import Page, expect

from accounts.enums import Role
from core.models import Draft, Notification, Watch
from core.transitions import transit
from orgs.models import Unit
from services.enums import ItemState
from tests.browser.conftest import PASSWORD
from tests.factories import services
from tests.factories.accounts import person
from tests.factories.orgs import credit_code, small_city, unit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
ADD = "/console/orgs/units/add/"


def end_all_sessions() -> None:
    """As when the machine slept through the night."""
    cache.clear()
    Session.objects.all().delete()


def sign_in_again(page: Page, user) -> None:
    page.get_by_label("登录名").fill(user.username)
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()


def until(page: Page, true) -> None:
    """Until the server has what the page sends by itself."""
    for _ in range(100):
        if true():
            return
        page.wait_for_timeout(100)
    pytest.fail("it did not come about")


def test_one_searches_and_goes_about_by_keyboard(signed_in):
    place = small_city()
    firm = unit(place.community, "青岛银行")
    unit(place.community, "青岛饭店")
    page = signed_in(person(Role.COMMUNITY_WORKER, place.community))

    page.keyboard.press("/")
    box = page.get_by_role("combobox")
    expect(box).to_be_focused()
    box.press_sequentially("qd")
    options = page.get_by_role("option")
    expect(options).to_have_count(2)
    box.press("ArrowDown")
    expect(options.first).to_have_attribute("aria-selected", "true")
    expect(box).to_have_attribute("aria-activedescendant", re.compile("suggest-"))
    chosen = options.first.locator("span").inner_text()
    box.press("Enter")
    expect(page.get_by_role("heading", name=chosen)).to_be_visible()

    page.keyboard.press("/")
    page.get_by_role("combobox").fill(firm.credit_code)
    expect(page.get_by_role("option")).to_have_count(1)
    page.get_by_role("button", name="查找").click()
    page.wait_for_url("**/console/search/?q=*")  # the dialogue has the same heading
    expect(page.get_by_role("heading", name="查找")).to_be_visible()
    page.get_by_role("main").get_by_role("link", name="青岛银行").click()
    expect(page.get_by_role("heading", name="青岛银行")).to_be_visible()

    page.keyboard.press("?")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("row", name=re.compile("g u 驻区单位"))).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()

    page.keyboard.press("g")
    page.keyboard.press("u")
    page.wait_for_url("**/console/orgs/units/")
    page.get_by_role("searchbox").first.focus()
    page.keyboard.press("/")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.get_by_role("searchbox").first.blur()

    page.keyboard.press("?")
    page.get_by_role("button", name="关闭快捷键").click()
    page.wait_for_url("**/console/orgs/units/")
    page.keyboard.press("/")
    page.keyboard.press("g")
    page.keyboard.press("h")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert page.url.endswith("/console/orgs/units/")


@pytest.mark.parametrize("width", [360, 1366])
def test_a_press_reaches_its_button_though_the_matches_go(signed_in, width):
    """The matches close when the box is left, which pressing the button does."""
    place = small_city()
    for n in range(6):
        unit(place.community, f"青岛银行{n}")
    page = signed_in(person(Role.COMMUNITY_WORKER, place.community))
    page.set_viewport_size({"width": width, "height": 640})
    page.locator(".bar-search").click()
    page.get_by_role("combobox").fill("青岛银行")
    expect(page.get_by_role("option")).to_have_count(6)
    button = page.get_by_role("button", name="查找")
    before = button.bounding_box()
    button.hover()
    page.mouse.down()
    expect(page.get_by_role("option").first).to_be_visible()
    assert button.bounding_box() == before
    page.mouse.up()
    page.wait_for_url("**/console/search/?q=*")


def test_a_dialogue_closes_by_a_press_beside_it_alone(signed_in):
    page = signed_in(person(Role.COMMUNITY_WORKER, small_city().community))
    page.keyboard.press("/")
    dialog, box = page.get_by_role("dialog"), page.get_by_role("combobox")
    box.fill("太平角")
    box.hover()
    page.mouse.down()  # the words are marked, and the mouse is let go beside the dialogue
    page.mouse.move(4, 4)
    page.mouse.up()
    expect(dialog).to_be_visible()
    dialog.click(position={"x": 4, "y": 4})  # its edge
    expect(dialog).to_be_visible()
    expect(box).to_have_value("太平角")
    page.mouse.click(4, 4)
    expect(dialog).to_be_hidden()


def test_the_dialogue_over_the_page_of_results_has_a_box_of_its_own(signed_in):
    page = signed_in(person(Role.COMMUNITY_WORKER, small_city().community))
    page.goto("/console/search/?q=海信")
    page.locator(".bar-search").click()
    expect(page.get_by_role("dialog").get_by_label("查找区划")).to_be_focused()
    assert page.locator("#search-q").count() == 1


def test_one_follows_a_matter_and_hears_of_its_next_step(signed_in):
    place = small_city()
    item = services.item(place.community, state=ItemState.PENDING, title="楼道照明")
    officer = person(Role.STREET_OFFICER, place.street)
    page = signed_in(officer)
    page.goto(item.get_absolute_url())
    button = page.get_by_role("button", name="关注")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="已关注")).to_have_attribute("aria-pressed", "true")
    assert Watch.objects.filter(user=officer).count() == 1
    transit(item, "return", by=services.worker(place.community), reason="请补充时段")
    assert Notification.objects.filter(user=officer, kind="watch").count() == 1
    page.keyboard.press("g")
    page.keyboard.press("i")
    page.get_by_role("link", name=re.compile("退回：需求“楼道照明”")).click()
    expect(page.get_by_role("heading", name=re.compile("楼道照明"))).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("s")
    expect(page.get_by_role("main").get_by_role("link", name="需求“楼道照明”")).to_be_visible()


def test_words_outlive_their_session_and_a_crash(signed_in):
    place = small_city()
    officer = person(Role.STREET_OFFICER, place.street)
    page = signed_in(officer)
    page.goto(ADD)
    page.get_by_label("单位名称").fill("海信中学")
    until(page, Draft.objects.exists)

    crashed = signed_in(officer)  # another browser altogether
    crashed.goto(ADD)
    expect(crashed.get_by_text("还没有提交的内容")).to_be_visible()
    expect(crashed.get_by_label("单位名称")).to_have_value("海信中学")

    end_all_sessions()
    crashed.get_by_label("联络员").fill("王联络")
    expect(crashed.get_by_text("登录已失效。填写的内容已保留")).to_be_visible()
    crashed.get_by_label("统一社会信用代码").fill(credit_code(5))
    crashed.get_by_role("button", name="保存").click()
    expect(crashed.get_by_text("填写的内容已保留，登录后会带回")).to_be_visible()
    sign_in_again(crashed, officer)
    crashed.wait_for_url(f"**{ADD}")
    expect(crashed.get_by_label("联络员")).to_have_value("王联络")
    expect(crashed.get_by_label("统一社会信用代码")).to_have_value(credit_code(5))
    crashed.get_by_label("单位类别").select_option("school")
    crashed.get_by_label("所在地").fill(place.community.code)
    crashed.get_by_role("button", name="保存").click()
    expect(crashed.get_by_role("heading", name="海信中学")).to_be_visible()
    assert Unit.objects.get().contact_name == "王联络"
    assert not Draft.objects.exists()


def test_without_script_a_late_submission_loses_nothing_to_anybody(browser, live_server):
    place = small_city()
    officer, other = (person(Role.STREET_OFFICER, place.street) for _ in range(2))
    for user in (officer, other):
        user.set_password(PASSWORD)
        user.save()
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    page.goto(ADD)
    sign_in_again(page, officer)
    page.get_by_label("单位名称").fill("海信中学")
    end_all_sessions()
    page.get_by_role("button", name="保存").click()
    sign_in_again(page, other)
    expect(page.get_by_label("单位名称")).to_have_value("")
    end_all_sessions()
    page.goto(ADD)
    sign_in_again(page, officer)
    expect(page.get_by_label("单位名称")).to_have_value("海信中学")
    page.get_by_role("button", name="放弃这些内容").click()
    expect(page.get_by_label("单位名称")).to_have_value("")
    context.close()


def test_a_code_is_checked_while_one_fills_in_the_form(signed_in):
    place = small_city()
    taken = unit(place.community, "青岛银行")
    page = signed_in(person(Role.STREET_OFFICER, place.street))
    page.goto(ADD)
    page.get_by_label("统一社会信用代码").fill(taken.credit_code)
    expect(page.get_by_role("status").get_by_text("已登记为“青岛银行”")).to_be_visible()
    page.get_by_label("统一社会信用代码").fill(credit_code(77))
    expect(page.get_by_role("status").get_by_text("代码有效，可以使用")).to_be_visible()
