"""What a resident can do without an account, as the browser without scripts does it."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import time

import pytest
from django.core.cache import cache
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from core.transitions import transit
from portal import offers, throttle
from portal.places import COOKIE, search_communities
from services.enums import PATH, ClaimState, ItemKind, TicketState
from services.models import Item, Rating, Ticket
from tests.factories import services
from tests.factories.accounts import person
from tests.factories.orgs import unit
from tests.portal.steps import fill_in, number_and_secret, submit

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("text", ["111", "111sq", "111社区", "11号街道"])
def test_a_community_is_found_by_name_pinyin_or_street(place, text):
    assert place.community in search_communities(text)


def test_nothing_is_found_for_nothing(place):
    assert search_communities("  ") == []
    assert search_communities("没有这个地方") == []


def test_the_choice_is_remembered_and_a_retired_choice_is_asked_again(at_home, place):
    assert at_home.cookies[COOKIE].value == place.community.code
    assert "111社区" in at_home.get("/").content.decode()
    at_home.cookies[COOKIE] = "999999999999"
    assert "您住在哪个社区" in at_home.get("/").content.decode()
    at_home.cookies[COOKIE] = "'; drop"
    assert at_home.get("/").status_code == 200


def test_a_look_at_another_community_keeps_ones_own(at_home, place):
    other = reverse("portal:community", args=[place.other_community.code])
    at_home.get(other)
    assert at_home.cookies[COOKIE].value == place.community.code
    del at_home.cookies[COOKIE]
    at_home.get(other)
    assert at_home.cookies[COOKIE].value == place.other_community.code, "the first is one's own"


def test_only_what_is_published_in_the_community_is_shown(at_home, place):
    shown = services.item(place.community, title="义务理发")
    draft = services.item(place.community, title="内部草稿", state="draft")
    services.item(place.other_community, title="别处的事")
    page = at_home.get(reverse("portal:community", args=[place.community.code])).content.decode()
    assert "义务理发" in page
    assert "内部草稿" not in page
    assert "别处的事" not in page
    assert at_home.get(reverse("portal:item", args=[shown.number])).status_code == 200
    for number in (draft.number, "no-such-number"):
        assert at_home.get(reverse("portal:item", args=[number])).status_code == 404


def test_filters_and_words_narrow_the_list(at_home, place):
    services.item(place.community, title="义务理发", topic="daily", kind="service")
    services.item(place.community, title="血压检测", topic="health", kind="service")
    address = reverse("portal:community", args=[place.community.code])
    found = at_home.get(address, {"topic": "health"}).content.decode()
    assert "血压检测" in found
    assert "义务理发" not in found
    assert "义务理发" in at_home.get(address, {"q": "理发"}).content.decode()
    assert "没有找到合适的" in at_home.get(address, {"q": "游泳"}).content.decode()
    assert at_home.get(address, {"topic": "<x>", "kind": "'"}).status_code == 200


def test_names_are_text_and_never_markup(at_home, place):
    services.item(place.community, title="<script>alert(1)</script>")
    page = at_home.get(reverse("portal:community", args=[place.community.code])).content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_a_need_is_submitted_followed_and_rated(at_home, place):
    page = submit(at_home, phone="13800001234")
    number, secret = number_and_secret(page)
    ticket = Ticket.objects.get(number=number)
    assert (ticket.community, ticket.topic) == (place.community, "daily")
    shown = at_home.post(
        reverse("portal:track"), {"number": number, "secret": secret.lower()}, follow=True
    ).content.decode()
    assert "已收到" in shown
    assert "13800001234" not in shown
    need = services.adopted(ticket)
    services.claim(need, unit(place.community), state=ClaimState.ACCEPTED)
    shown = at_home.get(reverse("portal:ticket")).content.decode()
    assert "已办完，请您评价" in shown
    assert at_home.post(reverse("portal:rate"), {"grade": ""}).status_code == 400
    answer = at_home.post(reverse("portal:rate"), {"grade": "5", "comment": "谢谢"})
    assert answer.status_code == 302
    assert Rating.objects.get().grade == "5"
    assert at_home.post(reverse("portal:rate"), {"grade": "1"}).status_code == 400
    assert Rating.objects.count() == 1


def test_whoever_gave_a_bad_rating_reads_what_becomes_of_it(at_home, place):
    page = submit(at_home, phone="13800001234")
    number, secret = number_and_secret(page)
    firm = unit(place.community)
    need = services.adopted(Ticket.objects.get(number=number))
    services.claim(need, firm, state=ClaimState.ACCEPTED)
    at_home.post(reverse("portal:track"), {"number": number, "secret": secret.lower()})

    def heading() -> str:
        shown = at_home.get(reverse("portal:ticket")).content.decode()
        return re.search(r"<h1>(.*?)</h1>", shown)[1]

    at_home.post(reverse("portal:rate"), {"grade": "1", "comment": "没有修好"})
    matter = Rating.objects.get().rectification
    by_when = f"{matter.due_on.month}月{matter.due_on.day}日"
    assert heading() == f"您的评价已收到，单位正在整改，{by_when}前有结果。"
    transit(matter, "report", by=services.liaison(firm), measure="已重新修好")
    assert heading() == "您的评价已收到，单位已经整改，社区正在回访。"
    transit(matter, "call_back", by=services.worker(place.community), callback="居民满意")
    assert heading() == "已办完，感谢您的评价。"


def test_a_bad_rating_of_one_share_does_not_hide_that_another_is_at_work(at_home, place):
    number, secret = number_and_secret(submit(at_home))
    need = services.adopted(Ticket.objects.get(number=number))
    Item.objects.filter(pk=need.pk).update(capacity=2)
    for state in (ClaimState.ACCEPTED, ClaimState.WORKING):
        services.claim(Item.objects.get(pk=need.pk), unit(place.community), state=state)
    at_home.post(reverse("portal:track"), {"number": number, "secret": secret.lower()})
    assert at_home.post(reverse("portal:rate"), {"grade": "1"}).status_code == 302
    assert "<h1>单位正在办理。</h1>" in at_home.get(reverse("portal:ticket")).content.decode()


def test_what_was_typed_stays_when_it_does_not_fit(at_home):
    step = reverse("portal:need-step", args=["content"])
    page = at_home.post(step, {"content": "修灯"})
    assert page.status_code == 400
    assert "修灯" in page.content.decode()
    assert "错误：" in page.content.decode()
    page = at_home.post(reverse("portal:need-step", args=["phone"]), {"phone": "12345"})
    assert "12345" in page.content.decode()


def test_an_id_number_is_refused_where_it_was_written(at_home):
    step = reverse("portal:need-step", args=["content"])
    page = at_home.post(step, {"content": "我的身份证号是370202199001011234，请帮忙办理。"})
    assert page.status_code == 400
    assert "平台不收集身份证号" in page.content.decode()
    assert "请帮忙办理" in page.content.decode()
    submit(at_home, content="我的身份证号是370202199001011234，请帮忙办理。")
    assert not Ticket.objects.exists()


def test_sending_twice_makes_one_ticket(at_home):
    submit(at_home)
    again = at_home.post(reverse("portal:need-check"), follow=True)
    assert Ticket.objects.count() == 1
    assert Ticket.objects.get().number in again.content.decode()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_fingers_on_the_button_make_one_ticket(at_home):
    fill_in(at_home)

    def sends(cookies) -> HttpResponse:
        client = Client()
        client.cookies.load({name: morsel.value for name, morsel in cookies.items()})
        try:
            return client.post(reverse("portal:need-check"), follow=True)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(sends, [at_home.cookies] * 8))
    number = Ticket.objects.get().number
    assert all(number in answer.content.decode() for answer in answers)


@contextmanager
def sessions_refused() -> Iterator[None]:
    """The database takes no session in, and everything else."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = 'disk_full'; END $$"
        )
        cursor.execute(
            "CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON django_session "
            "FOR EACH ROW EXECUTE FUNCTION refuse()"
        )
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION refuse CASCADE")


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_need_whose_number_cannot_be_shown_is_not_kept(at_home):
    fill_in(at_home)
    at_home.raise_request_exception = False
    with sessions_refused():
        assert at_home.post(reverse("portal:need-check")).status_code == 507
    assert not Ticket.objects.exists()
    done = at_home.post(reverse("portal:need-check"), follow=True)
    assert Ticket.objects.get().number in done.content.decode()


