"""Pages that are kept: the same for everybody who is given one, and never older than what they show."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.http import HttpResponse
from django.middleware.csrf import get_token
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import path, reverse

from config import urls as project
from core import cache as lost_caches
from core import workdays
from orgs.actions.tree import rename_area
from portal import kept, stamp
from services.models import Item
from tests.factories import services
from tests.factories.accounts import person
from tests.guards.project import routes
from tests.markup import faults

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def keeping(settings):
    settings.PORTAL_PAGES_KEPT_SECONDS = 60
    kept.PAGES.clear()
    yield
    kept.PAGES.clear()


@pytest.fixture
def committed(django_capture_on_commit_callbacks):
    """``with committed():`` what is written there is committed at its end."""

    def begun():
        connection.run_on_commit.clear()  # what the test's own transaction still waits for
        return django_capture_on_commit_callbacks(execute=True)

    return begun


@pytest.fixture
def service(place):
    return services.item(place.community, kind="service", title="义务理发")


def asked(client, address: str, **more) -> tuple[HttpResponse, int]:
    """The answer, and how many queries it took."""
    with CaptureQueriesContext(connection) as captured:
        return client.get(address, **more), len(captured)


def addresses(place, service) -> list[str]:
    return [
        "/",
        "/topics/",
        "/choose/",
        f"/choose/?in={place.district.code}",
        f"/c/{place.community.code}/",
        f"/c/{place.community.code}/?kind=service&topic=daily",
        f"/item/{service.number}/",
    ]


def test_who_asks_again_is_given_the_same_page_without_a_query(at_home, place, service):
    for address in addresses(place, service):
        first, _ = asked(at_home, address)
        again, queries = asked(at_home, address)
        assert queries == 0, address
        assert again.content == first.content
        assert dict(again.items()) == dict(first.items())
        assert not again.cookies
        assert "Cookie" in again["Vary"]
        assert again["Cache-Control"] == "private, no-cache"
        assert not faults(again)


def test_every_kept_view_has_its_addresses_known_and_no_form_is_kept(rf, place, service):
    marked = {r.name for r in routes() if getattr(r.callback, "kept", False)}
    assert marked == {
        "portal:home",
        "portal:topics",
        "portal:choose",
        "portal:community",
        "portal:item",
    }
    for address in addresses(place, service):
        assert kept.key_of(rf.get(address)), address
    for name in ("portal:need", "portal:need-check", "portal:need-done", "portal:track"):
        assert kept.key_of(rf.get(reverse(name))) is None
    for address in ("/console/", "/api/v1/items/", "/elder/?on=1&next=/", "/choose/370202000000/"):
        assert kept.key_of(rf.get(address)) is None
    assert kept.key_of(rf.post("/")) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda place, item: services.item(place.community, kind="service", title="新发布"),
        lambda place, item: Item.objects.filter(pk=item.pk).update(title="改名"),
        lambda place, item: Item.objects.bulk_update([item], ["claimed"]),
        lambda place, item: item.save(),
        lambda place, item: connection.cursor().execute(
            "UPDATE services_item SET title = %s WHERE id = %s", ["改名", item.pk]
        ),
        lambda place, item: rename_area(area=place.community, name="新名社区居委会", by=None),
        lambda place, item: workdays.set_override(
            day=item.created_at.date(), is_workday=False, note="停工", by=person("system_admin")
        ),
        lambda place, item: Item.objects.filter(pk=item.pk).delete(),
    ],
    ids=["action", "update", "bulk", "save", "sql", "area", "workday", "delete"],
)
def test_whatever_writes_what_is_shown_shows_at_once(at_home, place, service, committed, change):
    at_home.get("/")
    with committed():
        change(place, service)
    assert asked(at_home, "/")[1] > 0
    assert asked(at_home, "/")[1] == 0


def test_what_is_not_shown_changes_no_page(at_home, place, service, committed):
    at_home.get("/")
    with committed():
        person("community_worker", place.community)
        list(Item.objects.select_for_update().filter(pk=service.pk))
    assert asked(at_home, "/")[1] == 0


@pytest.mark.django_db(transaction=True)
def test_it_is_the_commit_that_changes_the_page(at_home, place):
    offer = services.item(place.community, kind="service", title="义务理发")
    assert "义务理发" in at_home.get("/").content.decode()
    with transaction.atomic():
        Item.objects.filter(pk=offer.pk).update(title="义诊")
        assert asked(at_home, "/")[1] == 0, "nobody else sees it yet"
    assert "义诊" in at_home.get("/").content.decode()
    with transaction.atomic():
        Item.objects.filter(pk=offer.pk).update(title="取消")
        transaction.set_rollback(True)
    assert asked(at_home, "/")[1] == 0


def test_each_version_theme_and_community_has_its_own(at_home, place, service):
    services.item(place.other_community, kind="service", title="别处的事")
    plain = at_home.get("/").content.decode()
    at_home.cookies["elder"] = "1"
    large = at_home.get("/").content.decode()
    del at_home.cookies["elder"]
    at_home.cookies["theme"] = "dark"
    dark = at_home.get("/").content.decode()
    del at_home.cookies["theme"]
    at_home.cookies["community"] = place.other_community.code
    other = at_home.get("/").content.decode()
    at_home.cookies["community"] = place.community.code
    assert (" data-elder" in plain, " data-elder" in large) == (False, True)
    assert ('data-theme="dark"' in plain, 'data-theme="dark"' in dark) == (False, True)
    assert ("别处的事" in plain, "别处的事" in other) == (False, True)
    assert at_home.get("/").content.decode() == plain
    assert at_home.get("/", headers={"host": "other.example"}).status_code == 200
    assert len(kept.PAGES._kept) == 5


def test_an_unknown_host_is_refused_as_ever(client, settings, place):
    settings.ALLOWED_HOSTS = ["testserver"]
    client.get("/")
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400


def test_who_has_a_session_is_neither_given_a_kept_page_nor_leaves_one(at_home, place, service):
    worker = Client()
    worker.force_login(person("community_worker", place.community))
    worker.cookies["community"] = place.community.code
    worker.get("/")
    assert not kept.PAGES._kept
    at_home.get("/")
    assert asked(worker, "/")[1] > 0
    assert "sessionid" not in at_home.get("/").cookies


def test_each_browser_has_a_token_of_its_own_in_the_forms(place, service):
    tokens = set()
    for _ in range(2):
        browser = Client(enforce_csrf_checks=True)
        browser.get(reverse("portal:choose-community", args=[place.community.code]))
        browser.get("/")
        page = browser.get(reverse("portal:need-step", args=["topic"])).content.decode()
        token = page.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
        tokens.add(token)
        sent = browser.post(
            reverse("portal:need-step", args=["topic"]),
            {"topic": "daily", "csrfmiddlewaretoken": token},
        )
        assert sent.status_code == 302
        assert asked(browser, "/")[1] > 0, "what waits in a session is not kept beside"
    assert len(tokens) == 2


def test_who_first_looks_in_on_a_community_is_remembered_from_a_kept_page_too(place, service):
    address = f"/c/{place.community.code}/"
    for _ in range(2):
        assert Client().get(address).cookies["community"].value == place.community.code
    away = Client()
    away.cookies["community"] = place.other_community.code
    assert not away.get(address).cookies, "and keeps their own"
    away.cookies["community"] = "379909999999"
    assert away.get(address).cookies["community"].value == place.community.code


def test_a_browser_that_has_the_page_is_told_so(at_home, place, service, committed):
    etag = at_home.get("/")["ETag"]
    for given in (etag, f"W/{etag}", f'"x", {etag}', "*"):  # nginx weakens it when it packs
        answer = at_home.get("/", headers={"if-none-match": given})
        assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", etag)
    with committed():
        Item.objects.filter(pk=service.pk).update(title="义诊")
    answer = at_home.get("/", headers={"if-none-match": etag})
    assert answer.status_code == 200
    assert answer["ETag"] != etag


@pytest.mark.parametrize(
    "query", ["?q=理发", "?after=x", "?kind=x", "?kind=service&utm=1", "?now=2", "?x", "?in=1' or"]
)
def test_what_anybody_may_invent_is_not_kept(at_home, place, service, query):
    for address in (f"/c/{place.community.code}/", "/choose/", "/"):
        at_home.get(address + query)
    assert not kept.PAGES._kept


def test_what_is_not_there_is_not_kept(client, place):
    for address in ("/item/none/", "/c/379909999999/", "/topics/"):
        assert client.get(address).status_code in (302, 404)
    assert not kept.PAGES._kept


def test_a_page_is_kept_for_so_long_and_there_are_no_more_than_so_many(monkeypatch):
    now = [0.0]
    pages = kept.Pages(clock=lambda: now[0])
    page = kept.Page(b"", {}, {}, '""')
    pages.keep(("a",), "1", page)
    now[0] = 59.9
    assert pages.get(("a",), "1") is page
    now[0] = 60.0
    assert pages.get(("a",), "1") is None
    monkeypatch.setattr(kept, "MOST", 2)
    for name in "abc":
        pages.keep((name,), "1", page)
    assert [bool(pages.get((name,), "1")) for name in "abc"] == [False, True, True]


def test_residents_and_writers_go_on_without_the_cache(
    at_home, place, settings, committed, monkeypatch
):
    monkeypatch.setattr(lost_caches._Pause, "until", 0.0)
    settings.CACHES = {
        "default": {
            "BACKEND": "core.cache.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
        }
    }
    with committed():
        services.item(place.community, kind="service", title="义务理发")
    assert "义务理发" in at_home.get("/").content.decode()
    assert not kept.PAGES._kept


def test_a_cache_that_lost_everything_gives_out_nothing_of_before(at_home, place, service):
    at_home.get("/")
    Item.objects.filter(pk=service.pk).update(title="改名")  # its commit is not heard of
    assert "义务理发" in at_home.get("/").content.decode(), "it is kept"
    cache.clear()
    assert "改名" in at_home.get("/").content.decode()


# Views that a careless hand has marked.


@kept.kept
def careless(request) -> HttpResponse:
    response = HttpResponse(f"{request.GET.get('now')}")
    CARELESS[request.COOKIES["case"]](request, response)
    return response


def _changed_meanwhile(request, response):
    stamp.change()


CARELESS = {
    "nothing": lambda request, response: None,
    "token": lambda request, response: get_token(request),
    "session": lambda request, response: request.session.__setitem__("x", 1),
    "nonce": lambda request, response: response.write(str(request.csp_nonce)),
    "cookie": lambda request, response: response.set_cookie("who", "me"),
    "language": lambda request, response: response.headers.__setitem__("Vary", "Accept-Language"),
    "fragment": lambda request, response: response.headers.__setitem__(
        "Vary", "Cookie, HX-Request"
    ),
    "failure": lambda request, response: setattr(response, "status_code", 500),
    "meanwhile": _changed_meanwhile,
}
urlpatterns = [path("topics/", careless), *project.urlpatterns]


@pytest.mark.urls("tests.portal.test_kept")
@pytest.mark.parametrize("case", CARELESS)
def test_a_page_of_somebodys_own_is_not_kept_though_it_is_marked(client, case):
    client.cookies["case"] = case
    client.get("/topics/")
    found = list(kept.PAGES._kept.values())
    if case in ("nothing", "meanwhile"):
        ((under, _, _),) = found
        assert (under == cache.get(stamp.KEY, "")) == (case == "nothing"), "kept as of before"
    else:
        assert found == []
