"""What people write: scripts, marks that turn the order about, half characters, far too much of it, and
rare characters that must stay as they are."""

from __future__ import annotations

import csv
import json
from typing import Any

import pytest
from django import forms
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import QueryDict
from django.test import Client
from django.urls import reverse
from django.utils.module_loading import import_string

from accounts.enums import Role
from core import imports
from core.exports import export_to
from core.forms import Form
from members.models import Member
from members.sheets import MemberSheet
from orgs.models import Unit
from orgs.sheets import UnitRegister
from tests.attacks.next_door import mark
from tests.attacks.test_references import form_of
from tests.factories.orgs import credit_code
from tests.factories.rows import ROWS, World
from tests.guards.asking import Visitor
from tests.guards.declared import LET_IN, Address, addresses
from tests.guards.test_addresses import open_addresses, requests

# A long walk whose answers do not hang on the database: once is enough, where it runs for real.
pytestmark = [pytest.mark.django_db, pytest.mark.postgres]
TAG = "<s1>'\">{{9119*9137}}"
RUN = str(9119 * 9137)  # too long to stand in a page by chance, as in the prints of the audit


@pytest.fixture(scope="module")
def walked(world: World) -> list[Address]:
    return addresses(world)


def readers(world: World, walked: list[Address], methods: set[str]) -> Any:
    """Each address and method once, with the first role that it opens to."""
    visitors = {role: Visitor(user) for role, user in world.people.items()}
    for address, method in requests(walked):
        if method not in methods:
            continue
        for role, user in world.people.items():
            if address.promised(user, method) == LET_IN:
                yield visitors[role], address, method
                break


# Markup


def test_markup_in_texts_is_shown_as_text_wherever_it_is_shown(world, walked):
    for label in ROWS:
        mark(world.one(label), TAG)
    shown = 0
    asked = [(visitor, address.url) for visitor, address, _ in readers(world, walked, {"get"})]
    asked += [(Visitor(), url) for _, url in open_addresses(world)]
    for visitor, url in asked:
        body = visitor.ask("get", url).body
        if url.startswith("/api/"):
            continue
        assert "<s1" not in body, url
        assert RUN not in body, f"{url} runs a template that somebody wrote"
        shown += "&lt;s1" in body
    assert shown > 40, "the walk no longer meets what was written"


def test_what_is_typed_into_a_form_comes_back_as_text(world, walked):
    for visitor, address, method in readers(world, walked, {"post"}):
        form = form_of(address, method)
        if form is None or address.route.is_api:
            continue
        data = dict.fromkeys([*form.base_fields, "reason", "q", "_version", "next"], TAG)
        assert "<s1" not in visitor.ask(method, f"{address.url}?q={TAG}", data).body, address.url


# What no column can hold

NUL, HUGE = "a\0b", "9" * 40
RAW = ("area", "sort", "cols", "view", "counts", "after", "page", "next", "row", "field", "about")
RAW += ("value", "period", "kinds", "perm", "limit", "name", "q", "n", "rows", "step", "format")


def sets_for(address: Address, method: str) -> list[dict[str, Any]]:
    """What is sent: all that the address may read."""
    route = address.route
    if method == "get":
        filters = getattr(route.of("filters"), "base_filters", ())
        sets = [{name: NUL} for name in ("area", "sort", "view")]
        return [*sets, dict.fromkeys(RAW, HUGE), dict.fromkeys((*RAW, *filters), NUL)]
    form = form_of(address, method)
    names = list(form.base_fields) if form else []
    if not route.is_api:
        return [dict.fromkeys([*names, *RAW, "reason", "title"], NUL)]
    if address.step:
        return [{"reason": NUL}, {"reason": "x", "data": dict.fromkeys(names, NUL)}, {NUL: NUL}]
    return [dict.fromkeys(names, NUL), dict.fromkeys(names, HUGE), {NUL: NUL}]


