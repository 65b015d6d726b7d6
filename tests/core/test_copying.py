"""Many rows at once: what COPY writes is what a save would have written."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import IntegrityError, transaction

from core.copying import insert_all, maker, update_all
from members.models import Member
from orgs.models import Unit
from tests.factories.orgs import credit_code, small_city, unit

pytestmark = pytest.mark.django_db
ODD = ["\\N", "a\tb", "一\n二\r三", "\\", "", "'; --", "𠮷", "\\.", "末\\"]


@pytest.fixture
def place():
    return small_city()


def made(place, number: int, **values) -> Unit:
    code = credit_code(700_000 + number)
    return maker(Unit)(credit_code=code, area_id=place.community.pk, kind="bank", **values)


def test_texts_of_any_kind_come_back_as_they_were(place):
    units = [made(place, n, name=text) for n, text in enumerate(ODD)]
    insert_all(units)
    assert [Unit.objects.get(pk=one.pk).name for one in units] == ODD
    assert not units[0]._state.adding


def test_a_made_object_is_like_a_new_one(place):
    code = credit_code(700_001)
    new = Unit(credit_code=code, area=place.community, kind="bank", name="甲")
    fast = made(place, 1, name="甲")
    fields = [field.attname for field in Unit._meta.concrete_fields]
    assert [getattr(fast, name) for name in fields] == [getattr(new, name) for name in fields]
    assert type(fast.state) is str, "as it is read back"
    assert fast._state.adding
    assert fast.area == place.community
    assert made(place, 2)._state is not fast._state


def test_what_is_encrypted_is_encrypted_and_days_stay_days(place):
    home = unit(place.community)
    member = maker(Member)(
        unit_id=home.pk,
        area_id=place.community.pk,
        name="王",
        phone="13812345678",
        left_on=date(2026, 1, 2),
    )
    insert_all([member])
    kept = Member.objects.get(pk=member.pk)
    assert (kept.phone, kept.left_on, kept.grid_id) == ("13812345678", date(2026, 1, 2), None)
    assert abs((kept.created_at - kept.updated_at).total_seconds()) < 1


def test_one_row_too_many_and_none_is_written(place):
    twice = [made(place, 1, name="甲"), made(place, 1, name="乙")]
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_all(twice)
    assert not Unit.objects.exists()


def test_only_the_named_fields_are_updated_twice_in_one_transaction(place):
    units = [unit(place.community, f"单位{n}") for n in range(3)]
    for text in ODD:
        for one in units:
            one.name, one.contact_name = text, "不写"
        update_all(units, ["name"])
        kept = Unit.objects.filter(pk__in=[one.pk for one in units])
        assert {(one.name, one.contact_name) for one in kept} == {(text, "王联络")}
