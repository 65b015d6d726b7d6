from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc

from core.audit import timeline
from core.errors import Conflict, Refused
from core.transitions import transit
from orgs.actions.tree import retire_area
from orgs.actions.units import register_unit, update_unit, upsert_units
from orgs.credit_code import fault
from orgs.models import Unit
from tests.factories.accounts import person
from tests.factories.orgs import credit_code, small_city, unit


@given(st.text("0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=9, max_size=9), st.integers(0, 999999))
def test_the_check_digit_is_the_one_of_the_standard(letters, division):
    body = f"{letters[:2]}{division:06d}{letters[:9]}"
    right = uscc.calc_check_digit(body)
    good = [last for last in "0123456789ABCDEFGHJKLMNPQRTUWXY" if fault(body + last) is None]
    assert good == [right]


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


OWN = 900_000  # the factory numbers its units from 1


def values(area, serial=1, **changes):
    return {
        "name": "单位",
        "credit_code": credit_code(OWN + serial),
        "kind": "bank",
        "area": area,
    } | changes


@pytest.mark.django_db
def test_nothing_is_written_when_one_unit_lies_out_of_reach():
    place = small_city()
    officer = person("street_officer", place.street)
    foreign = unit(place.other_community, "外区单位")
    outside = values(place.other_community, 2)
    taken_over = values(place.community, credit_code=foreign.credit_code)
    for new, changed in (([outside], []), ([], [taken_over])):
        with pytest.raises(PermissionDenied):
            upsert_units(new=[values(place.community), *new], changed=changed, by=officer)
    assert [u.name for u in Unit.objects.all()] == ["外区单位"]


@pytest.mark.django_db
def test_a_unit_cannot_be_moved_out_of_reach():
    place = small_city()
    officer = person("street_officer", place.street)
    own = unit(place.community)
    moved = values(place.other_community, credit_code=own.credit_code)
    with pytest.raises(PermissionDenied):
        upsert_units(new=[], changed=[moved], by=officer)
    own.refresh_from_db()
    assert own.area == place.community


@pytest.mark.django_db
def test_one_code_twice_is_refused():
    place = small_city()
    officer, row = person("street_officer", place.street), values(place.community)
    for new, changed in (([row, row], []), ([row], [row]), ([], [row, row])):
        with pytest.raises(Refused, match="两次"):
            upsert_units(new=new, changed=changed, by=officer)
    assert not Unit.objects.exists()


@pytest.mark.django_db
def test_a_changed_unit_keeps_what_the_row_does_not_name():
    place = small_city()
    officer = person("street_officer", place.street)
    own = unit(place.community, "旧名", contact_name="王", state="left")
    made = own.created_at
    row = {"credit_code": own.credit_code, "name": "新名"}
    result = upsert_units(new=[], changed=[row], by=officer)
    assert result == (0, 1)
    own.refresh_from_db()
    assert (own.name, own.contact_name, own.state, own.created_at) == ("新名", "王", "left", made)


@pytest.fixture
def place(db):
    return small_city()


def test_what_somebody_else_registered_or_took_away_meanwhile_is_not_written_over(place, worker):
    """A register that was checked a moment ago: its new unit is there, its old one is not."""
    there = unit(place.community, "他人登记")
    row = values(place.community, credit_code=there.credit_code, name="表中")
    with pytest.raises(Conflict, match="刚刚由他人登记"):
        upsert_units(new=[values(place.community), row], changed=[], by=worker)
    with pytest.raises(Conflict, match="刚刚由他人修改"):
        upsert_units(new=[], changed=[row, values(place.community)], by=worker)
    assert [u.name for u in Unit.objects.all()] == ["他人登记"]


@pytest.fixture
def worker(place):
    return person("community_worker", place.community)


def test_a_unit_is_registered_tidied_typed_and_audited(place, worker):
    fields = values(place.community, name=" 重庆路小学 ", party_org="", contact_name=" 王芳 ")
    found = register_unit(
        **fields | {"credit_code": f" {credit_code(OWN + 1).lower()} "}, by=worker
    )
    assert (found.name, found.contact_name) == ("重庆路小学", "王芳")
    assert (found.credit_code, found.initials) == (credit_code(OWN + 1), "cqlxx")
    assert found.street_id == place.street.pk
    assert [e.action for e in timeline(found)] == ["orgs.unit.register"]


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"name": "  "}, "name", "不能为空"),
        ({"credit_code": "91110000600037341M"}, "credit_code", "校验位"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(place, worker, changes, field, says):
    with pytest.raises(Refused, match=says) as error:
        register_unit(**values(place.community, **changes), by=worker)
    assert error.value.field == field
    assert not Unit.objects.exists()


def test_a_unit_lies_where_somebody_looks_after_it(place):
    officer = person("street_officer", place.street)
    retire_area(area=place.grid, by=None)
    with pytest.raises(Refused, match="撤销"):
        register_unit(**values(place.grid), by=officer)
    register_unit(**values(place.street), by=officer)
    with pytest.raises(PermissionDenied):
        register_unit(**values(place.other_community, 2), by=officer)


def test_a_code_is_registered_once_wherever_it_is(place, worker):
    foreign = unit(place.other_community)
    with pytest.raises(Refused, match="已登记过单位") as error:
        register_unit(**values(place.community, credit_code=foreign.credit_code), by=worker)
    assert error.value.field == "credit_code"
    own = unit(place.community)
    with pytest.raises(Refused, match="已登记过单位"):
        update_unit(unit=own, credit_code=foreign.credit_code, by=worker)
    assert Unit.objects.get(pk=own.pk).credit_code == own.credit_code


def test_a_change_restamps_only_within_reach(place):
    officer = person("street_officer", place.street)
    own = unit(place.community)
    moved = update_unit(unit=own, area=place.sibling_community, by=officer)
    assert Unit.objects.get(pk=own.pk).community_id == place.sibling_community.pk
    with pytest.raises(PermissionDenied):
        update_unit(unit=moved, area=place.other_community, by=officer)
    events = timeline(own).count()
    update_unit(unit=moved, name=own.name, by=officer)
    assert timeline(own).count() == events, "nothing changed, nothing on record"


def test_leaving_and_coming_back(place, worker):
    own = unit(place.grid)
    today = timezone.localdate()
    for day, says in ((today + timedelta(days=1), "不能晚于"), (today - timedelta(9), "不能早于")):
        with pytest.raises(Refused, match=says):
            transit(own, "leave", by=worker, reason="迁址", left_on=day)
    gone = transit(own, "leave", by=worker, reason="迁址")
    assert (gone.state, gone.left_on) == ("left", today)
    with pytest.raises(Conflict):
        transit(own, "leave", by=worker, reason="迁址")
    retire_area(area=place.grid, by=None)
    with pytest.raises(Refused, match="请先修改所在地"):
        transit(gone, "return", by=worker, reason="误操作")
    update_unit(unit=gone, area=place.community, by=worker)
    assert transit(gone, "return", by=worker, reason="误操作").left_on is None


def test_the_database_dates_a_departure(place):
    own = unit(place.community)
    with pytest.raises(IntegrityError), transaction.atomic():
        Unit.objects.filter(pk=own.pk).update(state="left")
