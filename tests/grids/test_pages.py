"""The pages of the grids, as a community worker goes through them."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from core.views.forms import VERSION, print_of
from grids.models import GridPost, GridProfile
from orgs.actions.tree import create_area, retire_area
from tests.core.browsing import signed_in
from tests.factories.accounts import person
from tests.factories.grids import grid_profile
from tests.factories.orgs import small_city

pytestmark = pytest.mark.django_db

LIST = "/console/grids/grids/"


@pytest.fixture
def place():
    return small_city()


@pytest.fixture
def worker(place):
    return person("community_worker", place.community)


@pytest.fixture
def client(worker) -> Client:
    return signed_in(worker)


@pytest.fixture
def record(place):
    return GridProfile.objects.get(area=place.grid)


@pytest.fixture
def post(place):
    return GridPost.objects.filter(area=place.grid).order_by("kind__order").first()


def text(response) -> str:
    return response.content.decode()


def do(client, post, step, **data):
    return client.post(reverse("grids:post-transit", args=[post.pk, step]), data)


def count(client, record, **data):
    data = {VERSION: print_of(GridProfile.objects.get(pk=record.pk)), **data}
    return client.post(reverse("grids:grid-count", args=[record.pk]), data)


def test_a_new_grid_waits_to_be_counted_and_staffed(client, place, record, post):
    bench = text(client.get("/console/"))
    assert "网格未统计" in bench
    assert f'href="{record.get_absolute_url()}"' in bench
    assert "111社区第一网格空缺 5 个岗位" in bench
    assert ">111社区第一网格<" in bench  # of those that are not counted
    shown = text(client.get(LIST))
    assert "未统计" in shown
    shown = text(client.get(record.get_absolute_url()))
    assert "户数和党员数还没有统计" in shown
    assert shown.count("登记任职</a>") == 5

    today = timezone.localdate().isoformat()
    form = text(client.get(reverse("grids:grid-count", args=[record.pk])))
    assert f'value="{today}"' in form
    done = count(client, record, households="620", members="40", counted_on=today)
    assert done.headers["Location"] == record.get_absolute_url()
    shown = text(client.get(record.get_absolute_url()))
    assert "户数620户，高于标准上限500户。" in shown
    assert "更新数量" in shown  # in the timeline too, in words
    assert "网格未统计" not in text(client.get("/console/"))

    done = do(client, post, "appoint", holder="李玉兰", organisation="", since=today)
    assert done.headers["Location"] == record.get_absolute_url()
    shown = text(client.get(record.get_absolute_url()))
    assert shown.count("登记任职</a>") == 4
    assert shown.count("空出岗位</a>") == 1
    assert do(client, post, "vacate", reason="调离").status_code == 302
    shown = text(client.get(record.get_absolute_url()))
    assert "任职经过" in shown
    assert "调离" in shown


def test_what_is_wrong_stays_in_the_form_with_a_sentence(client, record, post):
    answer = count(client, record, households="", members="四十", counted_on="2999-01-01")
    assert answer.status_code == 422
    said = text(answer)
    assert "请填写户数。" in said
    assert 'value="四十"' in said
    answer = count(client, record, households="100000", members="40", counted_on="2999-01-01")
    assert answer.status_code == 422
    assert "99999" in text(answer)
    answer = count(client, record, households="400", members="40", counted_on="2999-01-01")
    assert (answer.status_code, "日期不能晚于今天" in text(answer)) == (422, True)
    assert 'value="400"' in text(answer)
    assert not GridProfile.objects.get(pk=record.pk).is_counted

    answer = do(client, post, "appoint", holder="李玉兰", organisation="街道办", since="2999-01-01")
    assert (answer.status_code, "任职日期不能晚于今天" in text(answer)) == (422, True)
    assert 'value="街道办"' in text(answer)


def test_the_second_of_two_is_told_and_keeps_what_was_typed(client, worker, record, post):
    stale = print_of(record)
    grid_profile(record.area, 380, 38, by=worker)
    today = timezone.localdate().isoformat()
    answer = client.post(
        reverse("grids:grid-count", args=[record.pk]),
        {VERSION: stale, "households": "410", "members": "41", "counted_on": today},
    )
    assert (answer.status_code, 'value="410"' in text(answer)) == (409, True)
    assert GridProfile.objects.get(pk=record.pk).households == 380
    do(client, post, "appoint", holder="李玉兰", since=today)
    answer = do(client, post, "appoint", holder="王建国", since=today)
    assert (answer.status_code, 'value="王建国"' in text(answer)) == (409, True)
    assert GridPost.objects.get(pk=post.pk).holder == "李玉兰"


def test_a_grid_that_was_struck_off_is_shown_as_such_and_offers_nothing(client, place, worker):
    area = create_area(
        kind="grid",
        code=f"{place.community.code}002",
        name="旧网格",
        parent=place.community,
        by=None,
    )
    record = grid_profile(area, 310, 31)
    retire_area(area=area, successor=place.grid, by=worker)
    page = text(client.get(record.get_absolute_url()))
    assert "并入“第一网格”" in page
    assert "登记任职</a>" not in page
    assert reverse("grids:grid-count", args=[record.pk]) not in page
    today = timezone.localdate().isoformat()
    answer = count(client, record, households="1", members="1", counted_on=today)
    assert (answer.status_code, "撤销，不能再登记数量" in text(answer)) == (422, True)
    post = GridPost.objects.filter(area=area).first()
    answer = client.get(reverse("grids:post-transit", args=[post.pk, "appoint"]))
    assert "撤销，不能再登记任职" in text(answer)
    shown = text(client.get(LIST))
    assert "旧网格" in shown
    assert "已撤销" in shown
    assert "高于标准" not in shown
    assert "旧网格" not in text(client.get(f"{LIST}?state=active"))
    # It waits for nobody.
    bench = text(client.get("/console/"))
    assert "旧网格" not in bench


def test_who_looks_only_has_no_buttons_and_who_is_outside_no_page(place, record, post):
    looker = signed_in(person("grid_worker", place.grid))
    page = text(looker.get(record.get_absolute_url()))
    assert "登记任职</a>" not in page
    assert "更新数量</a>" not in page
    assert "导入数量" not in text(looker.get(LIST))
    assert count(looker, record, households="1").status_code == 403
    assert do(looker, post, "appoint", holder="李").status_code == 403
    stranger = signed_in(person("community_worker", place.other_community))
    assert stranger.get(record.get_absolute_url()).status_code == 404
    assert do(stranger, post, "appoint", holder="李").status_code == 404


def test_the_workbench_asks_as_often_for_many_vacancies_as_for_few(place, client):
    def cost():
        with CaptureQueriesContext(connection) as captured:
            client.get("/console/")
        return len(captured)

    few = cost()
    for number in range(2, 8):
        code = f"{place.community.code}{number:03d}"
        create_area(kind="grid", code=code, name="新", parent=place.community, by=None)
    assert cost() == few