def test_without_a_community_the_form_asks_for_it_first(client, place):
    answer = client.get(reverse("portal:need"))
    assert answer.url == "/choose/?next=need"
    answer = client.get(
        reverse("portal:choose-community", args=[place.community.code]), {"next": "need"}
    )
    assert answer.url == reverse("portal:need")


def test_a_wrong_secret_and_an_unknown_number_are_answered_alike(at_home):
    number, _ = number_and_secret(submit(at_home))
    pages = [
        at_home.post(reverse("portal:track"), {"number": n, "secret": "WRONG234"})
        for n in (number, "2601-000000")
    ]
    told = [re.search(r"<ul>(.*?)</ul>", p.content.decode(), re.DOTALL)[1] for p in pages]
    assert told[0] == told[1]
    assert all(p.status_code == 400 for p in pages)


def test_a_declined_need_tells_its_reason(at_home, place):
    number, secret = number_and_secret(submit(at_home))
    ticket = Ticket.objects.get(number=number)
    services.returned(ticket, reason="请直接联系物业报修")
    assert Ticket.objects.get().state == TicketState.RETURNED
    page = at_home.post(
        reverse("portal:track"), {"number": number, "secret": secret}, follow=True
    ).content.decode()
    assert "请直接联系物业报修" in page


def test_one_address_cannot_flood_the_community(at_home):
    cache.clear()
    for _ in range(throttle.submissions.tries):
        assert "单号" in submit(at_home).content.decode()
    page = submit(at_home)
    assert page.status_code == 400
    assert "过多" in page.content.decode()
    assert Ticket.objects.count() == throttle.submissions.tries


