"""A full portal to walk through: the longest names there are, every page in every state."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time
from types import SimpleNamespace

from playwright.sync_api import Page

from orgs.actions.tree import rename_area
from services.enums import ClaimState
from services.models import Ticket
from tests.factories import services
from tests.factories.orgs import small_city, unit

LONG_PLACE = "青岛经济技术开发区长江路街道武夷山路第二生活区联合社区居委会"
LONG_UNIT = "青岛西海岸新区国际经济合作区综合行政执法与市场监督管理服务保障中心"
LONG_TITLE = "面向辖区七十岁以上独居老人和行动不便的残疾居民的每月一次上门理发助浴助洁与血压血糖检测综合便民服务（含节假日预约，第三季度）"
OPEN = {"weekdays": "1234567", "opens_at": time(0), "closes_at": time(23, 59)}


def full_city() -> SimpleNamespace:
    """A community with more offers than a page holds, with names as long as they may be; and one
    that has none (`.empty`)."""
    place = small_city()
    place.community = rename_area(area=place.community, name=LONG_PLACE, by=None)
    firm = unit(place.community, LONG_UNIT)
    place.offer = services.item(
        firm,
        kind="service",
        title=LONG_TITLE[:80],
        venue="长江路街道武夷山路第二生活区联合社区党群服务中心三楼东侧多功能厅",
        contact="联合社区党群服务中心前台 0532-88881234，工作日 8:30–17:00",
        content="https://example.invalid/" + "a" * 80 + "\n\n" + "按月上门。" * 60,
        capacity=5,
        **OPEN,
    )
    for number in range(24):
        services.item(place.community, kind="resource", title=f"活动室{number}", **OPEN)
    place.empty = place.other_community
    return place


def walk(page: Page, place: SimpleNamespace) -> Iterator[str]:
    """Every page of the portal, by name, with the page standing there; empty and wrong ones too."""
    code = place.community.code
    addresses = {
        "home": "/",
        "topics": "/topics/",
        "choose": "/choose/",
        "found": "/choose/?q=社区",
        "not found": "/choose/?q=没有这个地方",
        "list": f"/c/{code}/",
        "list of a topic": f"/c/{code}/?topic=other&q=活动室",
        "empty list": f"/c/{place.empty.code}/?q=没有",
        "service": f"/item/{place.offer.number}/",
        "topic": "/need/topic/",
        "track": "/track/",
        "no such page": "/no-such-page/",
    }
    for name, address in addresses.items():
        page.goto(address)
        yield name
    yield from need(page)
    yield from followed(page, place)


def need(page: Page) -> Iterator[str]:
    """The five pages of a need, and each of its refusals."""
    page.goto("/need/topic/")
    page.get_by_role("button", name="下一步").click()
    yield "topic refused"
    page.get_by_label("便民服务").check()
    page.get_by_role("button", name="下一步").click()
    page.get_by_role("textbox").fill("修灯")
    page.get_by_role("button", name="下一步").click()
    yield "content refused"
    page.get_by_role("textbox").fill("家中老人腿脚不便，希望上门理发。" * 20)
    page.get_by_role("button", name="下一步").click()
    page.get_by_role("textbox").fill("12345")
    page.get_by_role("button", name="下一步").click()
    yield "phone refused"
    page.get_by_role("textbox").fill("13812341234")
    page.get_by_role("button", name="下一步").click()
    yield "check"
    page.get_by_role("button", name="提交").click()
    yield "done"


def followed(page: Page, place: SimpleNamespace) -> Iterator[str]:
    """The ticket of `need` as it was received, as it waits for its rating, and rated."""
    number, secret = page.locator(".p-done dd").all_inner_texts()
    page.goto("/track/")
    page.get_by_role("button", name="查看").click()
    yield "track refused"
    page.get_by_label("单号").fill(number)
    page.get_by_label("查询码").fill(secret)
    page.get_by_role("button", name="查看").click()
    yield "received"
    matter = services.adopted(Ticket.objects.get(number=number))
    services.claim(matter, unit(place.community), state=ClaimState.ACCEPTED)
    page.reload()
    yield "to be rated"
    page.get_by_role("button", name="提交评价").click()
    yield "rating refused"
    page.get_by_label("满意", exact=True).check()
    page.get_by_role("button", name="提交评价").click()
    yield "rated"
