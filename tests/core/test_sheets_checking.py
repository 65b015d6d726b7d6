"""From an uploaded file to rows in the database, proved on the register of member units."""

from __future__ import annotations

from datetime import date

import openpyxl
import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from core.errors import Refused
from core.models import AuditEvent
from core.sheets.checking import check, write
from core.sheets.layout import Layout
from core.sheets.marking import errors_workbook
from core.sheets.reading import ERRORS
from core.sheets.template import write_template
from core.sheets.writing import write_table
from orgs.models import Unit
from orgs.sheets import UnitSheet
from tests.core.sheetkit import book
from tests.factories import orgs as factory
from tests.factories.accounts import person
from tests.factories.orgs import small_city, unit

pytestmark = pytest.mark.django_db
HEAD = ["单位名称", "统一社会信用代码", "单位类别", "所在社区代码", "单位党组织", "联络员"]


@pytest.fixture
def place():
    return small_city()


@pytest.fixture
def officer(place):
    return person("street_officer", place.street)


def credit_code(serial: int) -> str:
    return factory.credit_code(500_000 + serial)  # far from those of `unit`


def row(place, serial=1, **changes) -> list:
    values = dict(
        zip(
            HEAD,
            [f"单位{serial}", credit_code(serial), "医院", place.community.code, "党委", "王　强"],
            strict=True,
        )
    )
    return list((values | changes).values())


def checked(path, officer):
    return check(path, UnitSheet(), by=officer)


def test_good_rows_become_units_of_their_community_with_an_audit_event_each(
    tmp_path, place, officer
):
    path = book(tmp_path / "a.xlsx", [HEAD, row(place, 1), row(place, 2)])
    found = checked(path, officer)
    assert found.errors == []
    assert [ready.number for ready in found.created] == [2, 3]
    assert Unit.objects.count() == 0
    assert tuple(write(found, UnitSheet(), by=officer)) == (2, 0)
    one = Unit.objects.get(credit_code=credit_code(1))
    assert (one.name, one.kind, one.area, one.contact_name) == (
        "单位1", "hospital", place.community, "王强",
    )  # fmt: skip
    assert one.street_id == place.street.pk
    assert one.initials == "dw1"
    events = AuditEvent.objects.filter(action="orgs.unit.import")
    assert {event.object_id for event in events} == {str(u.pk) for u in Unit.objects.all()}


def test_known_units_are_changed_and_shown_before_and_after(tmp_path, place, officer):
    old = unit(place.community, "旧名", kind="hospital", party_org="党委")
    same = unit(place.community, "不变", kind="hospital", party_org="党委", contact_name="王强")
    path = book(
        tmp_path / "a.xlsx",
        [
            HEAD,
            row(place, 0, 单位名称="新名", 统一社会信用代码=old.credit_code, 联络员=None),
            row(place, 0, 单位名称="不变", 统一社会信用代码=same.credit_code),
        ],
    )
    found = checked(path, officer)
    assert found.errors == []
    (change,) = found.changed
    assert change.changes == {"单位名称": ("旧名", "新名"), "联络员": ("王联络", "")}
    assert found.same == 1
    assert tuple(write(found, UnitSheet(), by=officer)) == (0, 1)
    old.refresh_from_db()
    assert (old.name, old.contact_name, old.pinyin) == ("新名", "", "xinming")
    assert AuditEvent.objects.filter(action="orgs.unit.import").count() == 1
    # The same file again has nothing left to do.
    again = checked(path, officer)
    assert (again.created, again.changed, again.same) == ([], [], 2)


def test_a_column_that_the_file_lacks_is_left_alone(tmp_path, place, officer):
    old = unit(place.community, "旧名", kind="hospital")
    path = book(
        tmp_path / "a.xlsx", [HEAD[:4], row(place, 0, 统一社会信用代码=old.credit_code)[:4]]
    )
    write(checked(path, officer), UnitSheet(), by=officer)
    old.refresh_from_db()
    assert (old.name, old.party_org, old.contact_name) == ("单位0", "测试党支部", "王联络")


