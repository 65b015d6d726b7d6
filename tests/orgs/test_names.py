"""A name where a code is asked for: one place, several or none, in whatever dress it is typed."""

import csv
from pathlib import Path

import openpyxl
import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from core import imports
from core.formats import full_places, short_place
from core.jobs import execute
from core.sheets.checking import check, write
from core.sheets.template import write_template
from orgs.actions.tree import create_area, rename_area, retire_area
from orgs.models import Area, Unit
from orgs.names import COMMUNITIES, UNITS
from orgs.sheets import UnitSheet
from tests.core.sheetkit import book
from tests.factories.accounts import person
from tests.factories.orgs import credit_code, small_city, unit

pytestmark = pytest.mark.django_db

HEAD = ["单位名称", "统一社会信用代码", "单位类别", "所在社区代码"]
ABSENT = "没有这个社区，或不在您的管理范围内"
APART = "请改填代码，或在前面写上街道，如“湛山街道 江西路社区”"


@pytest.fixture
def place():
    """`community` is 江西路社区居委会, of 11号街道 in 东区."""
    made = small_city()
    made.community = rename_area(area=made.community, name="江西路社区居委会", by=None)
    return made


@pytest.fixture
def officer(place):
    return person("street_officer", place.street)


@pytest.fixture
def department(place):
    return person("org_department", place.city)


def checked(tmp_path, by, *areas):
    rows = [[f"单位{n}", credit_code(600_000 + n), "医院", a] for n, a in enumerate(areas)]
    return check(book(tmp_path / "in.xlsx", [HEAD, *rows]), UnitSheet(), by=by)


def read(tmp_path, by, *areas) -> list:
    """What each cell was read as: the place, or why not."""
    found = checked(tmp_path, by, *areas)
    said = {row.number: row.values["area"] for row in found.rows}
    said |= {error.row: error.reason for error in found.errors}
    return [said[number] for number in sorted(said)]


def community(street, number, name) -> Area:
    code = f"{street.code[:9]}{number:03d}"
    return create_area(kind="community", code=code, name=name, parent=street, by=None)


@pytest.mark.parametrize(
    "written",
    [
        *("江西路社区居委会", "江西路社区", "江西路居委会", "江西路社区居民委员会"),
        *("　江西路社区 ", "江西路 社区", "江西路社区\u200b"),
        *("11号街道 江西路社区", "11号街道　江西路社区居委会", "１１号街道／江西路社区"),
        *("东区 · 11号街道 · 江西路社区", "测试市/东区/11号街道/江西路居委会"),
    ],
)
def test_a_community_is_found_as_people_write_it(tmp_path, place, officer, written):
    assert read(tmp_path, officer, written) == [place.community]


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("清河村村委会", "清河村"),
        ("清河村村委会", "清河村民委员会"),
        ("湛山社区（北）", "湛山社区(北)"),
        ("湛山社区(北)", "湛山社区（北）"),
        ("湛山（北）社区居委会", "湛山 ( 北 ) 社区"),
    ],
)
def test_a_village_and_a_name_in_brackets_are_found_too(tmp_path, place, officer, name, written):
    made = community(place.street, 8, name)
    assert read(tmp_path, officer, written) == [made]


@pytest.mark.parametrize(
    "written", ["测试市医院（集团）", " 测试市医院(集团)", "测试市 医院（ 集团 ）"]
)
def test_a_unit_is_found_by_its_full_name_in_whatever_brackets(place, written):
    wide = unit(place.community, "测试市医院（集团）")
    narrow = unit(place.community, "测试市医院(集团)")
    named = Unit.objects.filter(pk=wide.pk)
    assert UNITS.find(named, [written]) == {written: [wide]}
    assert UNITS.find(Unit.objects.filter(pk=narrow.pk), [written]) == {written: [narrow]}
    assert {*UNITS.find(Unit.objects.all(), [written])[written]} == {wide, narrow}
    assert UNITS.find(named, ["测试市医院", "医院（集团）"]) == {}


