"""The journeys of staff without a mouse. That Tab reaches every control is held for all pages in
`test_console_axe`; here each control does its work when it has the focus."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, expect

from core.models import Job
from core.periods import last_finished
from services.models import Claim, Item
from tests.factories import reports
from tests.factories.accounts import person
from tests.factories.orgs import small_city, unit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def press(found: Locator, key: str = "Enter") -> None:
    """The key on a control that can have the focus."""
    found.focus()
    expect(found).to_be_focused()
    found.page.keyboard.press(key)


def test_a_need_is_published_and_claimed_without_a_mouse(signed_in):
    place = small_city()
    firm = unit(place.community, "海晟物业公司")
    worker = signed_in(person("community_worker", place.community))
    press(worker.get_by_role("link", name="发布需求、资源或服务"))
    press(worker.get_by_label("需求", exact=True), "Space")
    for label, words in (("名称", "楼道照明维修"), ("内容", "六号楼楼道灯不亮，需要检修。")):
        worker.get_by_label(label, exact=label == "名称").focus()
        worker.keyboard.type(words)
    press(worker.get_by_role("button", name="保存"))
    expect(worker.get_by_role("main")).to_contain_text("已发布")
    assert Item.objects.get().state == "published"

    liaison = signed_in(person("unit_liaison", firm))
    press(liaison.get_by_role("main").get_by_role("link", name="认领事项"))
    press(liaison.get_by_role("row", name="楼道照明维修").get_by_role("link", name="认领"))
    press(liaison.get_by_role("button", name="确认认领"))
    expect(liaison.get_by_role("heading", name=re.compile("海晟物业公司认领"))).to_be_visible()
    assert Claim.objects.get().unit == firm


def test_the_assessment_is_handed_in_without_a_mouse(signed_in):
    place = small_city()
    reports.run(place.city, last_finished())
    page = signed_in(person("org_department", place.district))
    press(page.get_by_role("link", name="评估结果"))
    press(page.get_by_role("link", name="导出考核汇总表"))
    press(page.get_by_role("button", name="开始导出"))
    expect(page.get_by_role("progressbar")).to_be_visible()
    assert Job.objects.filter(kind="core.export").count() == 1
