"""A unit's register comes in: checked row by row, written all or none, phones never repeated."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.enums import Role
from core.errors import Conflict, Refused
from core.models import AuditEvent, Notification
from core.sheets.checking import check, write
from members.actions.intake import register_members
from members.models import Member, Reporting
from members.sheets import MemberSheet
from orgs.actions.tree import rename_area
from tests.core.sheetkit import book
from tests.factories import members as make
from tests.factories.accounts import person
from tests.factories.orgs import small_city, unit

pytestmark = pytest.mark.django_db

HEAD = ["姓名", "手机号", "单位统一社会信用代码", "居住社区代码", "单位党组织", "特长"]
PHONE = "10087654321"


@pytest.fixture
def place():
    return small_city()


@pytest.fixture
def sides(place):
    return make.side(place.community)


def checked(tmp_path, by, *rows):
    return check(book(tmp_path / "in.xlsx", [HEAD, *rows]), MemberSheet(), by=by)


def taken(tmp_path, by, *rows):
    return write(checked(tmp_path, by, *rows), MemberSheet(), by=by)


def errors(found) -> list[tuple[int, str, str]]:
    return [(e.row, e.column, e.reason) for e in found.errors]


def line(number, area, code="", **more):
    return [
        more.get("name", f"党员{number}"),
        more.get("phone", make.phone(number)),
        code,
        area.code,
        more.get("party_org", ""),
        more.get("speciality", ""),
    ]


def test_a_liaison_brings_in_its_members_wherever_they_live(tmp_path, place, sides):
    done = taken(
        tmp_path,
        sides.liaison,
        line(1, place.community, speciality="急救"),
        line(2, place.grid, party_org="第二支部"),
        line(3, place.other_community, sides.unit.credit_code),
    )
    assert done == (3, 0)
    first, second, third = Member.objects.order_by("pk")
    assert (first.speciality, first.unit, first.party_org) == (
        "急救",
        sides.unit,
        sides.unit.party_org,
    )
    assert (second.grid, second.party_org) == (place.grid, "第二支部")
    assert third.community == place.other_community
    assert list(Reporting.objects.values_list("state", flat=True)) == ["pending"] * 3
    told = Notification.objects.filter(user=sides.worker)
    assert [message.title for message in told] == [f"{place.community.name}有 2 名党员待报到"]
    assert AuditEvent.objects.filter(action="members.member.import").count() == 3


def test_what_is_wrong_is_named_and_nothing_is_written(tmp_path, place, sides):
    foreign = unit(place.community)
    found = checked(
        tmp_path,
        sides.liaison,
        line(1, place.community, name=""),
        line(2, place.community, phone="12345"),
        line(3, place.street),
        line(4, place.community, foreign.credit_code),
        line(5, place.community, phone=PHONE),
        line(6, place.community, phone=f"{PHONE[:3]} {PHONE[3:]}"),
    )
    assert errors(found) == [
        (2, "姓名", "必填，不能为空"),
        (3, "手机号", "应为11位手机号，固定电话带区号"),
        (4, "居住社区代码", "没有这个社区或网格，或不在您的管理范围内"),
        (5, "单位统一社会信用代码", "没有这个单位，或不在您的管理范围内"),
        (7, "手机号", "与第 6 行重复"),
    ]
    assert PHONE not in str([error.value for error in found.errors])
    assert "12345" not in str([error.value for error in found.errors])
    with pytest.raises(Refused):
        write(found, MemberSheet(), by=sides.liaison)
    assert not Member.objects.exists()


def test_one_registered_already_is_corrected_but_neither_moved_nor_taken_over(
    tmp_path, place, sides
):
    make.member(sides, phone=PHONE, name="旧名", speciality="")
    row = line(1, place.community, phone=PHONE, name="新名", speciality="书法")
    found = checked(tmp_path, sides.liaison, row)
    assert [(r.is_new, sorted(r.changes)) for r in found.rows] == [
        (False, ["单位党组织", "姓名", "特长"])
    ]
    assert write(found, MemberSheet(), by=sides.liaison) == (0, 1)
    member = Member.objects.get()
    assert (member.name, member.speciality, member.phone) == ("新名", "书法", PHONE)
    assert Reporting.objects.count() == 1

    moved = checked(tmp_path, sides.liaison, line(1, place.other_community, phone=PHONE))
    assert [(e.column, "转出" in e.reason) for e in moved.errors] == [("居住社区代码", True)]
    other = make.side(place.community)
    stolen = checked(tmp_path, other.liaison, row)
    assert [e.column for e in stolen.errors] == ["手机号"]
    assert "其他单位" in stolen.errors[0].reason
    assert "旧名" not in str(stolen.errors)
    assert stolen.errors[0].value == "100****4321"


def test_one_registered_since_the_check_is_not_written_over(tmp_path, place, sides):
    found = checked(tmp_path, sides.liaison, line(1, place.community, phone=PHONE, name="表中"))
    make.member(sides, phone=PHONE, name="刚登记")
    with pytest.raises(Conflict, match="刚刚由他人登记"):
        write(found, MemberSheet(), by=sides.liaison)
    assert Member.objects.get().name == "刚登记"


def test_one_who_left_since_the_check_is_not_written_over(tmp_path, place, sides):
    member = make.member(sides, phone=PHONE, name="旧名")
    row = {"phone": PHONE, "name": "表中", "unit": sides.unit, "area": place.community}
    Member.objects.filter(pk=member.pk).update(left_on="2026-01-01")
    with pytest.raises(Conflict, match="刚刚由他人修改"):
        register_members(new=[], changed=[row], by=sides.liaison)
    with pytest.raises(Refused, match="两次"):
        register_members(new=[row], changed=[row], by=sides.liaison)
    assert Member.objects.get().name == "旧名"


def test_a_street_brings_in_its_residents_from_any_unit_of_the_city(tmp_path, place, sides):
    officer = person(Role.STREET_OFFICER, place.street)
    away = unit(place.other_community)
    found = checked(
        tmp_path,
        officer,
        line(1, place.community, away.credit_code),
        line(2, place.other_community, away.credit_code),
        line(3, place.community),
    )
    assert errors(found) == [
        (3, "居住社区代码", "没有这个社区或网格，或不在您的管理范围内"),
        (4, "单位统一社会信用代码", "必填，不能为空"),
    ]
    assert taken(tmp_path, officer, line(1, place.community, away.credit_code)) == (1, 0)
    assert Member.objects.get().unit == away


def test_no_phone_reaches_the_audit_log(tmp_path, place, sides):
    taken(tmp_path, sides.liaison, line(1, place.community, phone=PHONE))
    said = str(list(AuditEvent.objects.values_list("before", "after", "object_label")))
    assert PHONE not in said


def test_a_hundred_rows_cost_hardly_more_than_ten(tmp_path, place, sides):
    costs = []
    for start, count in ((100, 10), (1000, 100)):
        rows = [line(start + n, place.community) for n in range(count)]
        with CaptureQueriesContext(connection) as queries:
            assert taken(tmp_path, sides.liaison, *rows) == (count, 0)
        costs.append(len(queries))
    assert costs[1] - costs[0] < 10  # SQLite splits an insert by the number of its values


def test_who_has_no_phone_or_has_left_is_not_found_by_one(sides):
    here, left = make.member(sides, phone=PHONE), make.member(sides)
    make.member(sides, phone="")
    Member.objects.filter(pk=left.pk).update(left_on="2026-01-01")
    asked = [here.phone_index, left.phone_index, ""]
    assert list(Member.objects.under_phones(asked)) == [here]


NO_UNIT = "没有这个单位，或不在您的管理范围内"


def test_a_unit_goes_by_its_full_name_and_a_home_by_what_it_is_called(tmp_path, place):
    officer = person(Role.STREET_OFFICER, place.street)
    hospital = unit(place.other_community, "测试市第一人民医院（集团）")
    plain = unit(place.community, "测试(市政)公司")
    twins = [unit(place.community, "双胞胎公司"), unit(place.other_community, "双胞胎公司")]
    unit(place.community, "迁走的公司", state="left")
    called = [
        *(
            "测试市第一人民医院（集团）",
            "　测试市第一人民医院(集团) ",
            "测试市 第一人民医院（集团）",
        ),
        *("测试（市政）公司", hospital.credit_code, twins[1].credit_code),
        *("测试市第一人民医院", "迁走的公司", "双胞胎公司"),
    ]
    home = rename_area(area=place.community, name="江西路社区居委会", by=None)
    homes = ["江西路社区", "江西路社区 第一网格", home.code] * 3
    rows = [
        [f"党员{n}", make.phone(n), name, where, "", ""]
        for n, (name, where) in enumerate(zip(called, homes, strict=True))
    ]
    found = checked(tmp_path, officer, *rows)
    assert [row.values["unit"] for row in found.rows] == [
        *[hospital] * 3,
        plain,
        hospital,
        twins[1],
    ]
    assert [row.values["area"] for row in found.rows] == [home, place.grid, home] * 2
    assert errors(found) == [
        (8, "单位统一社会信用代码", NO_UNIT),
        (9, "单位统一社会信用代码", NO_UNIT),
        (10, "单位统一社会信用代码", "有 2 个同名的单位，请改填统一社会信用代码"),
    ]


def test_a_liaison_names_only_its_own_unit_and_a_grid_by_its_community(tmp_path, place, sides):
    unit(place.community, "别的单位")
    found = checked(
        tmp_path,
        sides.liaison,
        ["甲", make.phone(1), "别的单位", place.community.code, "", ""],
        ["乙", make.phone(2), sides.unit.name, "第一网格", "", ""],
        ["丙", make.phone(3), sides.unit.name, "211社区 第一网格", "", ""],
    )
    wanted = "请改填代码，或在前面写上街道或社区，如“江西路社区 第一网格”"
    assert errors(found) == [
        (2, "单位统一社会信用代码", NO_UNIT),
        (3, "居住社区代码", f"有 8 个同名的社区或网格，{wanted}"),
    ]
    (read,) = found.rows
    assert (read.values["unit"], read.values["area"].community_id) == (
        sides.unit,
        place.other_community.pk,
    )


def test_a_hundred_names_cost_the_queries_of_two(tmp_path, place):
    officer = person(Role.STREET_OFFICER, place.street)
    names = [unit(place.community).name for _ in range(100)]
    homes = ["111社区", "112社区", "111社区 第一网格", place.community.code] * 25

    def cost(count: int) -> int:
        rows = [[f"党员{n}", make.phone(n), names[n], homes[n], "", ""] for n in range(count)]
        with CaptureQueriesContext(connection) as queries:
            assert checked(tmp_path, officer, *rows).errors == []
        return len(queries)

    cost(1)  # reads the grants
    assert cost(2) == cost(100)
