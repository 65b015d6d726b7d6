"""The pages of the lists, as people walk through them."""

import re
from datetime import timedelta

import pytest
from django.http import QueryDict
from django.test import Client
from django.utils import timezone

from core.list_export import ListSheet
from core.models import AuditEvent
from core.views.lists import open_list
from services.actions.tickets import adopt_ticket
from services.enums import ClaimState, ItemState, TicketState
from services.models import Claim, Item, Ticket
from tests.factories import services as make
from tests.factories.accounts import person
from tests.factories.orgs import unit as make_unit

pytestmark = pytest.mark.django_db
AT = "/console/services"
NEED = {
    "kind": "need",
    "title": "周末义诊",
    "content": "为老人量血压。",
    "topic": "health",
    "beneficiary": "residents",
    "capacity": "1",
}


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def text(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def fields(response) -> dict[str, str]:
    """What a browser would send back of a form as it was shown."""
    page = response.content.decode()
    sent = {}
    for tag in re.findall(r"<input[^>]*>", page):
        name, kind = (re.search(rf'{a}="([^"]*)"', tag) for a in ("name", "type"))
        value = re.search(r'value="([^"]*)"', tag)
        ticked = kind and kind[1] in ("radio", "checkbox")
        if name and (not ticked or "checked" in tag):
            sent[name[1]] = value[1] if value else ""
    return sent


def said_at(field: str, response) -> str:
    """What a form that came back says at a field."""
    shown = re.search(
        rf'class="field-error" id="id_{field}_error"[^>]*>(.*?)</p>',
        response.content.decode(),
        re.DOTALL,
    )
    return re.sub(r"<[^>]+>|\s*\n\s*", "", shown[1]).strip()


def wrong(response) -> set[str]:
    """The fields at which a form that came back says what is wrong."""
    assert response.status_code == 422
    return set(re.findall(r'class="field-error" id="id_(\w+)_error"', response.content.decode()))


@pytest.mark.parametrize("then", ["draft", "submit", "publish"])
def test_a_date_that_has_passed_is_refused_where_it_is_typed(place, then):
    client = signed_in(make.worker(place.community))
    passed = {"due_on": str(timezone.localdate() - timedelta(days=1))}
    form = {**fields(client.get(f"{AT}/items/add/")), **NEED, **passed, "then": then}
    assert wrong(client.post(f"{AT}/items/add/", form)) == {"due_on"}
    draft = make.item(place.community, state=ItemState.DRAFT)
    page = f"{AT}/items/{draft.pk}/edit/"
    form = {**fields(client.get(page)), **NEED, **passed}
    assert wrong(client.post(page, form)) == {"due_on"}
    form["due_on"] = str(timezone.localdate())
    assert client.post(page, form).status_code == 302


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"capacity": "0"}, "capacity"),
        ({"capacity": "-1"}, "capacity"),
        ({"opens_at": "09:00"}, "closes_at"),
        ({"closes_at": "17:00"}, "opens_at"),
        ({"opens_at": "17:00", "closes_at": "09:00"}, "closes_at"),
    ],
)
def test_what_the_database_would_refuse_is_said_at_its_field(place, values, field):
    client = signed_in(make.worker(place.community))
    form = {**fields(client.get(f"{AT}/items/add/")), **NEED, **values}
    assert wrong(client.post(f"{AT}/items/add/", form)) == {field}


def test_a_worker_publishes_a_need_from_one_form(place):
    client = signed_in(make.worker(place.community))
    form = client.get(f"{AT}/items/add/")
    assert "直接发布" in text(form)
    answer = client.post(f"{AT}/items/add/", {**fields(form), **NEED}, follow=True)
    item = Item.objects.get()
    assert answer.redirect_chain == [(f"{AT}/items/{item.pk}/", 302)]
    assert (item.state, item.area) == (ItemState.PUBLISHED, place.community)
    assert "已发布" in text(answer)


def test_a_unit_submits_and_its_community_finds_it_on_the_workbench(place, unit):
    client = signed_in(make.liaison(unit))
    form = client.get(f"{AT}/items/add/")
    assert "直接发布" not in text(form)
    client.post(f"{AT}/items/add/", {**fields(form), **NEED})
    item = Item.objects.get()
    assert (item.state, item.unit) == (ItemState.PENDING, unit)
    office = signed_in(make.worker(place.community))
    assert "周末义诊" in text(office.get("/console/"))
    answer = office.post(f"{AT}/items/{item.pk}/do/publish/", follow=True)
    assert "已发布" in text(answer)