def test_no_address_breaks_at_what_no_column_holds(world, walked):
    wrong = []
    for visitor, address, method in readers(world, walked, {"get", "post", "patch"}):
        cache.clear()  # the limit of requests a minute is another test's matter
        broken = [
            f"{address.route.name} {address.name}: {method} {list(data)[:4]}"
            for data in sets_for(address, method)
            if visitor.ask(method, address.url, data).status >= 500
        ]
        wrong += broken
    assert not wrong, "\n".join(wrong)


def test_nothing_that_is_open_breaks_at_what_no_column_holds(world):
    nobody, wrong = Visitor(), []
    words = ("topic", "content", "phone", "number", "secret", "code", "username", "password")
    for name, url in open_addresses(world):
        sets = [{field: NUL} for field in ("q", "n", "area", "code", "number")]
        asked = [("get", data) for data in sets] + [("post", dict.fromkeys((*RAW, *words), NUL))]
        for method, data in asked:
            if nobody.ask(method, url, data).status >= 500:
                wrong.append(f"{name}: {method} {list(data)[:4]}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "path", ["/c/37%0099/", "/item/%00/", "/choose/%00/", "/console/lists/%00/views/", "/%00"]
)
def test_an_address_with_a_null_character_is_there_for_nobody(world, path):
    client = Client(raise_request_exception=False)
    client.force_login(world.people[Role.COMMUNITY_WORKER])
    assert client.get(path).status_code == 404


def test_a_query_is_read_without_null_characters(world):
    client = Client()
    client.force_login(world.people[Role.COMMUNITY_WORKER])
    for query in ("q=%00na%00me", "q=na%%0000me"):
        answer = client.get(reverse("orgs:units"), QUERY_STRING=query)
        assert answer.status_code == 200
        assert 'value="name"' in answer.content.decode()


@pytest.mark.parametrize(
    "body", ['{"reason": "\\ud800"}', '{"\\udfff": 1}', '{"x": NaN}', "{", b"\xff"]
)
def test_half_a_character_is_no_json(world, body):
    client = Client()
    client.force_login(world.people[Role.COMMUNITY_WORKER])
    answer = client.post("/api/v1/items/", body, content_type="application/json")
    assert answer.status_code == 400
    assert "不是有效的 JSON" in answer.json()["detail"]


def test_a_null_character_is_named_at_its_field(world):
    client = Client()
    client.force_login(world.people[Role.UNIT_LIAISON])
    page = client.post(reverse("members:member-add"), {"name": NUL})
    assert page.status_code == 422
    assert "有看不见的控制字符" in page.content.decode()


def test_a_null_character_in_a_table_is_left_out(world):
    """As all that no cell can hold (docs/sheets.md)."""
    titles = [field.column_name for field in MemberSheet().columns]
    line = ",".join("张\0三" if title == "姓名" else "?" for title in titles)
    file = SimpleUploadedFile("名册.csv", f"{','.join(titles)}\n{line}\n".encode())
    taken = imports.take(MemberSheet, file, by=world.people[Role.UNIT_LIAISON])
    assert taken.pk


# Far too much


