"""Forms: nothing typed is lost, nothing is half written, nobody overwrites unknowingly."""

import re
from html import unescape

import pytest
from django import forms
from django.core.exceptions import ValidationError

from core.forms import Form, ModelForm, PlaceField
from core.models import AuditEvent
from grids.forms import CountForm
from members.forms import PostForm
from orgs.models import Unit
from tests.core.browsing import signed_in, text
from tests.factories.accounts import person
from tests.factories.orgs import credit_code, small_city, unit

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


def filled(place, **changed) -> dict[str, str]:
    return {
        "name": "本街道中学",
        "kind": "school",
        "credit_code": credit_code(777),
        "area": f"{place.community.name} {place.community.code}",
        "contact_name": "王联络",
        **changed,
    }


def typed(response) -> dict[str, str]:
    """What the form's boxes hold, the hidden version included."""
    page = response.content.decode()
    boxes = re.findall(r"<input[^>]*>", page)
    found = {}
    for box in boxes:
        name, value = (re.search(rf' {a}="([^"]*)"', box) for a in ("name", "value"))
        if name and value:
            found[name[1]] = unescape(value[1])
    for shell in ("csrfmiddlewaretoken", "next", "_draft"):
        found.pop(shell, None)
    chosen = re.search(r'<option value="([^"]*)" selected', page)
    return found | ({"kind": chosen[1]} if chosen else {})


def title(response) -> str:
    return re.search(r"<title>(.*?)</title>", response.content.decode())[1]


def test_a_new_object_is_written_by_the_action_and_shown(client, place, officer):
    response = client.post(f"{UNITS}add/", filled(place), follow=True)
    made = Unit.objects.get()
    assert made.area == place.community
    assert response.redirect_chain == [(made.get_absolute_url(), 302)]
    assert "已保存" in text(response)
    event = AuditEvent.objects.get(action="orgs.unit.create")
    assert event.actor_id == officer.pk


def test_errors_stand_at_the_field_and_in_a_summary_that_takes_the_focus(client, place):
    response = client.post(f"{UNITS}add/", filled(place, name="", kind="?"))
    assert response.status_code == 422
    assert title(response).startswith("错误：登记单位")
    page = response.content.decode()
    summary = re.search(r'<div class="errors".*?</div>', page, re.DOTALL)[0]
    assert "autofocus" in summary
    assert 'href="#id_name"' in summary
    assert 'href="#id_kind"' in summary
    box = re.search(r'<input[^>]*name="name"[^>]*>', page)[0]
    assert 'aria-invalid="true"' in box
    described = re.search(r'aria-describedby="([^"]*)"', box)[1]
    assert f'id="{described}"' in page
    assert typed(response)["contact_name"] == "王联络"
    assert not Unit.objects.exists()


def test_what_the_action_refuses_is_shown_at_its_field_with_all_that_was_typed(client, place):
    response = client.post(f"{UNITS}add/", filled(place, name="禁用"))
    assert response.status_code == 422
    assert "单位名称：这个名称不能使用，请换一个。" in text(response)
    assert typed(response) == filled(place, name="禁用") | {"_version": ""}
    assert not Unit.objects.exists()


def test_a_refusal_after_a_write_takes_the_write_back(client, place):
    mine = unit(place.community, "旧名")
    shown = typed(client.get(f"{UNITS}{mine.pk}/edit/"))
    response = client.post(
        f"{UNITS}{mine.pk}/edit/", shown | {"name": "新名", "contact_name": "无"}
    )
    assert response.status_code == 422
    assert "至少要有一位联络员" in text(response)
    assert typed(response)["name"] == "新名"
    mine.refresh_from_db()
    assert mine.name == "旧名"
    assert not AuditEvent.objects.filter(action="orgs.unit.update").exists()


def test_the_form_shows_what_is_known_and_saves_what_changed(client, place):
    mine = unit(place.community, "旧名", kind="school")
    shown = typed(client.get(f"{UNITS}{mine.pk}/edit/"))
    assert shown["area"] == f"{place.community.name} {place.community.code}"
    response = client.post(f"{UNITS}{mine.pk}/edit/", shown | {"name": "新名"})
    assert response.status_code == 302
    event = AuditEvent.objects.get(action="orgs.unit.update")
    assert '"name":"旧名"' in event.before
    assert '"name":"新名"' in event.after


def test_two_people_on_one_object_the_second_is_told_and_then_decides(client, place):
    mine = unit(place.community, "旧名")
    address = f"{UNITS}{mine.pk}/edit/"
    colleague = signed_in(person("street_officer", place.street, name="张三"))
    first, second = typed(colleague.get(address)), typed(client.get(address))
    assert colleague.post(address, first | {"contact_name": "赵六"}).status_code == 302

    response = client.post(address, second | {"name": "我的新名"})
    assert response.status_code == 409
    shown = text(response)
    assert "已被他人修改" in shown
    assert "张三 在" in shown
    assert "联络员：王联络 → 赵六" in shown
    again = typed(response)
    assert again["name"] == "我的新名"
    mine.refresh_from_db()
    assert mine.name == "旧名"

    assert client.post(address, again).status_code == 302
    mine.refresh_from_db()
    assert (mine.name, mine.contact_name) == ("我的新名", "王联络")