def test_a_unit_claims_in_two_clicks(place, unit):
    item = make.item(place.community, title="周末义诊")
    client = signed_in(make.liaison(unit))
    page = client.get(f"{AT}/items/{item.pk}/")
    assert f'href="{AT}/items/{item.pk}/claim/"' in page.content.decode()
    form = client.get(f"{AT}/items/{item.pk}/claim/")
    answer = client.post(f"{AT}/items/{item.pk}/claim/", fields(form), follow=True)
    claim = Claim.objects.get()
    assert (claim.unit, claim.responsible) == (unit, claim.claimed_by.name)
    assert "认领成功" in text(answer)
    assert "周末义诊" in text(answer)


def test_the_one_who_comes_too_late_is_told_and_keeps_what_was_typed(place, unit):
    item = make.item(place.community)
    client = signed_in(make.liaison(unit))
    form = fields(client.get(f"{AT}/items/{item.pk}/claim/"))
    make.claim(item, make_unit(place.community))
    answer = client.post(f"{AT}/items/{item.pk}/claim/", {**form, "responsible": "孙主任"})
    assert answer.status_code == 409
    assert "名额已满" in text(answer)
    assert "孙主任" in answer.content.decode()


def test_a_matter_goes_through_the_pages_to_its_end(place, unit):
    item = make.item(place.community, title="周末义诊")
    people = make.sides(item, unit)
    claim = make.claim(item, unit)
    provider, office = signed_in(people["provider"]), signed_in(people["office"])
    at = f"{AT}/claims/{claim.pk}/do"
    for client, step, data in [
        (provider, "contact", {}),
        (provider, "start", {}),
        (provider, "deliver", {"result": "服务 30 人"}),
        (office, "rework", {"reason": "请补一次"}),
        (provider, "deliver", {"result": "服务 40 人"}),
        (office, "accept", {}),
        (office, "rate", {"grade": "1", "comment": "来晚了"}),
    ]:
        assert client.get(f"{at}/{step}/").status_code == 200
        assert client.post(f"{at}/{step}/", data).status_code == 302, step
    page = text(office.get(f"{AT}/claims/{claim.pk}/"))
    for shown in ("非常不满意", "来晚了", "待整改", "服务 40 人"):
        assert shown in page
    matter = claim.rating.rectification.pk
    refused = office.post(f"{at}/close/")
    assert refused.status_code == 422
    assert "回访后才能销号" in text(refused)
    fixing = f"{AT}/rectifications/{matter}/do"
    assert provider.post(f"{fixing}/report/", {"measure": "已道歉补做"}).status_code == 302
    assert office.post(f"{fixing}/call_back/", {"callback": "居民满意"}).status_code == 302
    assert office.post(f"{at}/close/").status_code == 302
    item.refresh_from_db()
    assert item.state == ItemState.CLOSED


@pytest.mark.parametrize("capacity", ["0", "-1"])
def test_too_few_places_are_told_the_lowest_number_at_once(place, capacity):
    client = signed_in(make.worker(place.community))
    form = {**fields(client.get(f"{AT}/items/add/")), **NEED, "capacity": capacity}
    assert said_at("capacity", client.post(f"{AT}/items/add/", form)) == "错误：名额至少为 1。"
    item = make.item(place.community)
    answer = client.post(f"{AT}/items/{item.pk}/resize/", {"capacity": capacity})
    assert said_at("capacity", answer) == "错误：名额至少为 1。"


def test_what_is_wrong_stands_at_its_field_and_nothing_is_written(place):
    client = signed_in(make.worker(place.community))
    form = fields(client.get(f"{AT}/items/add/"))
    answer = client.post(
        f"{AT}/items/add/", {**form, **NEED, "content": "致电 13812341234", "capacity": "0"}
    )
    assert answer.status_code == 422
    assert "名额至少为 1" in text(answer)
    answer = client.post(f"{AT}/items/add/", {**form, **NEED, "content": "致电 13812341234"})
    assert answer.status_code == 422
    assert "中有手机号" in text(answer)
    assert not Item.objects.exists()


def test_a_side_that_is_not_one_s_own_cannot_be_chosen(place, unit):
    client = signed_in(make.worker(place.community))
    form = fields(client.get(f"{AT}/items/add/"))
    for side in (f"area-{place.other_community.pk}", f"unit-{unit.pk}", "nobody"):
        answer = client.post(f"{AT}/items/add/", {**form, **NEED, "side": side})
        assert answer.status_code == 422
        assert "请选择您负责的" in text(answer)


