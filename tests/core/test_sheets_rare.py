"""Rare characters in names, from one workbook through the database into another."""

from __future__ import annotations

import openpyxl
import pytest
from django.http import QueryDict

from core.exports import Exporter, export_to
from core.sheets.checking import check, write
from members.models import Member
from members.sheets import MemberSheet, ReportingLedger
from orgs.models import Unit
from orgs.sheets import UnitRegister, UnitSheet
from tests.core.sheetkit import book
from tests.factories import members
from tests.factories.accounts import person
from tests.factories.orgs import credit_code, small_city

# An export is of one moment: a transaction of its own.
pytestmark = pytest.mark.django_db(transaction=True)

# 𠮷 and 𬭚 lie beyond the first plane, 㐂 in no common font, · between the parts of a name; a letter
# with its mark as a second character stays as it was written.
NAMES = ["𠮷田㐂", "𬭚·阿不都", "㐂𠮷🌸", "Ame\u0301lie㐂"]
UNITS = ["单位名称", "统一社会信用代码", "单位类别", "所在社区代码", "单位党组织", "联络员"]
MEMBERS = ["姓名", "手机号", "单位统一社会信用代码", "居住社区代码", "单位党组织", "特长"]


@pytest.fixture
def place():
    return small_city()


def column(path, head: str) -> set[str]:
    """The texts of one column of a workbook, below its header; without the blanks at its foot."""
    rows = list(openpyxl.load_workbook(path).active.iter_rows(values_only=True))
    at = next(n for n, row in enumerate(rows) if head in row)
    return {row[rows[at].index(head)] for row in rows[at + 1 :]} - {None}


def exported(path, what: Exporter, by) -> None:
    export_to(path, what, by=by, asked=what.read(QueryDict(""), by))


def test_units(tmp_path, place):
    officer = person("street_officer", place.street)
    lines = [
        [f"{name}商行", credit_code(70 + n), "非公企业", place.community.code, f"{name}支部", name]
        for n, name in enumerate(NAMES)
    ]
    found = check(book(tmp_path / "in.xlsx", [UNITS, *lines]), UnitSheet(), by=officer)
    assert not found.errors
    write(found, UnitSheet(), by=officer)
    kept = Unit.objects.order_by("credit_code").values_list("name", "party_org", "contact_name")
    assert list(kept) == [(f"{name}商行", f"{name}支部", name) for name in NAMES]
    exported(tmp_path / "out.xlsx", UnitRegister(), officer)
    assert column(tmp_path / "out.xlsx", "联络员") == set(NAMES)
    # What came out is what went in: nothing to write.
    again = check(tmp_path / "out.xlsx", UnitSheet(), by=officer)
    assert (again.errors, again.created, again.changed, again.same) == ([], [], [], len(NAMES))


def test_members(tmp_path, place):
    sides = members.side(place.community)
    lines = [
        [name, members.phone(70 + n), "", place.community.code, f"{name}支部", f"{name}法"]
        for n, name in enumerate(NAMES)
    ]
    found = check(book(tmp_path / "in.xlsx", [MEMBERS, *lines]), MemberSheet(), by=sides.liaison)
    assert not found.errors
    write(found, MemberSheet(), by=sides.liaison)
    kept = Member.objects.order_by("pk").values_list("name", "party_org", "speciality")
    assert list(kept) == [(name, f"{name}支部", f"{name}法") for name in NAMES]
    officer = person("street_officer", place.street)
    exported(tmp_path / "out.xlsx", ReportingLedger(), officer)
    assert column(tmp_path / "out.xlsx", "姓名") == set(NAMES)
    assert column(tmp_path / "out.xlsx", "单位党组织") == {f"{name}支部" for name in NAMES}
