from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied

from core.errors import Refused
from orgs.actions.units import upsert_units
from orgs.credit_code import fault
from orgs.models import Unit
from tests.factories.accounts import person
from tests.factories.orgs import credit_code, small_city, unit


@pytest.mark.parametrize("code", ["91110000600037341L", "A1370200427400037X", credit_code(7)])
def test_good_credit_codes(code):
    assert fault(code) is None


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("9111000060003734", "18位，现在是16位"),
        ("91110000600037341M", "校验位"),
        ("I1110000600037341L", "不含 I"),
        ("91110A00600037341L", "第3至8位"),
        ("９1110000600037341L", "数字和大写字母"),
    ],
)
def test_bad_credit_codes_say_why(code, why):
    assert why in fault(code)


def values(area, serial=1, **changes):
    return {
        "name": "单位",
        "credit_code": credit_code(serial),
        "kind": "bank",
        "area": area,
    } | changes


@pytest.mark.django_db
def test_nothing_is_written_when_one_unit_lies_out_of_reach():
    place = small_city()
    officer = person("street_officer", place.street)
    foreign = unit(place.other_community, "外区单位")
    for bad in (
        values(place.other_community, 2),
        values(place.community, credit_code=foreign.credit_code),
    ):
        with pytest.raises(PermissionDenied):
            upsert_units(rows=[values(place.community), bad], by=officer)
    assert [u.name for u in Unit.objects.all()] == ["外区单位"]


@pytest.mark.django_db
def test_a_unit_cannot_be_moved_out_of_reach():
    place = small_city()
    officer = person("street_officer", place.street)
    own = unit(place.community)
    with pytest.raises(PermissionDenied):
        upsert_units(rows=[values(place.other_community, credit_code=own.credit_code)], by=officer)
    own.refresh_from_db()
    assert own.area == place.community


@pytest.mark.django_db
def test_one_code_twice_is_refused():
    place = small_city()
    with pytest.raises(Refused, match="两次"):
        upsert_units(rows=[values(place.community)] * 2, by=person("street_officer", place.street))
    assert not Unit.objects.exists()


@pytest.mark.django_db
def test_a_changed_unit_keeps_what_the_row_does_not_name():
    place = small_city()
    officer = person("street_officer", place.street)
    own = unit(place.community, "旧名", contact_name="王", state="left")
    made = own.created_at
    result = upsert_units(rows=[{"credit_code": own.credit_code, "name": "新名"}], by=officer)
    assert result == (0, 1)
    own.refresh_from_db()
    assert (own.name, own.contact_name, own.state, own.created_at) == ("新名", "王", "left", made)
