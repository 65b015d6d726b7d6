"""What is typed into a form outlives a lost session, for the person who typed it alone."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from cryptography.fernet import Fernet
from django import forms
from django.core import signing
from django.db import IntegrityError, connection, transaction
from django.http import QueryDict
from django.test import Client
from django.utils import timezone
from django.utils.module_loading import import_string

from accounts.enums import Role
from core import drafts, tidying
from core.models import Draft
from core.transitions import MACHINES
from core.views import ActionFormView
from orgs.models import Unit
from services.enums import ItemState
from tests.core.browsing import htmx, signed_in, text
from tests.factories import services
from tests.factories.accounts import person
from tests.factories.orgs import credit_code, small_city, unit
from tests.guards.project import routes

pytestmark = pytest.mark.django_db
ADD = "/console/orgs/units/add/"
PASSWORD = "a-password-for-drafts-1"


@pytest.fixture
def place():
    return small_city()


@pytest.fixture
def officer(place):
    return person(Role.STREET_OFFICER, place.street)


@pytest.fixture
def client(officer):
    return signed_in(officer)


def fields(response) -> dict[str, str]:
    """What the page's form would send as it stands, in the boxes that are filled."""
    found = {}
    for tag in re.findall(r"<(?:input|textarea)[^>]*>", response.content.decode()):
        name, value = (re.search(rf' {a}="([^"]*)"', tag) for a in ("name", "value"))
        if name and value:
            found[name[1]] = unescape(value[1])
    return found


def typed(response, **values: str) -> dict[str, str]:
    sent = {k: v for k, v in fields(response).items() if k in (drafts.FIELD, "_version")}
    return {**sent, "name": "本街道中学", "contact_name": "王联络", **values}


def enter(client: Client, user) -> None:
    user.set_password(PASSWORD)
    user.save()
    client.post("/console/sign-in/", {"username": user.username, "password": PASSWORD})


def save(client: Client, data: dict[str, str]):
    return client.post("/console/drafts/", data)


# -- a session that is over


def test_a_form_sent_after_the_session_has_ended_comes_back_after_signing_in(client, officer):
    sent = typed(client.get(f"{ADD}?x=1"))
    client.logout()
    answer = client.post(f"{ADD}?x=1", sent)
    assert answer["Location"] == "/console/sign-in/?next=/console/orgs/units/add/%3Fx%3D1"
    assert "填写的内容已保留" in text(client.get(answer["Location"]))
    enter(client, officer)
    page = client.get(f"{ADD}?x=1")
    assert fields(page)["name"] == "本街道中学"
    assert fields(page)["contact_name"] == "王联络"
    assert "还没有提交的内容" in text(page)
    assert "没有保存，请先处理" not in text(page), "nothing is complained of before it is sent"


def test_who_was_idle_too_long_loses_nothing_either(client, officer):
    sent = typed(client.get(ADD))
    session = client.session
    session["seen_at"] = session["signed_in_at"] = 1
    session.save()
    answer = client.post(ADD, sent)
    assert answer["Location"].startswith("/console/sign-in/?next=")
    enter(client, officer)
    assert fields(client.get(ADD))["name"] == "本街道中学"


def test_somebody_else_at_the_same_machine_gets_nothing(client, officer, place):
    sent = typed(client.get(ADD))
    client.logout()
    client.post(ADD, sent)
    enter(client, person(Role.STREET_OFFICER, place.street))
    page = client.get(ADD)
    assert "本街道中学" not in page.content.decode()
    assert "还没有提交的内容" not in text(page)
    enter(client, officer)
    assert fields(signed_in(officer).get(ADD))["name"] == "本街道中学"


def test_without_a_sound_token_nothing_is_kept(client, officer, place):
    sent = typed(client.get(ADD))
    other = person(Role.STREET_OFFICER, place.street)
    for token in (
        "",
        "nonsense",
        sent[drafts.FIELD] + "x",
        signing.dumps([officer.pk, ADD], salt="another"),
        drafts.token(officer, "/console/elsewhere/"),
    ):
        Client().post(ADD, {**sent, drafts.FIELD: token})
    assert not Draft.objects.exists()
    other.is_active = False
    other.save()
    Client().post(ADD, {**sent, drafts.FIELD: drafts.token(other, ADD)})
    assert not Draft.objects.exists()


def test_a_token_is_sound_as_long_as_a_draft_is_kept(officer, monkeypatch):
    token = drafts.token(officer, ADD)
    assert drafts.read(token) == (officer.pk, ADD)
    monkeypatch.setattr(drafts, "KEPT", timedelta(seconds=-1))
    assert drafts.read(token) is None