def test_a_street_officer_chooses_among_the_street_and_its_communities(place):
    client = signed_in(person("street_officer", place.street))
    page = client.get(f"{AT}/items/add/?area={place.sibling_community.pk}").content.decode()
    chosen = re.search(r'<option value="([^"]*)" selected>([^<]*)<', page)
    assert chosen.groups() == (
        f"area-{place.sibling_community.pk}",
        place.sibling_community.name,
    )
    assert place.other_community.name not in page


def test_a_draft_is_revised_and_the_second_editor_is_told(place):
    author = make.worker(place.community)
    item = make.item(place.community, state="draft", by=author, weekdays="15", unions=["teams"])
    client = signed_in(author)
    form = fields(client.get(f"{AT}/items/{item.pk}/edit/"))
    assert form["weekdays"] in ("1", "5")
    values = {**form, **NEED, "weekdays": ["1", "3"], "unions": ["teams", "events"]}
    assert client.post(f"{AT}/items/{item.pk}/edit/", values).status_code == 302
    item.refresh_from_db()
    assert (item.title, item.weekdays, item.unions) == ("周末义诊", "13", ",teams,events,")
    late = client.post(f"{AT}/items/{item.pk}/edit/", {**values, "title": "另一稿"})
    assert late.status_code == 409
    assert "已被他人修改" in text(late)
    item.refresh_from_db()
    assert item.title == "周末义诊"


def test_a_draft_is_thrown_away_by_its_author_alone(place, unit):
    item = make.item(unit, state="draft")
    near = signed_in(make.worker(place.community))
    shown = near.get(f"{AT}/items/{item.pk}/")
    assert "删除" not in re.sub(r"(?s)<aside.*", "", shown.content.decode())
    form = fields(near.get(f"{AT}/items/{item.pk}/discard/"))
    assert near.post(f"{AT}/items/{item.pk}/discard/", form).status_code == 403
    author = signed_in(make.liaison(unit))
    form = fields(author.get(f"{AT}/items/{item.pk}/discard/"))
    assert author.post(f"{AT}/items/{item.pk}/discard/", form).status_code == 302
    assert not Item.objects.exists()
    assert AuditEvent.objects.filter(action="services.item.discard").exists()


def test_lists_filter_and_keep_to_their_own(place, unit):
    make.item(place.community, title="楼道粉刷", due_on=timezone.localdate() + timedelta(days=3))
    make.item(place.other_community, title="外区的事")
    resource = make.item(unit, title="会议室", kind="resource")
    make.claim(resource, place.community)
    worker = signed_in(make.worker(place.community))
    shown = text(worker.get(f"{AT}/items/"))
    assert "楼道粉刷" in shown
    assert "会议室" in shown
    assert "外区的事" not in shown
    assert "楼道粉刷" not in text(worker.get(f"{AT}/items/?kind=resource"))
    assert "楼道粉刷" not in text(worker.get(f"{AT}/items/?by_unit=1"))
    assert "会议室" not in text(worker.get(f"{AT}/items/?q=粉刷"))
    offers = text(worker.get(f"{AT}/offers/"))
    assert "外区的事" in offers
    assert "会议室" not in offers
    assert "楼道粉刷" not in offers  # its own need, which another side claims
    street = signed_in(person("street_officer", place.street))
    assert "楼道粉刷" in text(street.get(f"{AT}/offers/"))
    assert "外区的事" not in text(worker.get(f"{AT}/offers/?near=district"))
    claims = text(worker.get(f"{AT}/claims/?state=claimed&late=due"))
    assert "没有符合条件的记录" in claims
    assert "会议室" in text(worker.get(f"{AT}/claims/?kind=resource"))


@pytest.mark.parametrize("state", ClaimState.values)
def test_the_workbench_asks_each_side_for_what_is_theirs(place, unit, state):
    item = make.item(place.community, title="周末义诊")
    people = make.sides(item, unit)
    make.claim(item, unit, state=state)
    asked = {
        side: [
            label
            for label in LABELS
            if f"{label} 1" in text(signed_in(people[side]).get("/console/"))
        ]
        for side in ("provider", "office")
    }
    assert asked == {"provider": WAITING[state][0], "office": WAITING[state][1]}


LABELS = ("待对接", "待完成", "待验收", "待评价", "待销号")
WAITING = {
    "claimed": (["待对接"], ["待对接"]),
    "contacting": (["待完成"], []),
    "working": (["待完成"], []),
    "submitted": ([], ["待验收"]),
    "accepted": ([], ["待评价"]),
    "rated": ([], ["待销号"]),
    "closed": ([], []),
    "withdrawn": ([], []),
}


