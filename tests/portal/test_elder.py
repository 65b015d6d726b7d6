"""长辈版: the switch on every page, and what it never does."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import reverse

from portal.elder import COOKIE
from tests.factories import services
from tests.factories.orgs import small_city
from tests.markup import faults
from tests.portal.steps import submit

pytestmark = pytest.mark.django_db

ON = {"on": "1"}


def pages(place) -> list[str]:
    number = services.item(place.community, kind="service").number
    return [
        "/",
        "/topics/",
        "/choose/",
        f"/c/{place.community.code}/?kind=service",
        f"/item/{number}/",
        "/need/topic/",
        "/track/",
        "/no-such-page/",
    ]


def link_in(page) -> str:
    """The address that the page's switch leads to."""
    text = page.content.decode()
    return text.split('class="top-switch" href="')[1].split('"')[0].replace("&amp;", "&")


def test_the_switch_on_every_page_leads_back_to_the_same_page(at_home, place):
    for address in pages(place):
        page = at_home.get(address)
        assert " data-elder" not in page.content.decode()
        answer = at_home.get(link_in(page))
        assert answer.url == address
        large = at_home.get(answer.url)
        assert '<html lang="zh-Hans" data-elder>' in large.content.decode()
        assert not faults(large)
        assert at_home.get(link_in(large)).url == address
        assert " data-elder" not in at_home.get(address).content.decode()


@pytest.mark.parametrize(
    "away",
    ["https://evil.example/", "//evil.example/", r"\\evil.example", "javascript:alert(1)", ""],
)
def test_it_never_leads_to_another_host(client, away):
    answer = client.get(reverse("portal:elder"), {"next": away, **ON})
    assert answer.url == "/"
    assert answer.cookies[COOKIE].value == "1"


def test_the_choice_lasts_a_year_and_can_be_taken_back(client):
    cookie = client.get(reverse("portal:elder"), ON).cookies[COOKIE]
    assert (cookie["max-age"], cookie["samesite"], cookie["httponly"]) == (
        365 * 24 * 3600,
        "Lax",
        True,
    )
    assert client.get(reverse("portal:elder"), {"on": "0"}).cookies[COOKIE].value == ""
    client.cookies[COOKIE] = '"><script>'
    assert "data-elder" not in client.get("/").content.decode()


def test_a_refused_form_is_met_again_and_not_a_page_that_takes_no_look(at_home):
    refused = at_home.post(reverse("portal:rate"), {"grade": ""}, follow=True)
    assert refused.redirect_chain[-1][0] == reverse("portal:track")
    page = at_home.post(reverse("portal:track"), {"number": "", "secret": ""})
    back = parse_qs(urlsplit(link_in(page)).query)["next"]
    assert back == [reverse("portal:track")]
    assert at_home.get(reverse("portal:rate"), follow=True).status_code == 200


def test_what_is_being_written_stands_in_the_other_version_too(at_home):
    step = reverse("portal:need-step", args=["content"])
    answer = at_home.post(step, {"content": "修", "elder": "1", "back": "check"})
    assert answer.url == f"{step}?back=check"
    page = at_home.get(answer.url).content.decode()
    assert "data-elder" in page
    assert ">\n修</textarea>" in page
    assert "错误" not in page, "it was not sent yet"
    assert 'name="elder" value="0"' in page
    submit(at_home)
    assert "修</textarea>" not in at_home.get(step).content.decode(), "and is gone once it is sent"


def test_there_is_less_on_a_page(at_home, place):
    for number in range(9):
        services.item(place.community, kind="service", title=f"服务{number}")
    address = f"/c/{place.community.code}/"
    home, listed = (at_home.get(a).content.decode() for a in ("/", address))
    at_home.cookies[COOKIE] = "1"
    large_home, large_listed = (at_home.get(a).content.decode() for a in ("/", address))
    assert (home.count("p-row-title"), large_home.count("p-row-title")) == (3, 2)
    assert (listed.count("p-row-title"), large_listed.count("p-row-title")) == (9, 8)
    assert "养老助残" in home
    assert "养老助残" not in large_home
    assert "养老助残" in at_home.get(reverse("portal:topics")).content.decode()


def test_without_a_community_there_is_no_way_back_to_a_home(client):
    small_city()
    client.cookies[COOKIE] = "1"
    assert "回首页" not in client.get("/").content.decode()


def test_topics_without_a_community_ask_for_it_first(client):
    small_city()
    assert client.get(reverse("portal:topics")).url == reverse("portal:choose")


def test_a_page_is_not_kept_for_another_browser(at_home, place):
    for address in ("/", "/choose/", f"/c/{place.community.code}/", "/topics/"):
        assert "Cookie" in at_home.get(address)["Vary"]
