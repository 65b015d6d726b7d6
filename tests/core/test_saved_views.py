"""Views of lists that are kept: one's own and the office's, and never more than one may see."""

from __future__ import annotations

import re

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from core import saved_views
from core.errors import Refused
from core.models import AuditEvent, DefaultView, SavedView
from tests.core.browsing import signed_in, text
from tests.factories.accounts import person
from tests.factories.orgs import small_city, unit

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.core.pages")]
UNITS = "/console/orgs/units/"
VIEWS = "/console/lists/orgs:units/views/"


@pytest.fixture
def place():
    return small_city()


@pytest.fixture
def worker(place):
    return person("community_worker", place.community)


def keep(by, name="学校", query="kind=school", office=None, **more) -> SavedView:
    return saved_views.save_view(
        page="orgs:units", name=name, query=query, by=by, office=office, **more
    )


def submit(client, address: str, **data):
    """Fill in the form at `address`, as it is shown now."""
    version = re.search(r'name="_version" value="(\w+)"', client.get(address).content.decode())[1]
    return client.post(address, {**data, "_version": version})


def events() -> list[str]:
    return list(
        AuditEvent.objects.filter(object_type="core.savedview").values_list("action", flat=True)
    )


def test_a_view_keeps_filters_order_and_columns_but_neither_place_nor_page(worker, place):
    unit(place.community, kind="school")
    asked = f"?kind=school&sort=-name&cols=kind&area={place.community.pk}&after=x&evil=1&counts=1"
    client = signed_in(worker)
    saved = client.post(VIEWS + asked, {"name": "学校"})
    view = SavedView.objects.get()
    assert view.query == "kind=school&sort=-name&cols=name%2Ckind"
    assert saved["Location"] == (
        f"{UNITS}?area={place.community.pk}&view={view.pk}&kind=school&sort=-name&cols=name%2Ckind"
    )
    page = text(client.get(saved["Location"]))
    assert "视图：学校" in page
    assert "已改动" not in page
    changed = text(client.get(f"{UNITS}?view={view.pk}&kind=hospital"))
    assert "视图：学校（已改动）" in changed
    assert not events()  # one's own convenience


def test_a_private_view_is_its_owners_alone(worker, place):
    view = keep(worker, "我的学校")
    colleague = signed_in(person("community_worker", place.community))
    assert "我的学校" in text(signed_in(worker).get(VIEWS))
    assert "我的学校" not in text(colleague.get(VIEWS))
    assert "我的学校" not in text(colleague.get(f"{UNITS}?view={view.pk}"))
    for name in ("edit", "delete"):
        assert colleague.get(f"/console/views/{view.pk}/{name}/").status_code == 404
    for name in ("update", "default"):
        assert colleague.post(f"/console/views/{view.pk}/{name}/").status_code == 404


def test_a_shared_view_is_seen_by_those_who_reach_the_office(worker, place):
    view = keep(worker, "共享的", office=place.community)
    address = f'href="{UNITS}?view={view.pk}&amp;kind=school"'
    colleague = signed_in(person("community_worker", place.community))
    assert address in colleague.get(UNITS).content.decode()
    superior = signed_in(person("street_officer", place.street))
    # Of the many offices below the menu shows none; the page lists what one reaches.
    assert address not in superior.get(UNITS).content.decode()
    assert address in superior.get(VIEWS).content.decode()
    neighbour = signed_in(person("community_worker", place.sibling_community))
    assert address not in neighbour.get(VIEWS).content.decode()
    assert neighbour.get(f"/console/views/{view.pk}/edit/").status_code == 404


def test_a_shared_view_shows_each_reader_what_they_may_see(place):
    unit(place.community, "一中", kind="school")
    unit(place.sibling_community, "二中", kind="school")
    officer = person("street_officer", place.street)
    view = keep(officer, office=place.street)
    assert "二中" in text(signed_in(officer).get(view.get_absolute_url()))
    worker = signed_in(person("community_worker", place.community))
    page = text(worker.get(view.get_absolute_url()))
    assert "一中" in page
    assert "二中" not in page
    stranger = signed_in(person("grid_worker", place.grid))
    assert stranger.get(view.get_absolute_url()).status_code == 403


def test_a_unit_is_an_office_too(place):
    firm = unit(place.community)
    view = keep(person("unit_liaison", firm), "单位的", office=firm)
    colleague = signed_in(person("unit_liaison", firm))
    assert f"view={view.pk}&amp;" in colleague.get(UNITS).content.decode()


