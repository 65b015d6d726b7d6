"""The pages, as a community worker and a unit's liaison go through them."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.enums import Role
from alliance.models import Agreement
from core.views.forms import VERSION, print_of
from tests.factories import alliance as make
from tests.factories.accounts import person
from tests.factories.orgs import small_city, unit

pytestmark = pytest.mark.django_db


@pytest.fixture
def place():
    return small_city()


@pytest.fixture
def sides(place):
    return make.pair(place.community)


def post(client, name, obj, **data):
    address = reverse(name, args=[obj.pk])
    return client.post(address, {VERSION: print_of(type(obj).objects.get(pk=obj.pk)), **data})


def draft_fields(**more):
    today = timezone.localdate()
    return {
        "title": "健康共建",
        "goal": "每季度义诊",
        "starts_on": today.isoformat(),
        "ends_on": (today + timedelta(days=300)).isoformat(),
        **more,
    }


def test_from_draft_to_force_through_the_pages(client, sides):
    client.force_login(sides.worker)
    fields = draft_fields(
        community=sides.community.code, liaison="李社区", units=[sides.unit.pk], others=""
    )
    assert client.get(reverse("alliance:agreement-add")).status_code == 200
    response = client.post(reverse("alliance:agreement-add"), fields)
    agreement = Agreement.objects.get()
    assert response.headers["Location"] == agreement.get_absolute_url()

    party = agreement.parties.get(unit=sides.unit)
    clause = {
        "party": party.pk,
        "category": "events",
        "content": "义诊",
        "quantity": "4",
        "measure": "次",
        "due_on": agreement.ends_on.isoformat(),
    }
    assert post(client, "alliance:agreement-clauses", agreement, **clause).status_code == 302
    page = client.get(agreement.get_absolute_url()).content.decode()
    assert "送签" in page
    assert "义诊" in page
    submit = reverse("alliance:agreement-transit", args=[agreement.pk, "submit"])
    assert client.post(submit).status_code == 302

    for who in (sides.worker, sides.liaison):
        client.force_login(who)
        assert "确认签署" in client.get(agreement.get_absolute_url()).content.decode()
        assert agreement.number in client.get(reverse("console:home")).content.decode()
        sign = client.get(reverse("alliance:agreement-sign", args=[agreement.pk]))
        assert "义诊" in sign.content.decode()
        assert post(client, "alliance:agreement-sign", agreement, agreed="on").status_code == 302
    agreement.refresh_from_db()
    assert agreement.state == "active"
    page = client.get(agreement.get_absolute_url()).content.decode()
    assert "确认签署" not in page
    assert "续签" in page


def test_the_tick_is_asked_for_and_an_old_page_is_told(client, sides):
    agreement = make.pending(sides)
    client.force_login(sides.liaison)
    response = post(client, "alliance:agreement-sign", agreement)
    assert response.status_code == 422
    assert "请先阅读条款" in response.content.decode()
    old = print_of(agreement)
    Agreement.objects.filter(pk=agreement.pk).update(version=9)
    response = client.post(
        reverse("alliance:agreement-sign", args=[agreement.pk]), {VERSION: old, "agreed": "on"}
    )
    assert response.status_code == 409
    assert not agreement.parties.exclude(confirmed_at=None).exists()


def test_a_liaison_drafts_with_any_community_and_its_own_unit_is_ticked(client, place, sides):
    client.force_login(sides.liaison)
    page = client.get(reverse("alliance:agreement-add")).content.decode()
    assert f'value="{sides.unit.pk}"' in page
    assert "checked" in page
    fields = draft_fields(community=place.other_community.code, units=[sides.unit.pk])
    assert client.post(reverse("alliance:agreement-add"), fields).status_code == 302
    assert Agreement.objects.get().area == place.other_community


def test_a_unit_from_elsewhere_joins_by_its_credit_code_alone(client, place, sides):
    away = unit(place.other_community, name="远方单位")
    client.force_login(sides.worker)
    base = draft_fields(community=sides.community.code, liaison="李")
    response = client.post(reverse("alliance:agreement-add"), {**base, "others": "远方单位"})
    assert response.status_code == 422
    page = response.content.decode()
    assert "没有找到“远方单位”" in page
    assert "健康共建" in page  # what was typed is still there
    fields = {**base, "others": away.credit_code.lower()}
    assert client.post(reverse("alliance:agreement-add"), fields).status_code == 302
    assert Agreement.objects.get().unit_parties.get().unit == away


def test_what_the_action_refuses_stands_at_its_field(client, sides):
    client.force_login(sides.worker)
    today = timezone.localdate()
    fields = draft_fields(
        community=sides.community.code,
        units=[sides.unit.pk],
        ends_on=(today - timedelta(days=1)).isoformat(),
    )
    response = client.post(reverse("alliance:agreement-add"), fields)
    assert response.status_code == 422
    assert "到期日期不能早于起始日期" in response.content.decode()
    response = client.post(reverse("alliance:agreement-add"), {**fields, "units": []})
    assert response.status_code == 422
    assert not Agreement.objects.exists()


def test_editing_keeps_the_units_that_the_editor_cannot_tick(client, place):
    sides = make.pair(place.community, count=2)
    agreement = make.draft(sides)
    client.force_login(sides.liaison)
    page = client.get(reverse("alliance:agreement-edit", args=[agreement.pk])).content.decode()
    partner = sides.units[1]
    assert partner.credit_code in page
    fields = draft_fields(
        units=[sides.unit.pk],
        others=partner.credit_code,
        title="新名",
        ends_on=agreement.ends_on.isoformat(),
    )
    assert post(client, "alliance:agreement-edit", agreement, **fields).status_code == 302
    agreement.refresh_from_db()
    assert agreement.title == "新名"
    assert {p.unit for p in agreement.unit_parties} == set(sides.units)


def test_a_foreign_agreement_is_not_there(client, place, sides):
    agreement = make.draft(sides)
    client.force_login(person(Role.COMMUNITY_WORKER, place.sibling_community))
    for name in ("agreement", "agreement-edit", "agreement-sign", "agreement-renew"):
        assert client.get(reverse(f"alliance:{name}", args=[agreement.pk])).status_code == 404


def test_clauses_liaisons_renewal_and_discarding_have_their_pages(client, sides):
    agreement = make.draft(sides, clauses=2)
    client.force_login(sides.worker)
    clause = agreement.clauses.get(number=2)
    assert client.get(reverse("alliance:clause-edit", args=[clause.pk])).status_code == 200
    assert client.get(reverse("alliance:clause-remove", args=[clause.pk])).status_code == 200
    assert post(client, "alliance:clause-remove", clause).status_code == 302
    assert agreement.clauses.count() == 1
    party = agreement.parties.get(unit=sides.unit)
    assert client.get(reverse("alliance:party-edit", args=[party.pk])).status_code == 200
    assert post(client, "alliance:party-edit", party, liaison="周").status_code == 302
    assert post(client, "alliance:agreement-discard", agreement).status_code == 302
    assert not Agreement.objects.exists()

    old = make.signed(sides)
    assert client.get(reverse("alliance:agreement-renew", args=[old.pk])).status_code == 200
    ends_on = (old.ends_on + timedelta(days=300)).isoformat()
    response = post(client, "alliance:agreement-renew", old, ends_on=ends_on)
    new = Agreement.objects.get(renewed_from=old)
    assert response.headers["Location"] == new.get_absolute_url()
    assert new.number in client.get(old.get_absolute_url()).content.decode()


def test_the_list_filters_by_unit_and_place(client, place, sides):
    agreement = make.draft(sides)
    client.force_login(person(Role.ORG_DEPARTMENT, place.city))
    address = reverse("alliance:agreements")
    for query, seen in (
        ("", True),
        (f"?unit={sides.unit.name}", True),
        ("?unit=没有", False),
        (f"?area={place.other_community.pk}", False),
        (f"?q={agreement.number}", True),
        ("?state=active", False),
    ):
        page = client.get(address + query).content.decode()
        assert (agreement.get_absolute_url() in page) is seen, query


@pytest.mark.parametrize("count", [1, 3])
def test_the_pages_cost_the_same_however_many_parties_and_clauses(
    client, place, count, django_assert_max_num_queries
):
    sides = make.pair(place.community, count=count)
    agreement = make.draft(sides, clauses=count)
    client.force_login(sides.worker)
    with django_assert_max_num_queries(24):
        client.get(agreement.get_absolute_url())


def test_the_api_shows_what_the_pages_show(client, sides):
    agreement = make.pending(sides)
    client.force_login(sides.liaison)
    (row,) = client.get("/api/v1/agreements/").json()["results"]
    assert row["number"] == agreement.number
    for noun in ("agreement-parties", "agreement-clauses", "agreement-fulfilments"):
        assert client.get(f"/api/v1/{noun}/").status_code == 200
    done = client.post(
        f"/api/v1/agreements/{agreement.pk}/transitions/return/",
        {"reason": "次数太多"},
        content_type="application/json",
    )
    assert done.json()["state"] == "draft"