def test_every_error_is_told_with_row_column_value_and_reason(tmp_path, place, officer):
    foreign = unit(place.other_community)
    wrong_digit = credit_code(5)[:-1] + ("0" if credit_code(5)[-1] != "0" else "1")
    path = book(
        tmp_path / "a.xlsx",
        [
            HEAD,
            row(place, 1),
            row(place, 2, 单位名称=None),
            row(place, 3, 统一社会信用代码="9137"),
            row(place, 4, 单位类别="医疗"),
            row(place, 5, 统一社会信用代码=wrong_digit, 所在社区代码="999"),
            row(place, 6, 所在社区代码=place.other_community.code),
            row(place, 1, 单位名称="重复"),
            row(place, 7, 统一社会信用代码=foreign.credit_code),
            row(place, 8, 统一社会信用代码=913702001234567890),
            row(place, 9, 单位党组织="长" * 121),
        ],
    )
    found = checked(path, officer)
    told = [(e.row, e.column, e.value[:20], e.reason) for e in found.errors]
    absent = "没有这个社区，或不在您的管理范围内"
    kinds = "机关、事业单位、国有企业、非公企业、社会组织、学校、医院、银行、其他"
    assert told == [
        (3, "单位名称", "", "必填，不能为空"),
        (4, "统一社会信用代码", "9137", "应为18位，现在是4位"),
        (5, "单位类别", "医疗", f"应为{kinds}之一"),
        (6, "统一社会信用代码", wrong_digit, "校验位不对，请核对是否有错字"),
        (6, "所在社区代码", "999", absent),
        (7, "所在社区代码", place.other_community.code, absent),
        (8, "统一社会信用代码", credit_code(1), "与第 2 行重复"),
        (9, "统一社会信用代码", foreign.credit_code,
         "这个统一社会信用代码已由其他区域登记，请核对；确需变更请联系上级"),
        (10, "统一社会信用代码", "913702001234568000", told[8][3]),
        (11, "单位党组织", "长" * 20, "有121字，超过120字的上限"),
    ]  # fmt: skip
    assert "文本" in told[8][3]
    assert found.wrong_rows == 9
    with pytest.raises(Refused, match="9 行存在错误"):
        write(found, UnitSheet(), by=officer)
    assert Unit.objects.count() == 1


def test_the_workbook_comes_back_with_the_errors_in_it(tmp_path, place, officer):
    path = book(
        tmp_path / "a.xlsx",
        [
            ["驻区单位登记表"],
            [*HEAD, "备注"],
            [*row(place, 1), date(2026, 11, 21)],
            [*row(place, 2, 单位类别="医疗", 所在社区代码=None), 3.5],
            ["填报单位：某街道"],
        ],
        title="登记",
        merged=["A1:G1"],
        also=[("别的", [["照旧", 1, True]], "visible"), ("藏", [["秘", "=1+1"]], "hidden")],
    )
    found = checked(path, officer)
    assert found.notes == ["这些列不在模板中，没有读取：备注。"]
    out = tmp_path / "out.xlsx"
    errors_workbook(path, found, UnitSheet(), out)
    back = openpyxl.load_workbook(out)
    assert back.sheetnames == ["登记", "别的", "藏"]
    assert [s.sheet_state for s in back] == ["visible", "visible", "hidden"]
    sheet = back["登记"]
    assert [str(box) for box in sheet.merged_cells.ranges] == ["A1:G1"]
    assert sheet["A1"].value == "驻区单位登记表"
    assert [c.value for c in sheet[2]] == [*HEAD, "备注", ERRORS]
    assert sheet["G3"].value.date() == date(2026, 11, 21)
    assert sheet["H3"].value is None
    assert (sheet["B4"].value, sheet["G4"].value) == (credit_code(2), 3.5)
    assert sheet["H4"].value.startswith("单位类别：应为机关")
    assert sheet["H4"].value.endswith("；所在社区代码：必填，不能为空")
    assert sheet["C4"].fill.fgColor.rgb == sheet["D4"].fill.fgColor.rgb == "FFFFC7CE"
    assert sheet["A5"].value == "填报单位：某街道"
    assert [c.value for c in back["别的"][1]] == ["照旧", 1, True]
    rules = {str(r.sqref): r for r in sheet.data_validations.dataValidation}
    assert any("医院" in (rule.formula1 or "") for rule in rules.values())
    # Mended in place and uploaded again, the column is no data and is not written twice.
    sheet["C4"], sheet["D4"] = "医院", place.community.code
    sheet["A3"] = None
    back.save(tmp_path / "again.xlsx")
    found = checked(tmp_path / "again.xlsx", officer)
    assert [(e.row, e.column) for e in found.errors] == [(3, "单位名称")]
    assert found.notes == ["这些列不在模板中，没有读取：备注。"]
    errors_workbook(tmp_path / "again.xlsx", found, UnitSheet(), out)
    sheet = openpyxl.load_workbook(out)["登记"]
    assert [c.value for c in sheet[2]].count(ERRORS) == 1
    assert (sheet["H3"].value, sheet["H4"].value) == ("单位名称：必填，不能为空", None)