def test_a_unit_that_has_left_has_left_its_name(place):
    unit(place.community, "迁走的公司", state="left")
    assert UNITS.find(Unit.objects.all(), ["迁走的公司"]) == {}
    back = unit(place.community, "迁走的公司")
    assert UNITS.find(Unit.objects.all(), ["迁走的公司"]) == {"迁走的公司": [back]}


def test_what_names_no_place_is_refused_as_an_unknown_code_is(tmp_path, place, officer):
    called = [
        "江西路",
        "江西",
        "社区",
        "居委会",
        "12号街道 江西路社区",
        "11号街道 江西路",
        "·／·",
        "999",
    ]
    assert read(tmp_path, officer, *called) == [ABSENT] * len(called)


def test_codes_and_names_stand_in_one_column(tmp_path, place, officer):
    cells = [place.community.code, "112社区", int(place.sibling_community.code), "江西路社区"]
    here, near = place.community, place.sibling_community
    assert read(tmp_path, officer, *cells) == [here, near, near, here]


def test_of_several_none_is_taken_until_the_street_tells_which(tmp_path, place, department):
    rename_area(area=place.other_community, name="江西路居民委员会", by=None)
    called = [
        "江西路社区",
        "11号街道 江西路社区",
        "21号街道/江西路社区",
        "西区 江西路社区",
        "江西路社区居委会",
    ]
    assert read(tmp_path, department, *called) == [
        f"有 2 个同名的社区，{APART}",
        place.community,
        place.other_community,
        place.other_community,
        place.community,  # the full name of one
    ]


def test_a_short_name_is_not_only_that_of_the_one_registered_under_it(tmp_path, place, officer):
    rename_area(area=place.sibling_community, name="江西路社区", by=None)
    refused = f"有 2 个同名的社区，{APART}"
    called = ["江西路社区", "11号街道 江西路社区", "江西路社区居委会"]
    assert read(tmp_path, officer, *called) == [refused, refused, place.community]


def test_who_does_not_reach_a_place_learns_nothing_of_it_by_its_name(tmp_path, place, officer):
    rename_area(area=place.other_community, name="江西路社区居委会", by=None)
    assert read(
        tmp_path, officer, "江西路社区", "21号街道 江西路社区", "211社区", "没有的社区"
    ) == [
        place.community,
        ABSENT,
        ABSENT,
        ABSENT,
    ]


def test_a_place_struck_off_has_lost_its_name(tmp_path, place, officer):
    gone = community(place.street, 8, "湛山社区居委会")
    retire_area(area=gone, by=None)
    assert read(tmp_path, officer, "湛山社区") == [ABSENT]
    now = community(place.street, 9, "湛山社区居委会")
    assert read(tmp_path, officer, "湛山社区") == [now]
    everywhere = Area.objects.all()
    assert COMMUNITIES.find(everywhere, ["湛山社区"]) == {"湛山社区": [now]}


def test_names_cost_one_query_and_codes_none(tmp_path, place, officer):
    for number in range(10, 40):
        community(place.street, number, f"湛山{number}社区居委会")
    codes = list(Area.objects.filter(kind="community", street=place.street).order_by("code"))

    def cost(*areas) -> int:
        asker = User.objects.get(pk=officer.pk)  # whose grants are not read yet
        with CaptureQueriesContext(connection) as queries:
            checked(tmp_path, asker, *areas)
        return len(queries)

    plain = cost(place.community.code)
    assert cost(*(area.code for area in codes), "379999999999") == plain
    assert cost("江西路社区") == plain + 1
    mixed = [f"11号街道 湛山{number}社区" for number in range(10, 40)] + ["没有的", "江西路社区"]
    assert cost(*mixed, *(area.code for area in codes)) == plain + 1