def test_a_ticket_is_taken_from_the_inbox_or_declined(place):
    ticket, _ = make.ticket(place.community, content="老人想理发，家住不便出门。")
    other, _ = make.ticket(place.community)
    client = signed_in(make.worker(place.community))
    assert ticket.number in text(client.get(f"{AT}/tickets/"))
    form = client.get(f"{AT}/tickets/{ticket.pk}/do/adopt/")
    assert "老人想理发" in form.content.decode()
    data = {**fields(form), "title": "上门理发", "content": "为行动不便的老人理发。"}
    data |= {"topic": "care", "beneficiary": "residents"}
    assert client.post(f"{AT}/tickets/{ticket.pk}/do/adopt/", data).status_code == 302
    ticket.refresh_from_db()
    assert (ticket.state, ticket.item.state) == (TicketState.ADOPTED, ItemState.PUBLISHED)
    assert "上门理发" in text(client.get(f"{AT}/tickets/{ticket.pk}/"))
    refused = client.post(f"{AT}/tickets/{other.pk}/do/return/", {"reason": ""})
    assert refused.status_code == 422
    client.post(f"{AT}/tickets/{other.pk}/do/return/", {"reason": "请找物业"})
    assert Ticket.objects.get(pk=other.pk).return_reason == "请找物业"


def test_the_phone_is_masked_until_a_reason_is_given(place):
    ticket, _ = make.ticket(place.community, phone="13812341234")
    client = signed_in(make.worker(place.community))
    page = client.get(f"{AT}/tickets/{ticket.pk}/").content.decode()
    assert "138****1234" in page
    assert "13812341234" not in page
    form = client.get(f"{AT}/tickets/{ticket.pk}/phone/")
    assert "13812341234" not in form.content.decode()
    shown = client.post(f"{AT}/tickets/{ticket.pk}/phone/", {**fields(form), "reason": "回电"})
    assert "13812341234" in shown.content.decode()
    assert AuditEvent.objects.filter(action="services.ticket.reveal_phone", reason="回电").exists()


def test_tickets_and_drafts_of_others_are_not_there(place, unit):
    ticket, _ = make.ticket(place.community)
    draft = make.item(place.community, state="draft")
    claim = make.claim(make.item(place.community), unit)
    stranger = signed_in(make.worker(place.other_community))
    liaison = signed_in(make.liaison(make_unit(place.community)))
    for client in (stranger, liaison):
        for path in (f"tickets/{ticket.pk}", f"items/{draft.pk}", f"claims/{claim.pk}"):
            assert client.get(f"{AT}/{path}/").status_code == 404
    assert liaison.get(f"{AT}/tickets/").status_code == 403


def test_an_item_from_a_ticket_links_back_for_those_who_may_see_it(place, unit):
    ticket, _ = make.ticket(place.community)
    office = make.worker(place.community)
    ticket = adopt_ticket(ticket=ticket, by=office, title="换灯", content="楼道灯", then="publish")
    path = f"{AT}/items/{ticket.item.pk}/"
    assert ticket.number in text(signed_in(office).get(path))
    assert ticket.number not in text(signed_in(make.liaison(unit)).get(path))


def test_what_may_be_claimed_is_claimed_from_its_row_and_its_file_holds_no_buttons(place, unit):
    item = make.item(place.community, title="楼道照明维修")
    liaison = person("unit_liaison", unit)
    client = Client()
    client.force_login(liaison)
    page = client.get(f"{AT}/offers/").content.decode()
    assert f'href="{AT}/items/{item.pk}/claim/"' in page
    sheet = ListSheet(open_list("services:offers", user=liaison, query=QueryDict("")))
    columns = sheet.get_columns(liaison, sheet.asked)
    count, rows = sheet.rows(liaison, sheet.asked, columns)
    found = [list(row) for row in rows]
    assert count == len(found) == 1
    assert "楼道照明维修" in found[0]
    assert len(found[0]) == len(columns)
    assert "认领" not in found[0]


def test_the_claims_on_an_items_page_offer_no_order_that_the_page_does_not_read(place, unit):
    """With script such a head led nowhere at all: the page has no list to put the answer into."""
    claim = make.claim(make.item(place.community), unit)
    client = signed_in(make.worker(place.community))
    page = client.get(f"{AT}/items/{claim.item_id}/").content.decode()
    assert "认领日期" in page
    assert "aria-sort" not in page
    assert "?sort=" not in page
    assert "?sort=claimed_at" in client.get(f"{AT}/claims/").content.decode()
