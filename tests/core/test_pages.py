"""What holds on every page: the content policy, the shell, the error pages, the place chooser."""

import re
from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.test import Client, RequestFactory
from django.urls import path

from accounts.models import Grant
from config import urls as project
from core import console, places
from core.views import errors
from orgs.actions.tree import create_area, retire_area
from orgs.models import Unit
from tests.core import pages
from tests.core.browsing import htmx, signed_in, text
from tests.factories.accounts import person
from tests.factories.orgs import small_city, unit
from tests.markup import faults


def _raise(error):
    def view(request):
        raise error

    return view


urlpatterns = [
    *pages.urlpatterns,
    path("console/bad/", _raise(SuspiciousOperation("x"))),
    path("console/denied/", _raise(PermissionDenied("x"))),
    path("console/failed/", _raise(RuntimeError("x"))),
    path("failed/", _raise(RuntimeError("x"))),
]
handler400, handler403 = project.handler400, project.handler403
handler404, handler500 = project.handler404, project.handler500

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.core.test_pages")]
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


def hygiene(response) -> None:
    assert faults(response) == []


def test_every_kind_of_page_keeps_to_the_policy(client, place):
    mine = unit(place.community, "甲")
    for address in (
        "/console/",
        f"/console/?area={place.street.pk}",
        UNITS,
        f"{UNITS}?kind=school&q=x",
        f"{UNITS}add/",
        f"{UNITS}{mine.pk}/",
        f"{UNITS}{mine.pk}/edit/",
        f"/console/places/?open={place.community.pk}",
        "/console/places/?q=社区",
    ):
        response = client.get(address)
        assert response.status_code == 200
        hygiene(response)
    hygiene(client.post(f"{UNITS}add/", {"name": ""}))


@pytest.mark.parametrize(
    ("address", "status", "said"),
    [
        ("/console/bad/", 400, "请返回上一页重新操作"),
        ("/console/denied/", 403, "请联系本单位的安全管理员授权"),
        ("/console/nowhere/", 404, "请核对链接"),
        ("/console/failed/", 500, "这次操作没有保存"),
        ("/nowhere/", 404, "回到首页"),
        ("/failed/", 500, "回到首页"),
    ],
)
def test_error_pages_say_what_to_do_next_on_both_faces(client, address, status, said):
    client.raise_request_exception = False
    response = client.get(address)
    assert response.status_code == status
    assert said in text(response)
    hygiene(response)


def test_the_page_for_a_failure_asks_the_database_nothing(officer, django_assert_num_queries):
    request = RequestFactory().get("/console/")
    with django_assert_num_queries(0):
        assert errors.failed(request).status_code == 500


def test_an_expired_form_says_so(client):
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies
    response = strict.post(f"{UNITS}add/", {"name": "x"})
    assert response.status_code == 403
    assert "页面已过期" in text(response)
    hygiene(response)


# -- the shell


@pytest.fixture
def hooks(monkeypatch):
    """An empty shell to hang things into."""
    for name in ("MENU", "WAITING", "TOPBAR"):
        monkeypatch.setattr(console, name, [])


def test_the_menu_shows_what_one_may_in_its_groups(client, hooks):
    console.menu("驻区单位", "orgs:units", perm="units.view", order=2, group="基础")
    console.menu("账号", "console:places", perm="accounts.manage", order=1)
    page = client.get(UNITS).content.decode()
    menu = re.search(r'<nav id="menu".*?</nav>', page, re.DOTALL)[0]
    assert "账号" not in menu
    assert re.search(r'href="/console/orgs/units/" aria-current="page"', menu)
    assert "基础" in menu


def test_the_workbench_lists_what_waits_by_deadline_across_kinds(client, place, hooks):
    late, soon, open_ = (unit(place.community, n) for n in ("迟", "近", "无期"))
    today = date.today()  # noqa: DTZ011  (the reader's own day)
    days = {late.pk: today - timedelta(days=2), soon.pk: today}

    class Dated(list):
        def order_by(self, *names):
            return self

    def rows(*units):
        def found(user):
            for u in units:
                u.due = days.get(u.pk)
            return Dated(units)

        return found

    console.waiting("待审", perm="units.view", rows=rows(soon, late), due="due")
    console.waiting("待补", perm="units.edit", rows=rows(open_))
    console.waiting("不相干", perm="accounts.manage", rows=rows(open_))
    shown = text(client.get("/console/"))
    assert re.search(
        r"全部 待审 2 待补 1 迟 待审 已逾期 2 天 .* 近 待审 今天到期 .* 无期 待补", shown
    )
    assert "不相干" not in shown
    only = text(client.get("/console/?kind=1"))
    assert "无期" in only
    assert "已逾期" not in only


def test_the_workbench_follows_the_place(client, place, hooks):
    unit(place.community, "本社区")
    unit(place.sibling_community, "邻社区")
    console.waiting("待核", perm="units.view", rows=Unit.objects.visible_to, due="created_at")
    shown = text(client.get(f"/console/?area={place.sibling_community.pk}"))
    assert "邻社区" in shown
    assert "本社区" not in shown


def test_an_empty_workbench_says_so(client, hooks):
    assert "现在没有等您办理的事项" in text(client.get("/console/"))


def test_the_top_bar_shows_numbers(client, hooks):
    console.topbar("收件箱", "console:home", icon="bell", count=lambda user: 120)
    page = client.get("/console/").content.decode()
    assert 'aria-label="收件箱，120 条"' in page
    assert "99+" in page


