"""A phone number is cipher in the database, masked on every way out, and looked at on record."""

import logging

import pytest
from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction

from accounts.enums import Role
from core import audit
from core.errors import Refused
from core.models import AuditEvent, Notification
from members.actions.member import reveal_phone, revise_member
from members.models import Member
from tests.factories import members as make
from tests.factories.accounts import person
from tests.factories.orgs import small_city

pytestmark = pytest.mark.django_db

PHONE = "10087654321"


@pytest.fixture
def place():
    return small_city()


@pytest.fixture
def sides(place):
    return make.side(place.community)


def test_nothing_stores_it_in_the_clear(sides, caplog):
    with caplog.at_level(logging.DEBUG):
        member = make.member(sides, phone=PHONE)
        revise_member(
            member=member, name="新名", speciality="", party_org="", phone=PHONE, by=sides.liaison
        )
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM members_member")
        assert PHONE not in str(cursor.fetchall())
    written = [
        *AuditEvent.objects.values_list("before", "after", "reason", "object_label"),
        *Notification.objects.values_list("title", "body"),
    ]
    assert PHONE not in str(written)
    assert PHONE not in caplog.text
    assert member.phone_index not in str(written)
    member.refresh_from_db()
    assert (member.phone, member.masked_phone) == (PHONE, "100****4321")


def test_looking_needs_the_right_and_a_reason_and_is_on_record(place, sides):
    member = make.member(sides, phone=PHONE)
    department = person(Role.ORG_DEPARTMENT, place.city)
    for by in (sides.worker, sides.liaison, person(Role.STREET_OFFICER, place.street)):
        with pytest.raises(PermissionDenied):
            reveal_phone(member=member, reason="联系本人", by=by)
    with pytest.raises(PermissionDenied):
        reveal_phone(
            member=member, reason="联系", by=person(Role.ORG_DEPARTMENT, place.other_district)
        )
    with pytest.raises(Refused, match="用途"):
        reveal_phone(member=member, reason="  ", by=department)
    assert not AuditEvent.objects.filter(action="members.member.unmask").exists()
    assert reveal_phone(member=member, reason="表彰前核实", by=department) == PHONE
    seen = AuditEvent.objects.get(action="members.member.unmask")
    assert (seen.actor_id, seen.reason, seen.object_id) == (
        department.pk,
        "表彰前核实",
        str(member.pk),
    )
    assert PHONE not in f"{seen.before}{seen.after}"
    assert audit.timeline(member).last() == seen


def test_the_same_number_is_not_registered_twice_and_the_message_gives_nothing_away(place, sides):
    make.member(sides, phone=PHONE, name="孙同志")
    other = make.side(place.other_community)
    for spelling in (
        PHONE,
        "100 8765 4321",
        "100-8765-4321",
        "１００８７６５４３２１",
        "100－8765－4321",
    ):
        with pytest.raises(Refused) as told:
            make.member(other, phone=spelling)
        assert told.value.field == "phone"
        assert "孙同志" not in str(told.value)
        assert sides.unit.name not in str(told.value)
        assert PHONE not in str(told.value)
    assert Member.objects.count() == 1


def test_a_number_in_full_width_is_that_number(sides):
    assert make.member(sides, phone="１００－８７６５－４３２１").phone == PHONE


def test_of_two_without_a_number_the_name_must_differ(sides):
    make.member(sides, phone="", name="李明")
    with pytest.raises(Refused, match="同名的另一人"):
        make.member(sides, phone="", name="李明")
    make.member(sides, name="李明")
    with pytest.raises(IntegrityError), transaction.atomic():
        Member.objects.filter(name="李明").update(phone_index="")


@pytest.mark.parametrize("phone", ["12345", "2001234567890", "abcdefghijk", "100876543210"])
def test_what_is_no_number_is_told_without_repeating_it(sides, phone):
    with pytest.raises(Refused) as told:
        make.member(sides, phone=phone)
    assert phone not in str(told.value)


def test_a_form_that_shows_the_mask_leaves_the_number_alone(sides):
    member = make.member(sides, phone=PHONE)
    revise_member(member=member, name="新名", speciality="", party_org="", by=sides.liaison)
    member.refresh_from_db()
    assert (member.name, member.phone) == ("新名", PHONE)


def test_no_model_of_members_asks_for_more_than_is_allowed():
    """domain.md §7: no identity numbers, birthdays, addresses, positions, points."""
    banned = ("id_card", "identity", "birth", "address", "latitude", "longitude", "score", "points")
    names = [
        field.name
        for model in apps.get_app_config("members").get_models()
        for field in model._meta.get_fields()
    ]
    assert not [name for name in names if any(word in name for word in banned)]
