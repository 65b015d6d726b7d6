"""The one search box: what it finds, in which order, and that nothing shows from out of sight."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.enums import Role
from core import console, search
from orgs.actions.tree import retire_area
from services.enums import ItemState
from services.models import Item
from tests.core.browsing import htmx, signed_in, text
from tests.factories import services
from tests.factories.accounts import person
from tests.factories.orgs import small_city, unit

pytestmark = pytest.mark.django_db


@pytest.fixture
def place():
    return small_city()


@pytest.fixture
def worker(place):
    return person(Role.COMMUNITY_WORKER, place.community)


def found(user, words: str) -> list[tuple[str, str]]:
    return [(hit.kind, hit.title) for group in search.find(words, user) for hit in group.hits]


@pytest.mark.parametrize("words", ["海信物业", "hxwy", "haixinwu", "  物业 "])
def test_a_unit_is_found_by_name_initials_and_pinyin(place, worker, words):
    unit(place.community, "海信物业公司")
    assert found(worker, words) == [("驻区单位", "海信物业公司")]


def test_a_unit_is_found_by_its_credit_code_the_code_itself_first(place, worker):
    first, second = (unit(place.community, name) for name in ("甲公司", "乙公司"))
    assert found(worker, second.credit_code.lower()) == [("驻区单位", "乙公司")]
    start = first.credit_code[:4]
    assert {title for _, title in found(worker, start)} == {"甲公司", "乙公司"}


def test_an_area_is_found_by_name_initials_and_code(place, worker):
    for words in ("111社区", "111sq", place.community.code):
        assert ("区划", place.community.name) in found(worker, words)
    officer = person(Role.STREET_OFFICER, place.street)
    assert found(officer, place.community.code)[0] == ("区划", place.community.name)


@pytest.mark.parametrize("words", ["理发", "axlf", "爱心"])
def test_an_item_is_found_by_title_and_initials(place, worker, words):
    services.item(place.community, title="爱心理发")
    assert found(worker, words) == [("清单事项", "需求“爱心理发”")]


def test_an_item_is_found_by_its_number_before_what_mentions_it(place, worker):
    meant = services.item(place.community, title="楼道照明")
    for serial in range(search.ROWS):
        services.item(place.community, title=f"续办{meant.number}第{serial}件")
    assert found(worker, meant.number)[0] == ("清单事项", "需求“楼道照明”")
    assert len(found(worker, meant.number)) == search.ROWS


def test_a_ticket_is_found_by_its_number_and_its_words_are_not_shown(place, worker):
    ticket, _ = services.ticket(place.community)
    assert found(worker, ticket.number.lower()) == [("居民诉求", str(ticket))]
    page = text(signed_in(worker).get("/console/search/", {"q": ticket.number}))
    assert ticket.content not in page


def test_nothing_from_out_of_sight_shows_or_is_counted(place, worker):
    unit(place.other_community, "海信物业公司")
    services.item(place.sibling_community, state=ItemState.DRAFT, title="海信的需求")
    ticket, _ = services.ticket(place.sibling_community)
    for words in ("海信", "hx", ticket.number, place.other_community.code):
        page = signed_in(worker).get("/console/search/", {"q": words})
        assert "没有找到" in text(page)
        assert "更多" not in text(page)
    for number in range(search.ROWS):
        unit(place.community, f"青岛{number}公司")
        unit(place.other_community, f"青岛{number}公司")
    assert "更多" not in text(signed_in(worker).get("/console/search/", {"q": "青岛"}))
    unit(place.community, "青岛银行")
    assert "还有更多，请写得更完整" in text(
        signed_in(worker).get("/console/search/", {"q": "青岛"})
    )


def test_a_liaison_finds_their_unit_and_what_is_published_but_no_tickets(place):
    firm = unit(place.community, "青岛银行")
    services.item(place.community, title="青岛老街修缮")
    ticket, _ = services.ticket(place.community)
    liaison = person(Role.UNIT_LIAISON, firm)
    assert found(liaison, "青岛") == [("驻区单位", "青岛银行"), ("清单事项", "需求“青岛老街修缮”")]
    assert found(liaison, ticket.number) == []


def test_a_place_struck_off_is_not_offered(place):
    user = person(Role.ORG_DEPARTMENT, place.city)
    assert found(user, place.grid.code)
    retire_area(area=place.grid, by=None, reason="并格")
    assert found(user, place.grid.code) == []


def test_wildcards_and_blanks_find_nothing_by_themselves(place, worker):
    unit(place.community, "青岛银行")
    for words in ("", "   ", "%", "_", "%%"):
        assert found(worker, words) == []


def test_the_box_opens_as_a_dialogue_and_answers_with_options_that_lead_there(place, worker):
    firm = unit(place.community, "青岛银行")
    client = signed_in(worker)
    part = client.get("/console/search/", **htmx("dialog")).content.decode()
    assert part.strip().startswith('<div class="dialog-head">')
    address = f"/console/search/options/?q=青岛&area={place.community.pk}"
    options = client.get(address).content.decode()
    assert f'data-href="/console/orgs/units/{firm.pk}/?area={place.community.pk}"' in options
    assert options.count('role="option"') == 1
    none = client.get("/console/search/options/?q=没有的").content.decode()
    assert 'aria-disabled="true"' in none
    bare = signed_in(worker).get("/console/").content.decode()
    assert 'data-key="/"' in bare


def test_a_search_asks_once_for_each_kind(place, worker):
    client = signed_in(worker)
    client.get("/console/search/options/", {"q": "青岛"})

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get("/console/search/options/", {"q": "青岛"})
        return len(captured)

    none = queries()
    for number in range(8):
        unit(place.community, f"青岛{number}公司")
        services.item(place.community, title=f"青岛{number}事项")
    kinds = len(console.SEARCHABLE)
    expected = kinds + 2 + (0 if settings.REDIS_URL else 1)  # the user and the grants beside
    assert (none, queries()) == (expected, expected)


def test_old_items_are_spelled_by_the_migration(place, worker):
    from importlib import import_module

    from django.apps import apps

    services.item(place.community, title="爱心理发")
    Item.objects.update(initials="")
    import_module("services.migrations.0002_item_initials").spell(apps, None)
    assert found(worker, "axlf") == [("清单事项", "需求“爱心理发”")]


# -- the keys


def test_the_keys_are_those_of_the_pages_that_one_may_open(place, worker):
    client = signed_in(worker)
    shown = text(client.get("/console/keys/", **htmx("dialog", at="/console/orgs/units/")))
    assert re.search(r"/ 查找 .*\? 显示快捷键 .*g h 工作台", shown)
    assert re.search(r"g u 驻区单位", shown)
    assert "账号" not in shown
    page = client.get("/console/").content.decode()
    for pressed in re.findall(r"g ([a-z]) ", shown):
        assert page.count(f'data-key="g {pressed}"') == 1
    assert "g t 居民诉求" not in text(
        signed_in(person(Role.UNIT_LIAISON, unit(place.community))).get("/console/keys/")
    )


def test_no_two_lines_of_the_menu_share_a_key():
    with pytest.raises(ValueError, match="'u'"):
        console.menu("又一", "orgs:units", key="u")


def test_single_keys_can_be_switched_off(place, worker):
    client = signed_in(worker)
    back = client.post("/console/keys/", {"keys": "off", "next": "/console/orgs/units/"})
    assert back["Location"] == "/console/orgs/units/"
    assert 'data-keys="off"' in client.get("/console/").content.decode()
    assert "单键快捷键已关闭" in text(client.get("/console/keys/"))
    client.post("/console/keys/", {"keys": "on", "next": "https://evil.example/"})
    assert 'data-keys="on"' in client.get("/console/").content.decode()