def test_light_and_dark_are_kept_in_a_cookie_and_lead_back(client):
    response = client.post("/console/theme/", {"theme": "dark", "next": UNITS})
    assert response["Location"] == UNITS
    assert '<html lang="zh-Hans" data-theme="dark">' in client.get(UNITS).content.decode()
    client.post("/console/theme/", {"theme": "", "next": UNITS})
    assert "data-theme" not in client.get(UNITS).content.decode()
    away = client.post("/console/theme/", {"theme": "light", "next": "https://evil.example/"})
    assert away["Location"] == "/"
    client.cookies["theme"] = '"><script>'
    assert "data-theme" not in client.get(UNITS).content.decode()


# -- the place chooser


def choose(client, **params):
    return client.get("/console/places/", params)


def test_the_chooser_starts_at_ones_own_place_and_opens_node_by_node(client, place):
    page = text(choose(client, next=UNITS))
    assert "11号街道" in page
    assert "111社区居委会" not in page
    opened = choose(client, next=f"{UNITS}?kind=school&after=abc", open=place.community.pk)
    assert "第一网格" in text(opened)
    assert f'href="{UNITS}?area={place.community.pk}&amp;kind=school"' in opened.content.decode()
    branch = client.get(
        "/console/places/",
        {"next": UNITS, "open": place.community.pk},
        **htmx(f"branch-{place.community.pk}"),
    )
    assert text(branch).startswith("第一网格")


@pytest.mark.parametrize("written", ["112", "112sq", "sq", "社区", "379901001002", " 112社区 "])
def test_the_chooser_finds_by_name_pinyin_and_code_within_reach(client, place, written):
    found = text(choose(client, next=UNITS, q=written))
    if written != "sq":  # initials are matched from the start of the name
        assert "112社区居委会" in found
    assert "211社区居委会" not in found


def test_the_chooser_leads_nowhere_else(client, place):
    for evil in ("https://evil.example/", "//evil.example", "javascript:alert(1)", ""):
        page = choose(client, next=evil, open=place.street.pk).content.decode()
        assert "evil" not in re.sub(r'name="next" value="[^"]*"', "", page)
        assert f'href="/console/?area={place.community.pk}"' in page


def test_the_chooser_in_the_dialogue_returns_to_the_page_below(client, place):
    address = f"{UNITS}?kind=school"
    part = client.get("/console/places/", {"open": place.street.pk}, **htmx("dialog", at=address))
    assert part.content.decode().strip().startswith('<div class="dialog-head">')
    assert f'href="{UNITS}?area={place.community.pk}&amp;kind=school"' in part.content.decode()


def test_a_node_out_of_sight_does_not_open(client, place):
    assert choose(client, open=place.other_street.pk).status_code == 404
    assert choose(client, open="x").status_code == 404


def test_suggestions_are_options_of_the_kinds_asked_for(client, place):
    ask = {"q": "11", "kinds": "community", "perm": "units.edit"}
    page = client.get("/console/places/options/", ask).content.decode()
    assert 'data-value="111社区居委会 379901001001"' in page
    assert 'data-value="11号街道' not in page
    anywhere = client.get("/console/places/options/", {"q": "211", "anywhere": 1})
    assert "211社区居委会" in text(anywhere)
    assert text(client.get("/console/places/options/", {"q": ""})) == ""


# -- the places chosen last


def recents(client) -> list[str]:
    page = choose(client, next=UNITS).content.decode()
    block = re.search(r'aria-labelledby="recent">(.*?)</ul>', page, re.DOTALL)
    return re.findall(r'">([^<]*)</a>', block[1]) if block else []


def test_the_chooser_offers_the_places_chosen_last(client, place):
    assert recents(client) == []
    for node in (place.community, place.sibling_community, place.community, place.grid):
        assert client.get(f"{UNITS}?area={node.pk}").status_code == 200
    assert recents(client) == ["第一网格", "111社区居委会", "112社区居委会"]
    page = choose(client, next=f"{UNITS}?kind=school").content.decode()
    assert f'href="{UNITS}?area={place.grid.pk}&amp;kind=school">第一网格' in page
    client.get(f"{UNITS}?area={place.street.pk}")
    assert "11号街道" not in recents(client), "the tree starts there anyway"


def test_recent_places_are_one_persons_and_only_those_still_in_reach(client, officer, place):
    client.get(f"{UNITS}?area={place.community.pk}")
    client.get(f"{UNITS}?area={place.grid.pk}")
    cookie = client.cookies["places"]
    assert cookie["httponly"]
    other = signed_in(person("street_officer", place.street))
    other.cookies["places"] = cookie.value
    assert recents(other) == []
    retire_area(area=place.grid, by=None, reason="并入")
    assert recents(client) == ["111社区居委会"]
    Grant.objects.filter(user=officer).update(area=place.other_street)
    assert recents(client) == []
    client.cookies["places"] = "forged.5:x:y"
    assert recents(client) == []


def test_no_more_places_are_kept_than_one_reads_at_a_glance(client, place):
    nodes = [
        create_area(
            kind="grid",
            code=f"{place.community.code}{n}",
            name=f"格{n}",
            parent=place.community,
            by=None,
        )
        for n in range(101, 101 + places.RECENT + 2)
    ]
    for node in nodes:
        client.get(f"{UNITS}?area={node.pk}")
    assert recents(client) == [f"格{n}" for n in range(100 + places.RECENT + 2, 102, -1)]