def test_errors_of_a_csv_come_back_as_a_workbook(tmp_path, place, officer):
    path = tmp_path / "a.csv"
    lines = [HEAD, row(place, 1, 单位类别="？", 单位名称="'=1+1")]
    path.write_bytes("\n".join(",".join(line) for line in lines).encode("gbk"))
    found = checked(path, officer)
    assert found.rows == []
    errors_workbook(path, found, UnitSheet(), tmp_path / "out.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "out.xlsx")["数据"]
    assert (sheet["A2"].value, sheet["A2"].data_type) == ("=1+1", "s")
    assert sheet["G2"].value.startswith("单位类别：应为机关")


def test_the_template_is_read_back_once_filled_in(tmp_path, place, officer):
    path = tmp_path / "模板.xlsx"
    write_template(path, UnitSheet())
    template = openpyxl.load_workbook(path)
    assert template.sheetnames == ["驻区单位", "填表说明"]
    sheet = template["驻区单位"]
    assert [c.value for c in sheet[2]] == HEAD
    assert sheet["A2"].font.color.rgb == "FFC00000"
    rules = sheet.data_validations.dataValidation
    (kinds,) = [rule for rule in rules if rule.type == "list"]
    assert kinds.formula1.startswith('"机关,事业单位')
    assert str(kinds.sqref).startswith("C3:")
    said = [c.value for line in template["填表说明"].iter_rows() for c in line if c.value]
    assert "单位类别" in said
    assert any("代码相同的行更新原有登记" in text for text in said)
    with pytest.raises(Refused, match="下面没有数据"):
        checked(path, officer)
    for place_, value in enumerate(row(place, 1), start=1):
        sheet.cell(3, place_, value)
    template.save(path)
    found = checked(path, officer)
    assert (len(found.created), found.errors, found.notes) == (1, [], [])


def test_what_is_exported_is_imported_without_change(tmp_path, place, officer):
    for serial in range(3):
        unit(place.community, f"单位{serial}", kind="school")
    sheet = UnitSheet()
    layout = Layout("驻区单位", [c.column for c in sheet.columns], title="名册", foot=["审核人："])
    units = Unit.objects.select_related("area")
    for name in ("a.xlsx", "a.csv"):
        write_table(tmp_path / name, layout, map(sheet.export_cells, units))
        found = checked(tmp_path / name, officer)
        assert (found.errors, found.created, found.changed, found.same) == ([], [], [], 3)


def test_codes_kept_as_numbers_are_read_and_told(tmp_path, place, officer):
    path = book(
        tmp_path / "a.xlsx",
        [HEAD, *(row(place, n, 所在社区代码=int(place.community.code)) for n in range(1, 6))],
    )
    found = checked(path, officer)
    assert found.errors == []
    assert found.notes == []  # a lookup that found its place leaves nothing to doubt


def test_who_may_not_edit_units_may_not_ask(tmp_path, place):
    path = book(tmp_path / "a.xlsx", [HEAD, row(place, 1)])
    with pytest.raises(PermissionDenied):
        checked(path, person("grid_worker", place.grid))


def test_queries_do_not_grow_with_the_rows(tmp_path, place, officer):
    def queries(count: int) -> int:
        name = f"{count}.xlsx"
        book(tmp_path / name, [HEAD, *(row(place, n + 1000 * count) for n in range(count))])
        asker = User.objects.get(pk=officer.pk)  # whose grants are not read yet
        with CaptureQueriesContext(connection) as seen:
            write(checked(tmp_path / name, asker), UnitSheet(), by=asker)
        return len(seen)

    assert queries(2) == queries(50)  # SQLite takes no more rows than that in one INSERT
