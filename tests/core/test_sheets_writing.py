from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.sheets.layout import Column, Kind, Layout
from core.sheets.reading import Wanted, read_table
from core.sheets.text import tidy, to_code, to_date, to_number
from core.sheets.workbook import clipped, sheet_name
from core.sheets.writing import write_table
from tests.core.sheetkit import OWN_PEAK

ROOT = Path(__file__).parents[2]
LEDGER = Layout(
    "共建协议",
    [
        Column("编号", Kind.CODE, key=True),
        Column("名称", group="甲方"),
        Column("电话", Kind.CODE, group="甲方"),
        Column("条款数", Kind.NUMBER),
        Column("金额", Kind.MONEY),
        Column("签订日期", Kind.DATE),
        Column("履约率", Kind.PERCENT),
    ],
    title="共建协议台账",
    subtitle="统计期：2026年第三季度",
    foot=["填报单位：东湖街道", "填报人：王某", "审核人：", "日期：2026-11-22"],
)
ROW = [
    "370202001001001001",
    "八大湖社区",
    "13800001234",
    3,
    Decimal("1234.5"),
    date(2026, 3, 1),
    0.5,
]


@pytest.fixture
def ledger(tmp_path):
    path = tmp_path / "a.xlsx"
    assert write_table(path, LEDGER, [ROW, [None] * 7]) == 2
    return openpyxl.load_workbook(path)["共建协议"]


def test_values_keep_their_kind(ledger):
    cells = [cell.value for cell in ledger[5]]
    assert cells == [
        "370202001001001001", "八大湖社区", "13800001234", 3, 1234.5,
        datetime.fromisoformat("2026-03-01"), 0.5,
    ]  # fmt: skip
    assert [cell.number_format for cell in ledger[5]] == [
        "@", "@", "@", "General", "#,##0.00", "yyyy-mm-dd", "0.0%",
    ]  # fmt: skip
    assert [cell.value for cell in ledger[6]] == [None] * 7


def test_the_head_over_two_rows_is_merged(ledger):
    assert ledger["A1"].value == "共建协议台账"
    assert ledger["A2"].value == "统计期：2026年第三季度"
    assert [c.value for c in ledger[3]] == [
        "编号", "甲方", None, "条款数", "金额", "签订日期", "履约率",
    ]  # fmt: skip
    assert ledger["B4"].value == "名称"
    merged = {str(box) for box in ledger.merged_cells.ranges}
    assert merged >= {"A1:G1", "A3:A4", "B3:C3", "D3:D4", "G3:G4"}


def test_it_scrolls_filters_and_prints_as_offices_expect(ledger):
    assert ledger.freeze_panes == "B5"
    assert ledger.auto_filter.ref == "A4:G6"
    assert ledger.page_setup.orientation == "landscape"
    assert ledger.page_setup.paperSize == 9
    assert ledger.sheet_properties.pageSetUpPr.fitToPage
    assert ledger.page_setup.fitToWidth in (None, 1)  # 1 is what none means
    assert ledger.page_setup.fitToHeight == 0
    assert ledger.print_title_rows == "$3:$4"
    assert ledger["A7"].value.split("　　　　") == LEDGER.foot


def test_what_is_written_is_read_again(tmp_path):
    path = tmp_path / "a.xlsx"
    write_table(path, LEDGER, [ROW] * 3)
    table = read_table(path, [Wanted(c.title, group=c.group) for c in LEDGER.columns])
    assert len(table.rows) == 3
    row = table.rows[0]
    assert to_code(row.raw("编号")) == ROW[0]
    assert to_code(row.raw("甲方电话")) == ROW[2]
    assert to_number(row.raw("金额")) == ROW[4]
    assert to_date(row.raw("签订日期")) == ROW[5]


DANGEROUS = [
    "=1+1",
    "+8613800001234",
    "-3",
    "@SUM(A1)",
    "\t=1",
    '=HYPERLINK("http://x")',
    "＝1+1",
]
MARKUP = "<r></is></c><c r='B9'><f>1+1</f><v>2</v></c><c><is></r>"


@pytest.mark.parametrize("text", DANGEROUS)
def test_no_text_is_ever_a_formula(tmp_path, text):
    layout = Layout("表", [Column("内容"), Column("序号", Kind.NUMBER)], title=text, foot=[text])
    write_table(tmp_path / "a.xlsx", layout, [[text, text]])
    with zipfile.ZipFile(tmp_path / "a.xlsx") as package:
        sheet = package.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert "<f " not in sheet
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    cell = book["表"]["A3"]
    assert (cell.value, cell.data_type) == (text, "s")
    assert cell.quotePrefix
    write_table(tmp_path / "a.csv", layout, [[text, -3]])
    line = (tmp_path / "a.csv").read_text("utf-8-sig").splitlines()[1]
    assert line.lstrip('"').startswith("'")
    assert line.rstrip('"').endswith("-3")  # a number is no text
    assert read_table(tmp_path / "a.csv", ["内容"]).rows[0]["内容"] == tidy(text)


def test_no_text_is_ever_markup(tmp_path):
    layout = Layout(
        "表", [Column(MARKUP, group=MARKUP), Column("数")], MARKUP, MARKUP, foot=[MARKUP]
    )
    write_table(tmp_path / "a.xlsx", layout, [[MARKUP, 1]])
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx")["表"]
    texts = [str(cell.value).strip() for row in sheet.iter_rows() for cell in row if cell.value]
    assert texts.count(MARKUP) == 6
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} == {"s", "n"}