def test_what_a_name_was_read_as_is_shown_and_written(tmp_path, place, officer):
    old = unit(place.sibling_community, "旧单位", kind="hospital")
    rows = [
        ["新单位", credit_code(600_001), "医院", "江西路社区"],
        ["旧单位", old.credit_code, "医院", "江西路 社区"],
    ]
    found = check(book(tmp_path / "in.xlsx", [HEAD, *rows]), UnitSheet(), by=officer)
    here = f"江西路社区居委会 {place.community.code}"
    assert found.notes == [
        f"所在社区代码按名称读取：“江西路 社区”为 {here}；“江西路社区”为 {here}。"
    ]
    (change,) = found.changed
    assert change.changes == {"所在社区代码": (place.sibling_community.code, place.community.code)}
    write(found, UnitSheet(), by=officer)
    assert set(Unit.objects.values_list("area", flat=True)) == {place.community.pk}


def test_a_column_of_names_is_read_and_one_of_codes_before_it(tmp_path, place, officer):
    """People's own tables have 所在社区; who asks for codes finds both."""
    here, there = place.community, place.sibling_community
    row = ["新单位", credit_code(600_001), "医院"]
    head = [*HEAD[:3], "所在社区"]
    named = check(book(tmp_path / "a.xlsx", [head, [*row, there.name]]), UnitSheet(), by=officer)
    assert [ready.values["area"] for ready in named.rows] == [there]
    lines = [[*head, "所在社区代码"], [*row, there.name, here.code]]
    both = check(book(tmp_path / "b.xlsx", lines), UnitSheet(), by=officer)
    assert [ready.values["area"] for ready in both.rows] == [here]
    assert both.table.unknown == ["所在社区"]
    lines = [[*head, "社区代码"], [*row, there.name, here.code]]
    aliases = check(book(tmp_path / "c.xlsx", lines), UnitSheet(), by=officer)
    assert [ready.values["area"] for ready in aliases.rows] == [here]


def test_of_many_names_the_first_are_told_and_how_many_there_are(tmp_path, place, officer):
    for number in range(10, 22):
        community(place.street, number, f"湛山{number}社区居委会")
    found = checked(tmp_path, officer, *(f"湛山{number}社区" for number in range(10, 22)))
    (note,) = found.notes
    assert note.count("”为 ") == 10
    assert note.endswith(f"“湛山19社区”为 湛山19社区居委会 {place.street.code[:9]}019 等 12 个。")


@pytest.mark.django_db(transaction=True)
def test_a_name_that_came_to_mean_another_place_is_not_written_as_confirmed(
    tmp_path, place, officer
):
    path = book(
        tmp_path / "in.xlsx", [HEAD, ["新单位", credit_code(600_001), "医院", "江西路社区"]]
    )
    taken = imports.take(UnitSheet, SimpleUploadedFile("a.xlsx", path.read_bytes()), by=officer)
    rename_area(area=place.community, name="旧江西路社区居委会", by=None)
    rename_area(area=place.sibling_community, name="江西路社区居委会", by=None)
    execute(imports.confirm(taken, by=officer).job_id)
    taken.refresh_from_db()
    assert (taken.state, Unit.objects.count()) == ("ready", 0)
    assert place.sibling_community.code in taken.preview["notes"][0]
    execute(imports.confirm(taken, by=officer).job_id)
    assert Unit.objects.get().area == place.sibling_community


def test_the_template_says_that_a_code_or_a_name_will_do(tmp_path):
    write_template(tmp_path / "t.xlsx", UnitSheet())
    workbook = openpyxl.load_workbook(tmp_path / "t.xlsx")
    wanted = "12位统计用区划代码，社区须在您的管理范围内；也可填名称，重名的在前面写上街道，如“湛山街道 江西路社区”"
    said = [row[2].value for row in workbook["填表说明"].iter_rows() if row[0].value == HEAD[3]]
    assert said == [wanted]
    prompts = workbook["驻区单位"].data_validations.dataValidation
    assert [rule.prompt for rule in prompts if rule.promptTitle == HEAD[3]] == [wanted]


def test_every_community_of_a_real_city_is_found_by_what_it_is_called():
    path = Path(settings.BASE_DIR) / "data/areas/qingdao-2023.csv"
    with path.open(encoding="utf-8-sig") as file:
        names = {line["name"] for line in csv.DictReader(file) if line["kind"] == "community"}
    assert len(names) > 2000
    assert [name for name in names if name not in full_places(short_place(name))] == []