def test_ten_megabytes_in_a_field_are_refused_in_words(world):
    client, size = Client(), 10 * 2**20
    client.force_login(world.people[Role.COMMUNITY_WORKER])
    page = client.post(reverse("services:item-add"), {"title": "字" * (size // 3)})
    assert page.status_code == 400
    assert "填写的内容过大" in page.content.decode()
    api = client.post(
        "/api/v1/items/", json.dumps({"title": "x" * size}), content_type="application/json"
    )
    assert api.status_code == 400
    assert "请求内容过大，最多 2.5 MB" in api.json()["detail"]
    resident = Client()
    resident.cookies["community"] = world.place.community.code
    resident = resident.post(
        reverse("portal:need-step", args=["content"]), {"content": "字" * (size // 3)}
    )
    assert resident.status_code == 400
    assert "填写的内容过大" in resident.content.decode()


def test_what_is_longer_than_its_field_is_told_so(world):
    client = Client()
    client.force_login(world.people[Role.COMMUNITY_WORKER])
    page = client.post(reverse("services:item-add"), {"title": "字" * 600_000})
    assert page.status_code == 422
    assert "现在是 600000 个" in page.content.decode()


# What is not seen


class NameForm(Form):
    name = forms.CharField(label="姓名", max_length=4)
    secret = forms.CharField(label="密码", strip=False, required=False)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("张\u200b三", "张三"),
        ("\u202e三张", "三张"),
        ("\u2066张三\u2069", "张三"),
        ("\ufeff张三", "张三"),
        ("👨\u200d👩\u200d👧", None),  # one picture, five characters
        ("👩\u200d👧", "👩\u200d👧"),
        ("𠮷㐂", "𠮷㐂"),
        ("\u200b\u200d", None),
        ("\u202e", None),
    ],
)
def test_a_name_is_read_as_it_is_seen(typed, read):
    form = NameForm({"name": typed})
    assert form.is_valid() is (read is not None)
    assert form.cleaned_data.get("name") == read


def test_a_name_of_nothing_that_is_seen_is_asked_for():
    form = NameForm({"name": "\u200b\u202e"})
    assert form.errors["name"] == ["请填写姓名。"]


def test_a_password_is_read_as_it_is_typed():
    form = NameForm({"name": "张三", "secret": "a\u200bb "})
    assert form.is_valid()
    assert form.cleaned_data["secret"] == "a\u200bb "


def test_the_order_of_letters_cannot_be_turned_about_by_the_api_either(world):
    client = Client()
    worker = world.people[Role.COMMUNITY_WORKER]
    client.force_login(worker)
    data = {
        "name": "\u202e阿里\u200b巴巴",
        "credit_code": credit_code(77_777),
        "kind": "bank",
        "area": world.place.community.code,
        "party_org": "党支部",
        "contact_name": "王",
    }
    made = client.post("/api/v1/units/", json.dumps(data), content_type="application/json")
    assert made.status_code == 201, made.json()
    assert Unit.objects.get(pk=made.json()["id"]).name == "阿里巴巴"


# Rare characters


def test_rare_characters_stay_as_they_are_from_the_form_to_page_search_and_sheet(world, tmp_path):
    """𠮷 lies beyond the first plane, 㐂 in no common font; both stand in people's names."""
    client, name = Client(), "𠮷㐂公司🌸"
    officer = world.people[Role.STREET_OFFICER]
    client.force_login(officer)
    data = {"name": name, "credit_code": credit_code(88_888), "kind": "private_firm"}
    data |= {"area": world.place.community.code, "party_org": "𠮷㐂支部", "contact_name": "㐂𠮷"}
    done = client.post(reverse("orgs:unit-add"), data)
    assert done.status_code == 302, done.content.decode()
    found = Unit.objects.get(credit_code=credit_code(88_888))
    assert (found.name, found.contact_name) == (name, "㐂𠮷")
    assert name in client.get(found.get_absolute_url()).content.decode()
    assert name in client.get(reverse("orgs:units"), {"q": "𠮷㐂"}).content.decode()
    assert name in client.get(reverse("console:search"), {"q": "𠮷㐂"}).content.decode()
    what = UnitRegister()
    asked = what.read(QueryDict(""), officer)
    export_to(tmp_path / "名册.csv", what, by=officer, asked=asked)
    with (tmp_path / "名册.csv").open(encoding="utf-8-sig", newline="") as file:
        assert any(name in row for row in csv.reader(file))


def test_an_encrypted_name_keeps_them_too(world):
    row = world.make("members.member")
    Member.objects.filter(pk=row.pk).update(name="𠮷㐂")
    client = Client()
    client.force_login(world.people[Role.COMMUNITY_WORKER])
    assert "𠮷㐂" in client.get(row.get_absolute_url()).content.decode()


def test_every_step_form_reads_as_it_is_seen():
    """All forms of transitions come from the base that does so."""
    from core.transitions import MACHINES

    plain = [
        step.form
        for machine in MACHINES.values()
        for step in machine.transitions.values()
        if step.form and not hasattr(import_string(step.form), "sections")
    ]
    assert not plain