def test_csv_has_a_mark_for_excel_and_nothing_but_the_table(tmp_path):
    write_table(tmp_path / "a.csv", LEDGER, [ROW])
    data = (tmp_path / "a.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    assert data.decode("utf-8-sig").splitlines() == [
        "编号,甲方名称,甲方电话,条款数,金额,签订日期,履约率",
        "370202001001001001,八大湖社区,13800001234,3,1234.5,2026-03-01,0.5",
    ]


def test_odd_values_are_written_as_they_are(tmp_path):
    layout = Layout("表", [Column("值", Kind.NUMBER), Column("日", Kind.DATE), Column("字")])
    moment = datetime(2026, 11, 21, 17, 30, tzinfo=UTC)  # 01:30 of the next day in China
    rows = [
        [10**18, moment, True],
        [float("nan"), date(1898, 1, 2), 5],
        [float("-inf"), "不详", moment],
        [Decimal("0.10"), None, Decimal("0.10")],
    ]
    write_table(tmp_path / "a.xlsx", layout, rows)
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx")["表"]
    assert [[c.value for c in row] for row in sheet.iter_rows(min_row=2)] == [
        ["1000000000000000000", datetime.fromisoformat("2026-11-22"), "是"],
        ["nan", "1898-01-02", "5"],
        ["-inf", "不详", "2026-11-22 01:30:00"],
        [0.1, None, "0.10"],
    ]


def test_a_cell_holds_no_more_than_excel_lets_it(tmp_path):
    assert clipped("中" * 32_767) == "中" * 32_767
    assert clipped("中" * 32_768) == "中" * 32_766 + "…"
    rare = clipped("𠮷" * 20_000)
    assert rare == "𠮷" * 16_383 + "…"
    write_table(tmp_path / "a.xlsx", Layout("表", [Column("字")]), [["长" * 40_000]])
    assert read_table(tmp_path / "a.xlsx", ["字"]).rows[0]["字"].endswith("长…")


def test_names_of_tabs_are_made_fit():
    assert sheet_name("双报到[2026/Q3]:*?\\") == "双报到_2026_Q3_____"
    assert sheet_name("'引号'") == "引号"
    assert sheet_name(" ") == "Sheet"
    assert len(sheet_name("很" * 40, 2)) == 31
    assert sheet_name("名册", 2) == "名册（2）"


def test_what_one_sheet_cannot_hold_goes_on_in_the_next(tmp_path):
    layout = Layout("册", [Column("号", Kind.NUMBER)], title="名册", foot=["审核人："])
    assert write_table(tmp_path / "a.xlsx", layout, ([n] for n in range(20)), sheet_rows=10) == 20
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert book.sheetnames == ["册", "册（2）", "册（3）"]
    numbers = [
        cell.value for sheet in book for cell in sheet["A"] if isinstance(cell.value, int | float)
    ]
    assert numbers == list(range(20))
    assert [sheet["A1"].value for sheet in book] == ["名册"] * 3
    assert ["审核人：" in [c.value for c in sheet["A"]] for sheet in book] == [False, False, True]
    # As many as fit exactly leave no empty sheet behind.
    write_table(tmp_path / "b.xlsx", layout, ([n] for n in range(14)), sheet_rows=10)
    assert openpyxl.load_workbook(tmp_path / "b.xlsx").sheetnames == ["册", "册（2）"]


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.xlsx"
    path.write_text("old")

    def rows():
        yield from [ROW] * 2000
        raise ZeroDivisionError

    for name in ("a.xlsx", "a.csv"):
        with pytest.raises(ZeroDivisionError):
            write_table(tmp_path / name, LEDGER, rows())
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.xlsx"]


def test_columns_of_text_wrap_when_the_page_is_too_narrow(tmp_path):
    layout = Layout("表", [Column(f"说明{n}") for n in range(8)] + [Column("状态")])
    long = "面向社区居民开放运动场地和会议室，协助社区开展消防演练"
    write_table(tmp_path / "a.xlsx", layout, [[long] * 8 + ["生效"]])
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx")["表"]
    widths = [sheet.column_dimensions[chr(65 + n)].width for n in range(9)]
    assert sum(widths) < 190
    assert widths[8] < widths[0]
    assert sheet["A2"].alignment.wrap_text
    assert sheet.row_dimensions[2].height > 40
    assert sheet["I2"].alignment.horizontal == "center"


TEXTS = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from(
            "㐂𠮷你（）　\u200b\u200d\x00\x07\x1b\ud800\ufffe\uffff_x0041=+-@'\"\r\n\t,;👨‍👩‍👧"
        ),
    ),
    max_size=40,
)


@settings(max_examples=25, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=60), st.sampled_from(["xlsx", "csv"]))
def test_any_text_survives_the_way_there_and_back(texts, suffix):
    """What a reader gets is what a reader would have got from the text itself."""
    layout = Layout("表", [Column("头"), Column("文字")])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a.{suffix}"
        write_table(path, layout, [["行", text] for text in texts])
        table = read_table(path, ["头", Wanted("文字", required=False)])
    assert [row["文字"] for row in table.rows] == [tidy(text) for text in texts]


def test_memory_does_not_grow_with_the_rows(tmp_path):
    def peak(rows: int) -> int:
        program = f"""{OWN_PEAK}
import sys
sys.path.insert(0, {str(ROOT)!r})
from core.sheets.layout import Column, Kind, Layout
from core.sheets.writing import write_table
layout = Layout("表", [Column(f"列{{n}}", Kind.CODE) for n in range(10)])
write_table({str(tmp_path / "big.xlsx")!r}, layout, ([f"{{n:018}}"] * 10 for n in range({rows})))
print(own_peak())
"""
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        )
        return int(done.stdout)

    few, many = peak(600), peak(12_000)
    assert many < 150
    assert many - few < 20