def test_one_shares_only_with_an_office_of_ones_own(worker, place):
    for office in (place.street, place.sibling_community, unit(place.community)):
        with pytest.raises(Refused, match="任职"):
            keep(worker, office=office)
    page = signed_in(worker).post(VIEWS, {"name": "甲", "office": f"area-{place.street.pk}"})
    assert page.status_code == 422
    assert not SavedView.objects.exists()


def test_what_is_shared_stands_on_the_audit_log(worker, place):
    view = keep(worker, office=place.community)
    colleague = person("community_worker", place.community)
    saved_views.change_view(view=view, name="全部学校", by=colleague)
    saved_views.delete_view(view=view, by=colleague)
    assert events() == ["core.savedview.create", "core.savedview.update", "core.savedview.delete"]


def test_nobody_changes_a_view_out_of_reach(worker, place):
    view = keep(worker)
    for deed in (saved_views.change_view, saved_views.delete_view, saved_views.set_default):
        with pytest.raises(PermissionDenied):
            deed(view=view, by=person("community_worker", place.community))


def test_names_are_unique_where_they_are_read(worker, place):
    keep(worker)
    with pytest.raises(Refused, match="已有名为"):
        keep(worker)
    keep(worker, office=place.community)
    with pytest.raises(Refused, match="已有名为"):
        keep(person("community_worker", place.community), office=place.community)
    keep(person("community_worker", place.community))


def test_a_person_keeps_so_many_and_no_more(worker, monkeypatch):
    monkeypatch.setattr(saved_views, "MOST", 1)
    keep(worker)
    with pytest.raises(Refused, match="已保存 1 个"):
        keep(worker, "第二个")


def test_a_list_opens_with_the_view_that_one_chose(worker, place):
    unit(place.community, "一院", kind="hospital")
    view = keep(worker, default=True)
    client = signed_in(worker)
    assert client.get(UNITS)["Location"] == f"{UNITS}?view={view.pk}&kind=school"
    there = client.get(f"{UNITS}?area={place.community.pk}")
    assert there["Location"] == f"{UNITS}?area={place.community.pk}&view={view.pk}&kind=school"
    whole = client.get(f"{UNITS}?view=0")
    assert "一院" in text(whole)
    assert 'href="?view=0"' in whole.content.decode()
    # Taking the filters away one by one does not lead back into the view.
    cleared = client.get(f"{UNITS}?view={view.pk}")
    assert "一院" in text(cleared)
    colleague = signed_in(person("community_worker", place.community))
    assert colleague.get(UNITS).status_code == 200


def test_the_default_is_one_a_list_and_ends_with_its_view(worker, place):
    first, second = keep(worker), keep(worker, "医院", "kind=hospital")
    client = signed_in(worker)
    for view in (first, second):
        client.post(f"/console/views/{view.pk}/default/")
    assert DefaultView.objects.get().view == second
    client.post(f"/console/views/{second.pk}/default/", {"off": "1"})
    assert not DefaultView.objects.exists()
    client.post(f"/console/views/{second.pk}/default/")
    submit(client, f"/console/views/{second.pk}/delete/")
    assert not DefaultView.objects.exists()
    assert client.get(UNITS).status_code == 200


def test_a_view_is_renamed_and_brought_up_to_date(worker):
    view = keep(worker)
    client = signed_in(worker)
    shown = client.get(f"{VIEWS}?view={view.pk}&kind=hospital")
    assert "更新“学校”为当前条件" in text(shown)
    client.post(f"/console/views/{view.pk}/update/?view={view.pk}&kind=hospital&area=")
    submit(client, f"/console/views/{view.pk}/edit/", name="医院")
    view.refresh_from_db()
    assert (view.name, view.query) == ("医院", "kind=hospital")


def test_the_page_asks_for_a_name_and_says_what_is_wrong(worker):
    client = signed_in(worker)
    assert client.post(VIEWS, {"name": ""}).status_code == 422
    keep(worker)
    page = client.post(VIEWS, {"name": "学校"})
    assert page.status_code == 422
    assert "请换一个名称" in text(page)


def test_the_database_refuses_what_no_page_offers(worker, place):
    firm = unit(place.community)
    for wrong in ({"area": place.community, "unit": firm}, {"name": ""}, {"page": ""}):
        values = {"page": "orgs:units", "name": "甲", "owner": worker, **wrong}
        with pytest.raises(IntegrityError), transaction.atomic():
            SavedView.objects.create(**values)


def test_who_may_not_see_the_list_keeps_no_view_of_it(place):
    stranger = signed_in(person("grid_worker", place.grid))
    assert stranger.get(VIEWS).status_code == 403
    assert stranger.post(VIEWS, {"name": "甲"}).status_code == 403