def test_pages_carry_no_script_and_no_name_of_staff(at_home, place):
    worker = person("community_worker", place.community, name="张三丰")
    services.claim(
        services.item(place.community, by=worker), unit(place.community), state=ClaimState.ACCEPTED
    )
    number = Item.objects.get().number
    for address in ("/", f"/c/{place.community.code}/", f"/item/{number}/", "/track/", "/choose/"):
        page = at_home.get(address).content.decode()
        assert "<script" not in page
        assert "张三丰" not in page


def test_who_comes_from_an_offer_is_not_asked_what_it_is_about(at_home, place):
    offer = services.item(place.community, title="义务理发", topic="care", kind="service")
    answer = at_home.get(reverse("portal:need"), {"item": offer.number})
    content = reverse("portal:need-step", args=["content"])
    assert answer.url == content
    assert f"我想要“义务理发”（{offer.number}）。" in at_home.get(content).content.decode()
    at_home.post(content, {"content": "我想要“义务理发”，周末方便。"})
    at_home.post(reverse("portal:need-step", args=["phone"]), {"phone": ""})
    at_home.post(reverse("portal:need-check"))
    assert Ticket.objects.get().topic == "care"


def test_an_offer_that_is_not_public_fills_in_nothing(at_home, place):
    draft = services.item(place.community, title="内部草稿", state="draft")
    answer = at_home.get(reverse("portal:need"), {"item": draft.number})
    assert answer.url == reverse("portal:need-step", args=["topic"])
    page = at_home.get(reverse("portal:need-step", args=["content"])).content.decode()
    assert "内部草稿" not in page


def test_a_need_says_who_asks_and_how_far_it_is(at_home, place):
    open_need = services.item(place.community, kind="need")
    service = services.item(place.community, kind="service")
    done = services.item(place.community, kind="need")
    services.claim(done, unit(place.community), state=ClaimState.ACCEPTED)
    pages = [
        at_home.get(reverse("portal:item", args=[item.number])).content.decode()
        for item in (open_need, done, service)
    ]
    assert ["提出单位" in page for page in pages] == [True, True, False]
    assert ["待认领" in page for page in pages] == [True, False, False]
    assert ["已办结" in page for page in pages] == [False, True, False]


FAR = {
    "published": "待认领",  # an offer with places left
    **dict.fromkeys(("claimed", "contacting"), "已有人认领"),
    **dict.fromkeys(("working", "submitted"), "正在办理"),
    **dict.fromkeys(offers.ENDED, "已办结"),
}


@pytest.mark.parametrize("state", PATH)
@pytest.mark.parametrize("kind", ItemKind.values)
def test_an_item_is_shown_to_its_end(at_home, place, kind, state):
    """Its page and its row on the list, in each state that a claim brings it to; in words of the
    street, not of the office."""
    item = services.item(place.community, kind=kind)
    services.claim(item, unit(place.community), state=ClaimState(state))
    item.refresh_from_db()
    said = FAR[item.state]
    list_ = reverse("portal:community", args=[place.community.code])
    for address in (reverse("portal:item", args=[item.number]), list_):
        page = at_home.get(address)
        assert page.status_code == 200
        shown = page.content.decode()
        assert said in shown or kind != ItemKind.NEED
        assert not any(word in shown for word in ("对接中", "实施中", "待验收", "已销号"))


@pytest.mark.parametrize("phone", ["138 0000-1234", "0532-88881234", "88881234"])
def test_a_phone_is_taken_as_people_write_it(at_home, phone):
    submit(at_home, phone=phone)
    assert Ticket.objects.get().phone == phone.replace("138 0000-1234", "13800001234")


def test_a_service_page_says_whether_it_is_open_and_whom_to_call(at_home, place):
    offer = services.item(
        place.community,
        kind="service",
        weekdays="1234567",
        opens_at=time(0),
        closes_at=time(23, 59),
        contact="党群服务中心 0532-88881234",
    )
    page = at_home.get(reverse("portal:item", args=[offer.number])).content.decode()
    assert "现在开放中，到 23:59" in page
    assert 'href="tel:053288881234"' in page
