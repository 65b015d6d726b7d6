"""The three journeys that the platform is for, in a real browser, in as few steps as promised."""

from __future__ import annotations

import re

import pytest
from openpyxl import load_workbook
from playwright.sync_api import Page, expect

from core.models import Job
from core.periods import last_finished
from reports.models import Review
from services.enums import ClaimState
from services.models import Claim, Item, Ticket
from tests.factories import reports, services
from tests.factories.accounts import person
from tests.factories.orgs import small_city, unit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def take(page: Page, step: str, **fields: str) -> None:
    """Take a transition through its dialogue."""
    page.get_by_role("link", name=step, exact=True).click()
    dialog = page.get_by_role("dialog")
    for label, value in fields.items():
        dialog.get_by_label(label).fill(value)
    dialog.get_by_role("button", name=f"确认{step}").click()
    expect(dialog).to_be_hidden()


def done(page: Page, *, jobs: int) -> None:
    """Until so many jobs have ended well; the page polls meanwhile."""
    for _ in range(300):
        if Job.objects.filter(state="done").count() == jobs:
            return
        page.wait_for_timeout(200)
    pytest.fail(f"not done: {list(Job.objects.values('kind', 'state', 'error'))}")


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_a_resident_finds_asks_follows_and_rates(browser, live_server, scripts):
    place = small_city()
    services.item(place.community, kind="service", title="爱心理发", capacity=5)
    context = browser.new_context(
        base_url=live_server.url,
        java_script_enabled=scripts,
        viewport={"width": 360, "height": 740},
    )
    page = context.new_page()
    page.goto("/")
    page.get_by_label("社区名称或拼音").fill("111sq")
    page.get_by_role("button", name="查找").click()
    page.get_by_role("link", name=re.compile("111社区")).click()
    page.get_by_role("link", name="爱心理发").click()
    expect(page.get_by_role("heading", name="爱心理发")).to_be_visible()

    page.get_by_role("link", name="我需要这项帮助").click()
    expect(page.get_by_role("textbox")).to_have_value(re.compile("爱心理发"))
    page.get_by_role("textbox").fill("家中老人腿脚不便，希望上门理发。")
    page.get_by_role("button", name="下一步").click()
    page.get_by_role("button", name="下一步").click()
    expect(page.get_by_text("希望上门理发")).to_be_visible()
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_role("heading", name="已提交给111社区")).to_be_visible()
    number, secret = page.locator(".p-done dd").all_inner_texts()

    need = services.adopted(Ticket.objects.get(number=number))
    services.claim(need, unit(place.community), state=ClaimState.ACCEPTED)

    page.get_by_role("link", name="查看进展").click()
    page.get_by_label("单号").fill(number)
    page.get_by_label("查询码").fill(secret)
    page.get_by_role("button", name="查看").click()
    expect(page.get_by_role("heading", name="已办完，请您评价。")).to_be_visible()
    page.get_by_label("满意", exact=True).check()
    page.get_by_role("button", name="提交评价").click()
    expect(page.get_by_role("heading", name="已办完，感谢您的评价。")).to_be_visible()
    width = "document.documentElement.scrollWidth"
    if scripts:
        assert page.evaluate(width) <= 360
    context.close()


def test_a_community_and_a_unit_carry_a_need_to_its_end(signed_in):
    place = small_city()
    firm = unit(place.community, "海晟物业公司")
    worker = signed_in(person("community_worker", place.community))
    pages: list[str] = []
    worker.on("framenavigated", lambda frame: pages.append(frame.url))
    worker.get_by_role("link", name="发布需求、资源或服务").click()
    worker.get_by_label("需求", exact=True).check()
    worker.get_by_label("名称", exact=True).fill("楼道照明维修")
    worker.get_by_label("内容").fill("六号楼楼道灯不亮，需要检修。")
    worker.get_by_role("button", name=re.compile("保存|提交|发布")).click()
    expect(worker.get_by_role("heading", name=re.compile("楼道照明维修"))).to_be_visible()
    if Item.objects.get().state != "published":
        take(worker, "发布")
    item = Item.objects.get()
    assert item.state == "published"
    assert len(set(pages)) == 2, f"published from the workbench in two pages: {pages}"

    liaison = signed_in(person("unit_liaison", firm))
    liaison.get_by_role("main").get_by_role("link", name="认领事项").click()
    # Two clicks: the matter's own link in the list, and the confirmation.
    liaison.get_by_role("row", name="楼道照明维修").get_by_role("link", name="认领").click()
    liaison.get_by_role("button", name="确认认领").click()
    expect(liaison.get_by_role("main").get_by_text("海晟物业公司").first).to_be_visible()
    claim = Claim.objects.get()
    liaison.goto(claim.get_absolute_url())
    for step in ("登记对接", "开始实施"):
        take(liaison, step)
    take(liaison, "提请验收", 完成情况="已更换灯管六只。")

    worker.goto(claim.get_absolute_url())
    take(worker, "验收通过")
    worker.get_by_role("link", name="评价", exact=True).click()
    dialog = worker.get_by_role("dialog")
    dialog.get_by_label("非常满意").check()
    dialog.get_by_role("button", name="确认评价").click()
    expect(dialog).to_be_hidden()
    take(worker, "销号")
    assert Claim.objects.get().state == ClaimState.CLOSED
    assert Item.objects.get().state == "closed"


def test_the_organisation_department_reviews_and_hands_in_the_sheet(
    signed_in, celery_worker_process, tmp_path
):
    place = small_city()
    need = services.item(place.community)
    services.claim(need, unit(place.community), state=ClaimState.RATED)
    celery_worker_process()
    page = signed_in(person("org_department", place.city))
    page.goto("/console/reports/reviews/")
    page.get_by_role("link", name="发起评估").first.click()
    page.get_by_label("期间").select_option(reports.this_quarter().text)
    page.get_by_role("button", name="开始评估").click()
    page.get_by_role("link", name="查看后台任务的进度").click()
    done(page, jobs=1)
    page.goto(Review.objects.get(area=place.community).get_absolute_url())
    page.get_by_role("link", name=re.compile("查看记录.*需求发布数")).click()
    page.get_by_role("link", name=re.compile(need.title)).click()
    expect(page.get_by_role("heading", name=re.compile(need.title))).to_be_visible()

    page.goto("/console/reports/reviews/")
    page.get_by_role("link", name="导出考核汇总表").first.click()
    page.get_by_label(re.compile("统计期|期间|period", re.IGNORECASE)).select_option(
        reports.this_quarter().text
    )
    page.get_by_role("button", name="开始导出").click()
    done(page, jobs=2)
    page.reload()
    link = page.get_by_role("link", name=re.compile("下载")).first
    with page.expect_download() as download:
        link.click()
    path = tmp_path / "考核.xlsx"
    download.value.save_as(path)
    sheet = load_workbook(path).worksheets[0]
    cells = {str(c) for row in sheet.iter_rows(values_only=True) for c in row if c}
    assert {"东区", "西区", "总分", "名次"} <= cells


def test_an_officer_hands_in_the_assessment_of_the_district_in_three_clicks(signed_in):
    place = small_city()
    reports.run(place.city, last_finished())
    page = signed_in(person("org_department", place.district))
    page.get_by_role("link", name="评估结果").click()
    page.get_by_role("link", name="导出考核汇总表").click()
    page.get_by_role("button", name="开始导出").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.get_by_role("heading", name="导出考核汇总表")).to_be_visible()
