"""Lists and details: reach, place, filters, sort, totals, queries."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from core import console
from core.pagination import PAGE_SIZE
from core.tables import Column, Table
from orgs.models import Unit
from tests.core.browsing import htmx, signed_in, text
from tests.core.pages import UnitFilter
from tests.factories.accounts import person
from tests.factories.orgs import small_city, unit

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.core.pages")]
UNITS = "/console/orgs/units/"


@pytest.fixture
def place():
    return small_city()


@pytest.fixture
def officer(place):
    return person("street_officer", place.street)


@pytest.fixture
def client(officer):
    return signed_in(officer)


def names(response) -> list[str]:
    return re.findall(r'data-label="单位名称"><a [^>]*>([^<]*)</a>', response.content.decode())


def test_a_page_without_sign_in_leads_there_and_back(place):
    response = Client().get(f"{UNITS}?kind=school")
    assert response.status_code == 302
    assert response["Location"].startswith("/console/sign-in/?next=/console/orgs/units/%3Fkind")


def test_a_fragment_without_sign_in_sends_the_whole_page_there(place):
    response = Client().get(f"{UNITS}?q=x", **htmx("list", at=f"{UNITS}?kind=school"))
    assert response["HX-Redirect"].startswith("/console/sign-in/?next=/console/orgs/units/%3Fkind")
    assert response.content == b""


def test_who_has_no_right_anywhere_is_forbidden_the_list(place):
    response = signed_in(person("grid_worker", place.grid)).get(UNITS)
    assert response.status_code == 403
    assert "没有权限" in text(response)
    assert "安全管理员授权" in text(response)


def test_the_list_shows_what_lies_in_reach_and_nothing_else(client, place):
    unit(place.community, "本街道中学")
    unit(place.other_community, "外区医院")
    response = client.get(UNITS)
    assert names(response) == ["本街道中学"]
    assert "共 1 条" in text(response)


def test_an_empty_list_names_the_next_step_and_offers_it(client):
    shown = text(client.get(UNITS))
    assert "这里还没有记录" in shown
    assert "请先登记单位。 登记单位" in shown


def test_an_action_is_offered_to_those_who_may(place):
    liaison = person("unit_liaison", unit(place.community))
    assert "登记单位" not in text(signed_in(liaison).get(UNITS))


def test_the_list_follows_the_place_and_the_place_travels_on(client, place):
    near, far = unit(place.community, "本社区"), unit(place.sibling_community, "邻社区")
    assert set(names(client.get(UNITS))) == {"本社区", "邻社区"}
    response = client.get(f"{UNITS}?area={place.sibling_community.pk}")
    assert names(response) == ["邻社区"]
    page = response.content.decode()
    assert f'href="{far.get_absolute_url()}?area={place.sibling_community.pk}"' in page
    assert f'href="{near.get_absolute_url()}' not in page
    assert f'/console/?area={place.sibling_community.pk}"' in page  # the menu
    by_code = client.get(f"{UNITS}?area={place.sibling_community.code}")
    assert names(by_code) == ["邻社区"]


@pytest.mark.parametrize("key", ["999999", "abc", "-1", "9" * 40, "１２"])
def test_a_place_that_is_not_there_or_out_of_sight_is_404(client, place, key):
    assert client.get(f"{UNITS}?area={key}").status_code == 404
    assert client.get(f"{UNITS}?area={place.other_community.pk}").status_code == 404


def test_filters_narrow_and_show_as_chips_that_can_be_taken_away(client, place):
    unit(place.community, "一中", kind="school")
    unit(place.community, "二中", kind="school")
    unit(place.community, "一院", kind="hospital")
    response = client.get(f"{UNITS}?kind=school&q=一")
    assert names(response) == ["一中"]
    assert "单位类别：学校" in text(response)
    page = response.content.decode()
    assert 'href="?kind=school" aria-label="去掉条件 搜索：一"' in page
    assert 'href="?q=%E4%B8%80" aria-label="去掉条件 单位类别：学校"' in page


def test_nothing_found_offers_to_clear_the_filters(client, place):
    unit(place.community, "一中")
    shown = text(client.get(f"{UNITS}?q=不存在"))
    assert "没有符合条件的记录" in shown
    assert "清除全部条件" in shown


@pytest.mark.parametrize(
    "query",
    ["kind=nonsense", "created_at_after=2026-13-45", "q=" + "长" * 90, "sort=secret", "sort=-"],
)
def test_a_wrong_filter_or_sort_breaks_nothing(client, place, query):
    unit(place.community, "一中")
    assert client.get(f"{UNITS}?{query}").status_code == 200


def test_a_range_of_days_takes_in_both_ends(client, place):
    mine = unit(place.community, "一中")
    today = timezone.localdate(mine.created_at)
    span = f"created_at_after={today}&created_at_before={today}"
    assert names(client.get(f"{UNITS}?{span}")) == ["一中"]
    yesterday = today - timedelta(days=3)
    assert names(client.get(f"{UNITS}?created_at_before={yesterday}")) == []


def test_the_schema_of_the_api_leaves_the_filters_of_the_lists_their_names(client, place):
    """drf-spectacular asks the class's own filters for their fields, and they keep what they made."""
    kind = UnitFilter.base_filters["kind"]
    assert kind.field.label is None, "it no longer does: the guard in core/filters.py can go"
    page = text(client.get(UNITS))
    assert "单位类别" in page
    assert "全部" in page


