"""The walk of `make screenshots` through both faces: what is photographed, by whom, how wide.

Each picture is named after what it shows; `-phone` is 360 pixels wide, `-dark` dark. The first
screen is taken and not the whole page: what a person sees before scrolling is what is judged.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

DESK = {"width": 1280, "height": 720}
PHONE = {"width": 360, "height": 740}


class Camera:
    """Opens the trial for each person in turn and photographs what they see."""

    def __init__(self, browser: Browser, address: str, passwords: dict[str, str], to: Path) -> None:
        self._browser, self._address, self._passwords, self._to = browser, address, passwords, to
        self._pages: dict[str, Page] = {}

    def at(self, who: str, path: str = "") -> Page:
        """The window of this person (`""`: a resident), at `path` when one is named."""
        if who not in self._pages:
            self._pages[who] = self._enter(who)
        page = self._pages[who]
        if path:
            page.goto(path)
        return page

    def _enter(self, who: str) -> Page:
        context = self._browser.new_context(
            base_url=self._address,
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            viewport=DESK if who else PHONE,
            reduced_motion="reduce",
        )
        page = context.new_page()
        if who:
            page.goto("/console/")
            page.get_by_label("登录名").fill(who)
            page.get_by_label("密码", exact=True).fill(self._passwords[who])
            page.get_by_role("button", name="登录").click()
            page.wait_for_url("**/console/")
        return page

    def take(self, page: Page, name: str) -> None:
        """As it stands."""
        page.screenshot(path=self._to / f"{name}.png")

    def also(self, page: Page, name: str, *, phone: bool = False, dark: bool = False) -> None:
        """The same on a desk and, as asked, on a phone and in the dark."""
        self.take(page, name)
        if dark:
            page.emulate_media(color_scheme="dark")
            self.take(page, f"{name}-dark")
            page.emulate_media(color_scheme="light")
        if phone:
            page.set_viewport_size(PHONE)
            page.evaluate("scrollTo(0, 0)")
            self.take(page, f"{name}-phone")
            page.set_viewport_size(DESK)


def walk(camera: Camera) -> None:
    for stage in STAGES:
        stage(camera)


def workbench(camera: Camera) -> None:
    camera.also(camera.at("community", "/console/"), "console", phone=True, dark=True)


def lists(camera: Camera) -> None:
    page = camera.at("street", "/console/services/items/")
    camera.also(page, "list", phone=True)
    camera.take(camera.at("street", "/console/services/items/?q=没有这样的事项"), "list-empty")
    page = camera.at("street", "/console/services/items/?kind=need&state=closed&sort=due_on")
    camera.also(page, "list-filtered", dark=True)
    page = camera.at("street", "/console/services/items/?state=pending")
    page.get_by_label("全选本页").check()
    camera.also(page, "list-bulk", phone=True)
    page.get_by_role("button", name="批量发布").click()
    page.wait_for_url("**/do/publish/**")
    camera.take(page, "bulk-look")


def search(camera: Camera) -> None:
    page = camera.at("street", "/console/")
    page.keyboard.press("/")
    page.get_by_role("combobox").fill("社区")
    expect(page.get_by_role("option").first).to_be_visible()
    camera.also(page, "search", phone=True)


def charts(camera: Camera) -> None:
    page = camera.at("org", "/console/reports/overview/")
    expect(page.locator(".chart-picture svg").first).to_be_visible()
    camera.also(page, "overview", phone=True, dark=True)


def details(camera: Camera) -> None:
    page = camera.at("street", "/console/services/claims/?state=submitted")
    page.locator("table td a").first.click()
    page.wait_for_load_state()
    camera.also(page, "detail", phone=True)


def forms(camera: Camera) -> None:
    page = camera.at("community", "/console/services/items/add/")
    page.get_by_role("button", name="保存").click()
    expect(page.locator(".errors")).to_be_focused()
    camera.also(page, "form-errors", phone=True)


def dialogues(camera: Camera) -> None:
    page = camera.at("community", "/console/components/")
    page.get_by_role("link", name="退回", exact=True).click()
    expect(page.get_by_role("dialog").get_by_label("理由")).to_be_visible()
    camera.take(page, "dialogue")
    page = camera.at("street", "/console/")
    page.locator(".bar-place").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    camera.take(page, "places")


def components(camera: Camera) -> None:
    page = camera.at("community", "/console/components/")
    camera.also(page, "components", dark=True)


def imports(camera: Camera) -> None:
    """A register of units with two right rows and one that cannot be right."""
    page = camera.at("street", "/console/orgs/units/import/")
    titles = page.locator("td[data-label=列名]").all_inner_texts()
    shown = page.locator("td[data-label=示例]").all_inner_texts()
    example = dict(zip(titles, shown, strict=True))
    rows = [
        example,
        {**example, "统一社会信用代码": "12370200427400037X"},
        {"单位名称": "八大关小学"},
    ]
    text = io.StringIO()
    writer = csv.DictWriter(text, titles)
    writer.writeheader()
    writer.writerows(rows)
    file = {
        "name": "八大关街道单位名册.csv",
        "mimeType": "text/csv",
        "buffer": text.getvalue().encode(),
    }
    page.get_by_label("要导入的表格").set_input_files(file)
    page.get_by_role("button", name="上传并检查").click()
    expect(page.get_by_text(re.compile("不能导入，没有写入|检查通过|没有可以导入"))).to_be_visible(
        timeout=60_000
    )
    camera.take(page, "import-check")


def reviews(camera: Camera) -> None:
    page = camera.at("org", "/console/reports/reviews/")
    page.locator("table td a").first.click()
    page.wait_for_load_state()
    camera.take(page, "review")
    page = camera.at("org", "/console/reports/runs/")
    page.locator("table td a").first.click()
    page.wait_for_load_state()
    camera.take(page, "run")


def locked(camera: Camera) -> None:
    """A result that the street reported and the department approved: nobody changes it any more."""
    page = camera.at("street", "/console/reports/reviews/?level=community")
    page.locator("table td a").first.click()
    page.wait_for_load_state()
    address = page.url
    for who, step in (("street", "上报"), ("org", "审定")):
        page = camera.at(who, address)
        page.get_by_role("link", name=step, exact=True).click()
        page.get_by_role("button", name=f"确认{step}").click()
        expect(page.get_by_role("dialog")).to_be_hidden()
    camera.take(camera.at("street", address), "locked")


def large(camera: Camera) -> None:
    """A list of more rows than anybody counts, at its third page."""
    page = camera.at("org", "/console/grids/grids/")
    for _ in range(2):
        here = page.url
        page.get_by_role("link", name="下一页").click()
        expect(page).not_to_have_url(here)
    page.reload()  # its address alone shows the same page, from its head
    expect(page.locator("#list tbody tr").first).to_be_visible()
    camera.also(page, "list-10000", phone=True)


def exports(camera: Camera) -> None:
    page = camera.at("org", "/console/services/items/")
    page.get_by_role("link", name="导出本列表").click()
    page.wait_for_load_state()
    camera.take(page, "export")
    page.get_by_role("button", name="开始导出").click()
    page.wait_for_url("**/jobs/**")
    camera.take(page, "job")


def portal(camera: Camera) -> None:
    """A resident on a phone: choose, look, ask, follow."""
    page = camera.at("", "/choose/")
    page.get_by_label("社区名称或拼音").fill("yunxiaolu")
    page.get_by_role("button", name="查找").click()
    camera.take(page, "portal-choose")
    page.locator("main li a").first.click()
    page.wait_for_load_state()
    page.goto("/")
    camera.take(page, "portal-home")
    page.get_by_role("link", name="长辈版").click()
    page.wait_for_load_state()
    camera.take(page, "portal-elder")
    page.get_by_role("link", name="标准版").click()
    page.wait_for_load_state()
    page.goto(page.get_by_role("search").get_attribute("action"))  # all of the community
    camera.take(page, "portal")
    page.locator("a[href^='/item/']").first.click()
    page.wait_for_load_state()
    camera.take(page, "portal-item")


def need(camera: Camera) -> None:
    page = camera.at("", "/need/")
    page.get_by_label("便民服务").check()
    camera.take(page, "portal-need")
    page.get_by_role("button", name="下一步").click()
    page.get_by_role("textbox").fill("家中老人腿脚不便，希望每月上门理发一次，周末都可以。")
    page.get_by_role("button", name="下一步").click()
    page.get_by_role("button", name="下一步").click()
    camera.take(page, "portal-check")
    page.get_by_role("button", name="提交").click()
    number, secret = page.locator(".p-done dd").all_inner_texts()
    page.goto("/track/")
    page.get_by_label("单号").fill(number)
    page.get_by_label("查询码").fill(secret)
    camera.take(page, "portal-track")
    page.get_by_role("button", name="查看").click()
    page.wait_for_load_state()
    camera.take(page, "portal-ticket")


STAGES: tuple[Callable[[Camera], None], ...] = (
    *(workbench, lists, search, details, forms, dialogues, components, imports, reviews, locked),
    *(charts, exports, portal, need),
)