def test_a_page_that_a_new_sign_in_has_made_stale_gives_back_what_was_typed(officer):
    """Signing in elsewhere in the browser changes the secret behind the form's other token."""
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(officer, backend="django.contrib.auth.backends.ModelBackend")
    sent = typed(strict.get(ADD), csrfmiddlewaretoken="x" * 64)
    answer = strict.post(f"{ADD}?x=1", sent)
    assert answer["Location"] == f"{ADD}?x=1"
    page = strict.get(ADD)
    assert fields(page)["name"] == "本街道中学"
    assert "填写的内容已带回，请核对后再提交" in text(page)
    assert not Unit.objects.exists()


def test_a_stale_page_of_somebody_else_shows_nothing_of_it(officer, place):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(officer, backend="django.contrib.auth.backends.ModelBackend")
    sent = typed(strict.get(ADD), csrfmiddlewaretoken="x" * 64)
    other = person(Role.STREET_OFFICER, place.street)
    strict.force_login(other, backend="django.contrib.auth.backends.ModelBackend")
    answer = strict.post(ADD, sent)
    assert answer.status_code == 403
    assert "页面已过期" in text(answer)
    assert "本街道中学" not in strict.get(ADD).content.decode()


def test_a_dialogue_sent_too_late_leads_to_its_page_and_back(officer, place):
    mine = services.item(place.community, state=ItemState.PENDING)
    address = f"/console/services/items/{mine.pk}/do/return/"
    client = signed_in(services.worker(place.community))
    shown = client.get(address, **htmx("dialog"))
    sent = {drafts.FIELD: fields(shown)[drafts.FIELD], "reason": "请补充时段和地点"}
    client.logout()
    answer = client.post(address, sent, **htmx("dialog", at=mine.get_absolute_url()))
    assert answer["HX-Redirect"] == f"/console/sign-in/?next={address}"
    draft = Draft.objects.get()
    again = signed_in(draft.user).get(address)
    assert "请补充时段和地点" in text(again)
    assert "还没有提交的内容" in text(again)


# -- while one types


def test_what_is_typed_is_kept_meanwhile_and_dropped_when_it_is_done(client, place):
    sent = typed(client.get(ADD), kind="school", credit_code=credit_code(7))
    assert save(client, sent).status_code == 204
    assert save(client, {**sent, "name": "改了名的中学"}).status_code == 204
    page = client.get(ADD)
    assert fields(page)["name"] == "改了名的中学"
    assert re.search(r'<option value="school" selected', page.content.decode())
    sent["area"] = f"{place.community.name} {place.community.code}"
    assert client.post(ADD, sent).status_code == 302
    assert not Draft.objects.exists()
    assert "还没有提交的内容" not in text(client.get(ADD))


def test_what_is_refused_stays_kept(client):
    sent = typed(client.get(ADD))
    save(client, sent)
    assert client.post(ADD, sent).status_code == 422
    assert Draft.objects.count() == 1


def test_keeping_goes_on_after_the_session_and_says_that_it_is_over(client, officer):
    sent = typed(client.get(ADD))
    client.logout()
    assert save(client, sent).status_code == 401
    assert fields(signed_in(officer).get(ADD))["name"] == "本街道中学"


def test_each_object_has_a_draft_of_its_own_and_the_version_it_was_begun_on(client, place):
    first, second = unit(place.community, "甲"), unit(place.community, "乙")
    address = f"/console/orgs/units/{first.pk}/edit/"
    page = client.get(address)
    sent = {**fields(page), "name": "甲改", "kind": "school"}
    save(client, sent)
    Unit.objects.filter(pk=first.pk).update(contact_name="别人改的")
    again = client.get(address)
    assert fields(again)["_version"] == sent["_version"]
    assert fields(again)["name"] == "甲改"
    assert client.post(address, fields(again) | {"kind": "school"}).status_code == 409
    assert fields(client.get(f"/console/orgs/units/{second.pk}/edit/"))["name"] == "乙"


def test_a_draft_is_let_go_by_its_button(client, officer, place):
    sent = typed(client.get(ADD))
    save(client, sent)
    other = signed_in(person(Role.STREET_OFFICER, place.street))
    drop = {drafts.FIELD: sent[drafts.FIELD]}
    assert other.post("/console/drafts/drop/", drop).status_code == 404
    assert Draft.objects.count() == 1
    answer = client.post(f"/console/drafts/drop/?area={place.street.pk}", drop)
    assert answer["Location"] == f"{ADD}?area={place.street.pk}"
    assert not Draft.objects.exists()