def test_an_update_without_the_version_it_was_made_from_is_not_taken(client, place):
    mine = unit(place.community, "旧名")
    response = client.post(f"{UNITS}{mine.pk}/edit/", filled(place, credit_code=mine.credit_code))
    assert response.status_code == 409


def test_nobody_moves_an_object_out_of_their_own_reach(client, place):
    mine = unit(place.community, "旧名")
    shown = typed(client.get(f"{UNITS}{mine.pk}/edit/"))
    far = place.other_community
    response = client.post(f"{UNITS}{mine.pk}/edit/", shown | {"area": f"{far.name} {far.code}"})
    assert response.status_code == 422  # the field knows no such place for this person
    assert "没有找到" in text(response)
    mine.refresh_from_db()
    assert mine.area == place.community


def test_an_object_without_the_right_over_it_is_forbidden_and_out_of_sight_unknown(place):
    mine, foreign = unit(place.community), unit(place.other_community)
    liaison = signed_in(person("unit_liaison", mine))
    for method in (liaison.get, liaison.post):
        assert method(f"{UNITS}{mine.pk}/edit/").status_code == 403
        assert method(f"{UNITS}{foreign.pk}/edit/").status_code == 404
        assert method(f"{UNITS}add/").status_code == 403


def test_the_chosen_place_survives_a_form(client, place):
    address = f"{UNITS}add/?area={place.community.pk}"
    response = client.post(address, filled(place))
    assert response["Location"].endswith(f"?area={place.community.pk}")


class PlaceForm(ModelForm):
    area = PlaceField(label="所在地", kinds=("community", "street"))

    class Meta:
        model = Unit
        fields = ("area",)


@pytest.mark.parametrize(
    "written", ["379901001001", "随便写 379901001001", "111社区居委会", "111", "111社区居委会 "]
)
def test_a_place_is_found_by_code_name_or_part_of_it(place, officer, written):
    form = PlaceForm({"area": written}, user=officer)
    assert form.is_valid(), form.errors
    assert form.cleaned_data["area"] == place.community


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("不存在", "没有找到“不存在”"),
        ("社区", "对应多个地点"),
        ("379901001001001", "没有找到"),  # a grid, where a community or street is asked for
        ("379902001001", "没有找到"),  # out of reach
        ("", "请填写所在地。"),
    ],
)
def test_a_place_that_does_not_fit_is_refused_with_what_to_do(place, officer, written, said):
    form = PlaceForm({"area": written}, user=officer)
    assert not form.is_valid()
    assert said in str(form.errors["area"])


def test_a_place_anywhere_is_found_beyond_ones_reach(place, officer):
    field = PlaceField(label="居住地", anywhere=True)
    field.user = officer
    assert field.clean(place.other_community.code) == place.other_community
    with pytest.raises(ValidationError, match="没有找到"):
        field.clean("不存在")


def test_a_model_form_never_writes():
    with pytest.raises(TypeError, match="call the action"):
        PlaceForm({}).save()


class Boxes(Form):
    name = forms.CharField(label="名称", max_length=3)
    count = forms.IntegerField(label="名额", min_value=1)
    share = forms.DecimalField(label="比例")
    on = forms.DateField(label="时限")
    kind = forms.ChoiceField(label="类别", choices=[("need", "需求")])
    agreed = forms.BooleanField(label="已征得居民同意")
    own = forms.DateField(label="日期", error_messages={"invalid": "日子不对。"})


def test_a_wrong_box_says_what_to_do_in_words_of_its_own_or_ours():
    form = Boxes(
        {"name": "四个字长", "count": "0", "share": "x", "on": "x", "kind": "x", "own": "x"}
    )
    assert {name: list(found) for name, found in form.errors.items()} == {
        "name": ["最多 3 个字，现在是 4 个。"],
        "count": ["不能小于 1。"],
        "share": ["请填写数字。"],
        "on": ["请按“2026-11-21”的样子填写日期。"],
        "kind": ["请从列出的选项中选择。"],
        "agreed": ["请勾选已征得居民同意。"],
        "own": ["日子不对。"],
    }


def test_a_box_knows_the_lowest_number_that_a_check_of_its_model_allows():
    box = PostForm.base_fields["headcount"]
    for below in ("0", "-1"):
        with pytest.raises(ValidationError, match="招募人数至少为 1。"):
            box.clean(below)
    assert box.clean("1") == 1
    assert box.widget.attrs["min"] == 1
    households = CountForm.base_fields["households"]  # bound by no such check
    assert households.clean("0") == 0