def test_only_declared_columns_sort_and_the_head_says_how(client, place):
    for name in "乙甲丙":
        unit(place.community, name)
    assert names(client.get(f"{UNITS}?sort=name")) == sorted("甲乙丙")
    down = client.get(f"{UNITS}?sort=-name")
    assert names(down) == sorted("甲乙丙", reverse=True)
    assert 'aria-sort="descending"' in down.content.decode()
    assert names(client.get(f"{UNITS}?sort=credit_code")) == ["丙", "甲", "乙"]  # newest first


def test_pages_lead_through_all_rows_and_back(client, place):
    for n in range(2 * PAGE_SIZE + 3):
        unit(place.community, f"单位{n:03}")
    seen, address, pages = [], "?sort=name", []
    while address:
        response = client.get(UNITS + address)
        pages.append(names(response))
        seen += pages[-1]
        found = re.search(r'href="([^"]*after=[^"]*)"', response.content.decode())
        address = found[1].replace("&amp;", "&") if found else None
    assert seen == [f"单位{n:03}" for n in range(2 * PAGE_SIZE + 3)]
    assert "共 103 条，本页 3 条" in text(response)
    back = re.search(r'href="([^"]*before=[^"]*)"', response.content.decode())[1]
    assert names(client.get(UNITS + back.replace("&amp;", "&"))) == pages[1]


@pytest.mark.parametrize(
    "cursor", ["", "x", "W10", "bnVsbA", "WyItcGsiLG51bGxd", "é", "AAAA" * 500]
)
def test_a_mangled_cursor_shows_the_first_page(client, place, cursor):
    unit(place.community, "一中")
    assert names(client.get(f"{UNITS}?after={cursor}")) == ["一中"]


@pytest.mark.parametrize("rows", [1, 3, 50])
def test_a_list_costs_the_same_queries_however_many_rows(
    client, place, rows, django_assert_max_num_queries, monkeypatch
):
    monkeypatch.setattr(console, "TOPBAR", [])  # each number there is a query of its own
    for _ in range(rows):
        unit(place.community)
    client.get(UNITS)
    # session (unless Redis has it), user, grants, saved views, count, rows
    with django_assert_max_num_queries(6):
        client.get(UNITS)


def test_htmx_gets_the_list_alone_from_the_same_address(client, place):
    unit(place.community, "一中")
    whole, part = client.get(UNITS), client.get(UNITS, **htmx("list"))
    fragment, news = part.content.decode().strip().split("</section>")
    assert fragment.startswith('<section id="list"')
    assert fragment in whole.content.decode()
    # What stands outside of the list and changes with it comes along, by its id.
    assert {"filters-kept", "filters-number", "id_kind", "page-actions"} == set(
        re.findall(r' id="([^"]*)"', news)
    )
    assert news.count('hx-swap-oob="true"') == 4
    assert {"HX-Request", "HX-Target"} <= set(whole["Vary"].split(", "))
    back = client.get(UNITS, **htmx("list"), HTTP_HX_HISTORY_RESTORE_REQUEST="true")
    assert "<!doctype html>" in back.content.decode()


def test_names_are_shown_as_they_are_and_never_run(client, place):
    evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
    mine = unit(place.community, evil, contact_name="<b>x</b>", party_org="{{ 7*7 }}")
    for address in (UNITS, f"{UNITS}?q={evil}", f"{UNITS}{mine.pk}/", f"{UNITS}{mine.pk}/edit/"):
        page = client.get(address).content.decode()
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "<b>x</b>" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_an_object_out_of_reach_and_one_that_is_not_there_answer_alike(client, place):
    foreign = unit(place.other_community)
    answers = [client.get(f"{UNITS}{pk}/") for pk in (foreign.pk, 10**9, 10**30)]
    assert [a.status_code for a in answers] == [404, 404, 404]
    shown = {re.sub(r"请求编号：\S+", "", text(a)) for a in answers}
    assert len(shown) == 1
    assert "没有找到" in shown.pop()


def test_the_detail_shows_facts_history_and_what_can_be_done(client, place):
    mine = unit(place.community, "本街道中学", kind="school")
    client.post(
        f"{UNITS}{mine.pk}/edit/",
        {
            "name": "本街道第一中学",
            "kind": "school",
            "credit_code": mine.credit_code,
            "area": f"{place.community.name} {place.community.code}",
            "contact_name": "李四",
            "_version": _version(client, mine),
        },
    )
    shown = text(client.get(f"{UNITS}{mine.pk}/"))
    assert "本街道第一中学" in shown
    assert "单位类别 学校" in shown
    assert "修改" in shown
    assert "本街道中学 本街道第一中学" in shown  # the timeline: before and after
    assert "王联络 李四" in shown


def _version(client, obj: Unit) -> str:
    page = client.get(f"{UNITS}{obj.pk}/edit/").content.decode()
    return re.search(r'name="_version" value="([^"]*)"', page)[1]


class Term(Table):
    columns = (Column("left_on", "时限", due=True, ended=lambda unit: unit.state == "left"),)


def test_nobody_is_late_with_what_has_ended(place):
    past = timezone.localdate() - timedelta(days=9)
    rows = [unit(place.community), unit(place.community, state="left")]
    for row in rows:
        row.left_on = past
    running, ended = Term.bind(Unit, rows).rows
    assert "已逾期 9 天" in running
    assert f'<td class="is-due" data-label="时限"><span class="due">{past}</span></td>' in ended