def test_when_something_breaks_what_was_typed_is_kept(client, place, monkeypatch):
    client.raise_request_exception = False
    sent = typed(client.get(ADD), kind="school", credit_code=credit_code(7))
    sent["area"] = f"{place.community.name} {place.community.code}"
    monkeypatch.setattr(Unit, "stamp", lambda self: 1 / 0)
    assert client.post(ADD, sent).status_code == 500
    assert not Unit.objects.exists()
    assert fields(client.get(ADD))["name"] == "本街道中学"


# -- what is kept, how, and how long


def test_a_draft_is_cipher_in_the_database(client):
    save(client, typed(client.get(ADD)))
    with connection.cursor() as cursor:
        cursor.execute("SELECT content FROM core_draft")
        stored = cursor.fetchone()[0]
    assert "王联络" not in stored
    assert "name" not in stored


def test_tokens_and_blank_forms_are_not_kept(client, officer):
    blank = {drafts.FIELD: drafts.token(officer, ADD), "_version": "abc", "name": "  "}
    assert save(client, blank).status_code == 400
    save(client, {**blank, "name": "一", "csrfmiddlewaretoken": "secret"})
    assert set(drafts.typed_in(Draft.objects.get())) == {"name", "_version"}


def test_a_draft_has_bounds(client, officer, monkeypatch):
    token = drafts.token(officer, ADD)
    assert save(client, {drafts.FIELD: token, "name": "长" * drafts.LARGEST}).status_code == 400
    monkeypatch.setattr(drafts, "MOST", 3)
    for number in range(5):
        drafts.keep(QueryDict(f"_draft={drafts.token(officer, f'{ADD}{number}/')}&name=x"))
    assert sorted(Draft.objects.values_list("address", flat=True)) == [
        f"{ADD}{number}/" for number in (2, 3, 4)
    ]


def test_after_a_week_a_draft_is_neither_given_back_nor_kept(client):
    save(client, typed(client.get(ADD)))
    Draft.objects.update(saved_at=timezone.now() - timedelta(days=7, minutes=1))
    assert "还没有提交的内容" not in text(client.get(ADD))
    tidying.tidy()
    assert not Draft.objects.exists()


def test_a_draft_whose_key_is_gone_does_not_break_the_form(client, settings):
    save(client, typed(client.get(ADD)))
    settings.FIELD_KEYS = [Fernet.generate_key().decode()]
    page = client.get(ADD)
    assert page.status_code == 200
    assert "还没有提交的内容" not in text(page)


def test_the_database_holds_one_draft_a_form_and_of_the_console_alone(officer):
    Draft.objects.create(user=officer, address=ADD, content="{}")
    for address in (ADD, "/elsewhere/"):
        with pytest.raises(IntegrityError), transaction.atomic():
            Draft.objects.create(user=officer, address=address, content="{}")


def test_what_is_filled_in_is_as_it_was_typed(officer):
    class Every(forms.Form):
        text = forms.CharField()
        box = forms.BooleanField(required=False, initial=True)
        many = forms.MultipleChoiceField(choices=[("a", "A"), ("b", "B"), ("c", "C")])
        day = forms.DateField()
        file = forms.FileField()
        still = forms.CharField(disabled=True, initial="固定")

    data = f"_draft={drafts.token(officer, ADD)}&text=<b>&many=a&many=c&day=2026-13-45&still=x"
    drafts.keep(QueryDict(data))
    form = Every()
    drafts.fill(form, drafts.find(officer, ADD))
    assert form["text"].value() == "<b>"
    assert form["box"].value() is False
    assert form["many"].value() == ["a", "c"]
    assert form["day"].value() == "2026-13-45"
    assert form["file"].value() is None
    assert form["still"].value() == "固定"


def test_no_form_that_is_kept_asks_for_a_password():
    """Drafts are given back; a password must never be."""
    kept = {r.of("form") for r in routes() if _keeps(r.view)}
    kept |= {
        import_string(t.form) for m in MACHINES.values() for t in m.transitions.values() if t.form
    }
    assert len(kept) > 10
    for form in kept - {None}:
        for name, field in form.base_fields.items():
            assert not isinstance(field.widget, forms.PasswordInput), f"{form.__name__}.{name}"


def _keeps(view) -> bool:
    return isinstance(view, type) and issubclass(view, ActionFormView)
