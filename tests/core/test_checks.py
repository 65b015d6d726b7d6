"""Live checks of codes: what the action would say, said at the field."""

from __future__ import annotations

import re
from html import unescape

import pytest

from accounts.enums import Role
from core.checks import CHECKS, check
from core.errors import Refused
from orgs.actions.tree import create_area
from orgs.actions.units import register_unit
from tests.core.browsing import htmx, signed_in, text
from tests.factories.accounts import person
from tests.factories.orgs import credit_code, small_city, unit

pytestmark = pytest.mark.django_db
UNITS = "/console/orgs/units/"


@pytest.fixture
def place():
    return small_city()


@pytest.fixture
def officer(place):
    return person(Role.STREET_OFFICER, place.street)


@pytest.fixture
def client(officer):
    return signed_in(officer)


def address(page: str, name: str) -> str:
    """Where the field `name` of a page asks."""
    box = re.search(rf'<input[^>]* name="{name}"[^>]*>', page)[0]
    assert f'hx-target="#id_{name}_live"' in box
    assert f'id="id_{name}_live" role="status"' in page
    return unescape(re.search(r'hx-get="([^"]*)"', box)[1])


def asked(client, at: str, name: str, value: str) -> str:
    where = address(client.get(at).content.decode(), name)
    return text(client.get(f"{where}&{name}={value}"))


def test_a_credit_code_is_checked_for_its_form_and_its_use(client, place):
    at = f"{UNITS}add/"
    free = credit_code(901)
    assert asked(client, at, "credit_code", free.lower()) == "代码有效，可以使用。"
    assert "应为18位，现在是3位" in asked(client, at, "credit_code", "913")
    wrong = free[:-1] + ("0" if free[-1] != "0" else "1")
    assert "校验位不对" in asked(client, at, "credit_code", wrong)
    mine = unit(place.community, "青岛银行")
    assert asked(client, at, "credit_code", mine.credit_code) == "已登记为“青岛银行”。 查看"
    assert asked(client, at, "credit_code", "") == ""
    assert asked(client, at, "credit_code", "%20") == ""


def test_a_unit_out_of_sight_is_not_named(client, place):
    far = unit(place.other_community, "别处的银行")
    said = asked(client, f"{UNITS}add/", "credit_code", far.credit_code)
    assert said == "代码有效，但已登记过单位，请由登记处修改所在地。"


def test_a_units_own_code_is_not_in_its_way(client, place):
    mine = unit(place.community)
    at = f"{UNITS}{mine.pk}/edit/"
    assert asked(client, at, "credit_code", mine.credit_code) == "代码有效，可以使用。"


def test_a_division_code_is_checked_against_its_level_its_superior_and_its_use(client, place):
    at = f"/console/orgs/areas/{place.community.pk}/below/"
    code = place.community.code
    assert asked(client, at, "code", f"{code}009") == "代码有效，可以使用。"
    assert "已被使用" in asked(client, at, "code", place.grid.code)
    assert asked(client, at, "code", "123").startswith("区划代码")
    other = f"{place.sibling_community.code}009"
    assert asked(client, at, "code", other).startswith("区划代码")


def test_a_check_says_what_the_action_says(client, officer, place):
    """Good here is good there, and the other way round."""
    codes = [credit_code(902), credit_code(902)[:-2], unit(place.community).credit_code]
    for code in codes:
        ok = CHECKS["credit-code"].answer(code, officer, "").ok
        values = {"name": "新单位", "kind": "school", "area": place.community, "by": officer}
        assert ok == _passes(lambda c=code, v=values: register_unit(credit_code=c, **v))
    at = str(place.community.pk)
    for code in (f"{place.community.code}008", "12", place.grid.code, f"{place.city.code}001"):
        ok = CHECKS["area-code"].answer(code, officer, at).ok
        values = {"kind": "grid", "name": "新网格", "parent": place.community, "by": officer}
        assert ok == _passes(lambda c=code, v=values: create_area(code=c, **v)), code


def _passes(deed) -> bool:
    try:
        deed()
    except Refused:
        return False
    return True


def test_only_who_may_use_the_form_may_ask(client, place):
    liaison = signed_in(person(Role.UNIT_LIAISON, unit(place.community)))
    ask_for = "/console/checks/credit-code/?field=credit_code&credit_code=913"
    assert client.get(ask_for).status_code == 200
    assert liaison.get(ask_for).status_code == 403
    assert client.get("/console/checks/nothing/").status_code == 404
    far = f"/console/checks/area-code/?field=code&code=1&about={place.other_community.pk}"
    assert "上级已不可用" in text(client.get(far))
    assert "上级已不可用" in text(client.get(far.replace("about=", "about=²")))


def test_a_field_that_asks_too_late_does_not_lead_its_form_away(client):
    client.logout()
    answer = client.get("/console/checks/credit-code/?field=c&c=1", **htmx("id_credit_code_live"))
    assert answer.status_code == 204
    assert "HX-Redirect" not in answer


def test_no_two_checks_share_a_name():
    with pytest.raises(ValueError, match="credit-code"):
        check("credit-code", perm="units.edit", answer=lambda *a: None)
